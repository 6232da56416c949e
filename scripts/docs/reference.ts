import { functions } from "../../compiler/calls/functions.js";
import type { Described } from "../../compiler/calls/signature.js";
import { aliasNames } from "../../compiler/diagnostics/alias.js";
import type { LabelUnit } from "../../compiler/ir/shape.js";
import { initializers } from "../../compiler/layers/initializers.js";
import { type LayerDefinition, layers } from "../../compiler/layers/index.js";
import { ofAnyRank, ofLastAxis } from "../../compiler/layers/wide-layers.js";
import { losses, metrics, type ScoreDefinition } from "../../compiler/layers/scores.js";
import { optimizers } from "../../compiler/semantics/recipes/optimizers.js";
import {
  averages,
  bests,
  loads,
  precisions,
  samplings,
  stops,
} from "../../compiler/semantics/recipes/policies.js";
import { schedules } from "../../compiler/semantics/recipes/schedules.js";
import {
  stepSettings,
  trainSettings,
  type SettingDefinition,
} from "../../compiler/semantics/recipes/settings.js";
import { sources } from "../../compiler/semantics/recipes/sources.js";
import { transforms } from "../../compiler/semantics/recipes/transforms.js";
import { shapeText } from "../../compiler/reference/describe.js";
import { code, codes, formatted, page, table } from "./markdown.js";
import { describeCall } from "./signatures.js";

const NOTICE =
  "<!-- Written by `npm run docs` from the compiler's registries: change those instead. -->";

const ELSEWHERE = `
Names after "Elsewhere" belong to other frameworks: netc's error message says what to write.
`;

interface LayerPage {
  readonly file: string;
  readonly title: string;
  /** The first layer of the page, in the order of the registry. */
  readonly first: string;
}

/** A page for each group of layers: it begins with `first` and ends before the next page. */
const LAYER_PAGES: readonly LayerPage[] = [
  { file: "convolution-and-linear", title: "Convolution and linear layers", first: "conv" },
  { file: "activations", title: "Activation functions: ReLU, GELU, SiLU", first: "relu" },
  { file: "sigmoid-and-tanh", title: "Activation functions: sigmoid, tanh", first: "softplus" },
  { file: "pooling", title: "Pooling", first: "maxpool" },
  { file: "upsampling-and-padding", title: "Upsampling and padding", first: "upsample" },
  { file: "normalization", title: "Normalization: batch, layer, group", first: "lrn" },
  { file: "shape-and-dropout", title: "Dropout, shape and softmax", first: "dropout" },
  { file: "joining", title: "Joining values and ending gradients", first: "identity" },
  {
    file: "parts-and-order",
    title: "Parts of values, and pixels in another order",
    first: "slice",
  },
  { file: "reductions", title: "Sums, means and maxima over axes", first: "sum" },
  { file: "attention", title: "Attention and tokens", first: "embedding" },
  { file: "products-and-axes", title: "Products and the order of axes", first: "matmul" },
];

const LAYERS_INTRODUCTION = `
# Layers

All layers of a spec. The [language](../language.md) shows how to combine them. Where the value of
an argument is "an integer, or [height, width]", one integer is used for both. ${ELSEWHERE.trim()}
`;

/** Where a definition is on the pages of layers. */
interface PlacedLayer {
  readonly page: LayerPage;
  readonly layer: LayerDefinition;
}

function placedLayers(): readonly PlacedLayer[] {
  let current = LAYER_PAGES[0]!;
  return layers.map((layer) => {
    current = LAYER_PAGES.find(({ first }) => first === layer.name) ?? current;
    return { page: current, layer };
  });
}

/** The generated pages of docs/reference by path. */
export async function referencePages(): Promise<Readonly<Record<string, string>>> {
  const placed = placedLayers();
  const texts = {
    "layers/README": layersIndex(placed),
    ...Object.fromEntries(
      LAYER_PAGES.map((each) => [`layers/${each.file}`, layerPage(each, placed)]),
    ),
    initializers: callsPage("Weight initialization", INITIALIZERS, initializers),
    losses: scoresPage("Losses", LOSSES, losses),
    metrics: scoresPage("Metrics", METRICS, metrics),
    optimizers: callsPage("Optimizers", OPTIMIZERS, optimizers.definitions),
    schedules: callsPage("Learning rate schedules", SCHEDULES, schedules.definitions),
    "recipe-settings": settingsPage(),
    "data-sources": callsPage("Data sources", SOURCES, sources.definitions),
    ...transformPages(),
    functions: functionsPage(),
  };
  const pages = Object.entries(texts).map(async ([name, text]): Promise<[string, string]> => {
    return [`docs/reference/${name}.md`, await formatted(page(NOTICE, text))];
  });
  return Object.fromEntries(await Promise.all(pages));
}

