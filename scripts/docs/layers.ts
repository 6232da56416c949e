import { aliasNames } from "../../compiler/diagnostics/alias.js";
import { initializers } from "../../compiler/layers/initializers.js";
import { type LayerDefinition, layers } from "../../compiler/layers/index.js";
import { functions } from "../../compiler/calls/functions.js";
import { losses, metrics, type ScoreDefinition } from "../../compiler/layers/scores.js";
import { optimizers } from "../../compiler/semantics/recipes/optimizers.js";
import { schedules } from "../../compiler/semantics/recipes/schedules.js";
import { trainSettings } from "../../compiler/semantics/recipes/settings.js";
import { sources } from "../../compiler/semantics/recipes/sources.js";
import { transforms } from "../../compiler/semantics/recipes/transforms.js";
import type { Described } from "../../compiler/calls/signature.js";
import { code, codes, formatted, page, table } from "./markdown.js";
import { describeCall } from "./signatures.js";

const INTRODUCTION = `
<!-- Written by \`npm run docs\` from the compiler's registries: change those instead. -->

# Layers, and what else a spec can call

Everything that may stand in a spec, with its arguments. [language.md](language.md) says how it goes together. Names that stand behind "Elsewhere" belong
to other frameworks: netc does not take them, but says what they are called here. Where the value of an argument is "an integer, or [height, width]", one
integer stands for both.
`;

const DATA = `
Where the images of a split come from. \`netc train --data DIR\` replaces the path.
`;

/** docs/layers.md. */
export function layersPage(): Promise<string> {
  return formatted(
    page(
      INTRODUCTION,
      contents(),
      ...["## Layers", ...layers.map(describeLayer)],
      section("Initializers", "Values of `init` and `bias_init`.", initializers),
      ...["## Losses", ...losses.map(describeScore)],
      ...["## Metrics", ...metrics.map(describeScore)],
      section("Optimizers", "Values of the setting `optimizer`.", optimizers.definitions),
      section("Schedules", SCHEDULES, schedules.definitions),
      ...["## Settings of recipes", settingsTable()],
      section("Data sources", DATA, sources.definitions),
      section("Transforms", TRANSFORMS, transforms.definitions),
      ...["## Functions of constants", functionsTable()],
    ),
  );
}

const SCHEDULES = `
Values of the setting \`schedule\`. They multiply the optimizer's learning rate by a factor; a \`warmup\` may stand before another schedule, which then
starts when the warmup ends.
`;

const TRANSFORMS = `
What images go through, in the order in which they are written. Pixels are numbers from 0 to 1.
`;

function contents(): string {
  const rows = layers.map(({ name, summary }) => [`[${name}](#${name})`, summary]);
  const others = [
    ...["Initializers", "Losses", "Metrics", "Optimizers", "Schedules", "Settings of recipes"],
    ...["Data sources", "Transforms", "Functions of constants"],
  ].map((title) => `[${title}](#${title.toLowerCase().replaceAll(" ", "-")})`);
  return page(table(["layer", "is"], rows), `Further down: ${others.join(", ")}.`);
}

function section(title: string, introduction: string, definitions: readonly Described[]): string {
  const calls = definitions.map((definition) => describeCall(definition));
  return page(`## ${title}`, introduction, ...calls);
}

function describeLayer(layer: LayerDefinition): string {
  return page(describeCall(layer, layer.documentation), samplesTable(layer));
}

function samplesTable({ samples }: LayerDefinition): string {
  const rows = samples.map(({ spec, input, others = [], output }) => [
    code(spec),
    [input, ...others].map(formatShape).join(" and "),
    formatShape(output),
  ]);
  return table(["example", "receives", "makes"], rows);
}

const formatShape = (shape: readonly number[]) => `[N, ${shape.join(", ")}]`;

function describeScore(score: ScoreDefinition): string {
  const against =
    score.against === "labels"
      ? "Of logits `[N, classes]` and a target of classes, `u32[N]`."
      : "Of numbers and a target of numbers in the same shape.";
  const applied = score.applies ? `It applies ${score.applies} itself.` : "";
  return describeCall(score, `${against} ${applied}`);
}

function settingsTable(): string {
  const rows = trainSettings.map(({ name, meaning, aliases }) => [
    code(name),
    meaning,
    codes(aliasNames(aliases)),
  ]);
  return table(["setting", "meaning", "elsewhere"], rows);
}

function functionsTable(): string {
  const rows = functions.map(({ name, summary }) => [code(name), summary]);
  return table(["function", "gives"], rows);
}