function layersIndex(placed: readonly PlacedLayer[]): string {
  const rows = placed.map(({ page: { file }, layer }) => [
    `[${layer.name}](${file}.md#${layer.name})`,
    layer.summary,
    codes(aliasNames(layer.aliases)),
  ]);
  return page(LAYERS_INTRODUCTION, table(["layer", "is", "elsewhere"], rows), manyAxes());
}

const manyAxes = () => `
## Values of more than four axes

Which \`reshape\` makes. All activations take them, and these:

- as they are: ${ofAnyRank().join(", ")}, \`residual\`, \`split\` and formulas
- along their last axis: ${ofLastAxis().join(", ")}
`;

function layerPage({ file, title }: LayerPage, placed: readonly PlacedLayer[]): string {
  const own = placed.filter((each) => each.page.file === file).map(({ layer }) => layer);
  return page(`# ${title}`, ELSEWHERE, ...own.map(describeLayer), "[All layers](README.md)");
}

function describeLayer(layer: LayerDefinition): string {
  return page(describeCall(layer, layer.documentation), samplesTable(layer));
}

function samplesTable({ samples }: LayerDefinition): string {
  const rows = samples.map(({ spec, input, others = [], output }) => [
    code(spec),
    [input, ...others].map(shapeText).join(" and "),
    shapeText(output),
  ]);
  return table(["example", "input", "output"], rows);
}

const INITIALIZERS = `
Values of the arguments \`init\` and \`bias_init\` of \`conv\`, \`conv_transpose\` and \`linear\`:
\`conv(64, kernel=3, init=kaiming, bias_init=constant(0))\`. Without them, weights start as in
PyTorch.
`;

const OPTIMIZERS = `
Values of the recipe's setting \`optimizer\`. Formulas and defaults are PyTorch's.
`;

const SCHEDULES = `
Values of the recipe's setting \`schedule\`. A schedule multiplies the optimizer's learning rate by
a factor. \`warmup\` may precede another schedule, which then starts when the warmup ends.
[Guide](../guides/learning-rate.md).
`;

const SOURCES = `
Where the examples of a split come from. \`netc train --data DIR\` replaces the path.
[Guide](../guides/own-data.md).
`;

const TRANSFORMS = `
Steps that images go through, in the order in which the spec lists them. Pixels are numbers from 0
to 1. [Guide](../guides/data-augmentation.md).
`;

const GEOMETRY = `${TRANSFORMS.trim()} Transforms that change colors, erase and mix have
[a page](transforms-of-color.md).
`;

const COLOR = `${TRANSFORMS.trim()} Transforms that move pixels have [a page](transforms.md).
`;

/** The first transform of the second page; those before move pixels. */
const FIRST_OF_COLOR = "color_jitter";

function transformPages(): Readonly<Record<string, string>> {
  const all = transforms.definitions;
  const first = all.findIndex(({ name }) => name === FIRST_OF_COLOR);
  const color = "Transforms: color, erasing and mixing";
  return {
    transforms: callsPage(
      "Transforms: size, crops, flips, rotation",
      GEOMETRY,
      all.slice(0, first),
    ),
    "transforms-of-color": callsPage(color, COLOR, all.slice(first)),
  };
}

function callsPage(title: string, introduction: string, definitions: readonly Described[]): string {
  const calls = definitions.map((definition) => describeCall(definition));
  return page(`# ${title}`, introduction, ELSEWHERE, ...calls);
}

const LOSSES =
  "A model has at most one `loss`: `loss cross_entropy(logits, label)`, or a sum of losses with " +
  "factors. `mean(FORMULA)` is [a loss that you write](formulas.md#custom-losses-and-metrics). " +
  "[Metrics](metrics.md) have a page.";

const METRICS =
  "A model has any number of metrics: `metric top5 = accuracy(logits, label, k=5)`. " +
  "[Losses](losses.md) have a page.";

function scoresPage(
  title: string,
  introduction: string,
  scores: readonly ScoreDefinition[],
): string {
  return page(
    `# ${title}`,
    introduction,
    ELSEWHERE,
    ...scores.map((score) => describeScore(score).replace(/^### /, "## ")),
  );
}

/** What scores of labels take. */
const LABELS: Readonly<Record<LabelUnit, string>> = {
  image: "logits `[N, classes]` and a target of classes, `u32[N]`",
  pixel: "logits `[N, classes, H, W]` and a class for each pixel, `u32[N, H, W]`",
  token: "logits `[N, T, classes]` and a class for each token, `u32[N, T]`",
};

function describeLabels({ labelsOf = ["image"] }: ScoreDefinition): string {
  const taken = `Takes ${labelsOf.map((unit) => LABELS[unit]).join(", or ")}.`;
  const places = labelsOf.filter((unit) => unit !== "image").map((unit) => `${unit}s`);
  if (places.length === 0) return taken;
  const what = places.join(" or ");
  const ignored = `${what.replace(/^./, (first) => first.toUpperCase())} that the loss ignores`;
  return `${taken} ${ignored} count in no metric.`;
}

function describeScore(score: ScoreDefinition): string {
  const against = {
    labels: describeLabels(score),
    values: "Takes numbers and a target of numbers in the same shape.",
    logits:
      "Takes two values of the network, `[N, classes]`, `[N, classes, H, W]` or `[N, T, classes]`.",
    boxes: "Takes a grid of cells `[N, 5 + classes, H, W]` and `boxes[N, most] in 0..classes`.",
  }[score.against];
  const applied = score.applies ? `It applies ${score.applies} itself.` : "";
  return describeCall(score, `${against} ${applied}`);
}

const AFTER = `
### after

A stage of \`unfreeze\`: from this time on, the named weights are trained, too. Stages are joined by
\`->\` in the order in which they begin.
[Guide](../guides/fine-tuning.md#unfreeze-layers-in-stages).

Without a name, in this order: \`duration\`, \`weights\`.

| argument | value | default | meaning |
| --- | --- | --- | --- |
| \`duration\` | a number with a unit: \`5 epochs\`, \`1000 steps\` | required | when it begins |
| \`weights\` | a list of names or patterns of frozen weights | required | weights that it trains |
`;

const rowsOf = (settings: readonly SettingDefinition[]) =>
  settings.map(({ name, meaning, example, aliases }) => [
    code(name),
    meaning,
    code(example),
    codes(aliasNames(aliases)),
  ]);

const STEPS = `Networks that are trained against each other, as in a GAN, have a block for the loss
of each, \`step NAME { ... }\`, in place of one \`optimizer\`:
[Adversarial training](adversarial-training.md).`;

const SETTING_HEADINGS = ["setting", "meaning", "example", "elsewhere"];

function settingsPage(): string {
  const calls: readonly Described[] = [
    ...samplings.definitions,
    ...averages.definitions,
    ...stops.definitions,
    ...bests.definitions,
    ...precisions.definitions,
    ...loads.definitions,
  ];
  return page(
    "# Recipe settings",
    "Settings of a `train` declaration. `epochs`, `batch` and `optimizer` are required.",
    ELSEWHERE,
    table(SETTING_HEADINGS, rowsOf(trainSettings)),
    "Optimizers have [a page](optimizers.md), schedules have [a page](schedules.md).",
    "## Values of `sampling`, `average`, `stop`, `best`, `precision` and `weights`",
    ...calls.map((definition) => describeCall(definition)),
    "## Stages of `unfreeze`",
    AFTER,
    "## Settings of `step`",
    STEPS,
    table(SETTING_HEADINGS, rowsOf(stepSettings)),
  );
}

function functionsPage(): string {
  const rows = functions.map(({ name, summary, example }) => [code(name), summary, code(example)]);
  return page(
    "# Functions of constants",
    "Functions for [constants and arithmetic](language.md#constants-and-arithmetic).",
    table(["function", "gives", "example"], rows),
  );
}
