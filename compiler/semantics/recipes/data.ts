import type { CallExpression, DataDeclaration, DataSplit } from "../../../grammar/ast.js";
import type { DataRecipe, DataSource, DataSplitRecipe } from "../../../program/recipe.js";
import type { AnalyzedModel } from "../analysis.js";
import { withoutDuplicates } from "../duplicates.js";
import type { Environment } from "../../calls/environment.js";
import { adviseName } from "../../calls/suggestion.js";
import { resolveCall } from "./definition.js";
import { checkTransforms, imageInput, type ImageInput, type TransformUse } from "./image-flow.js";
import { sourceSize } from "../../../program/image-size.js";
import { sources } from "./sources.js";
import { checkOrder } from "./transform-order.js";
import { transforms } from "./transforms.js";

/** The parts of a data declaration. */
export const SPLITS = ["train", "eval"] as const;
type SplitName = (typeof SPLITS)[number];

/** Checks a data declaration against the model that it feeds; undefined if something is wrong with it. */
export function analyzeData(
  declaration: DataDeclaration,
  model: AnalyzedModel | undefined,
  environment: Environment,
): DataRecipe | undefined {
  const splits = withoutDuplicates(declaration.splits, "split", environment.reporter);
  const recipes: Partial<Record<SplitName, DataSplitRecipe>> = {};
  let isValid = true;
  for (const split of splits.values()) {
    const name = splitName(split, environment);
    const recipe = name && analyzeSplit(split, name, model, environment);
    if (name && recipe) recipes[name] = recipe;
    else isValid = false;
  }
  return isValid ? { name: declaration.name.name, ...recipes } : undefined;
}

function splitName({ name }: DataSplit, { reporter }: Environment): SplitName | undefined {
  const found = SPLITS.find((split) => split === name.name);
  if (found) return found;
  const known = [
    { name: "train", aliases: ["training"] },
    {
      name: "eval",
      aliases: [
        ...["val", "valid", "validation", "evaluation"],
        {
          name: "test",
          differs: "`eval` is measured after every epoch, a test set once at the end",
        },
      ],
    },
  ];
  const { question, ...advice } = adviseName(name, { known, otherwise: [] });
  return reporter.report("NET3013", {
    message: `data has the splits \`train\` and \`eval\`, not \`${name.name}\`${question}`,
    span: name.span,
    ...advice,
  });
}

function analyzeSplit(
  split: DataSplit,
  name: SplitName,
  model: AnalyzedModel | undefined,
  environment: Environment,
): DataSplitRecipe | undefined {
  const source = resolveCall(split.source, sources, environment)?.result(name);
  const uses = split.transforms.map((call) => readTransform(call, environment));
  if (!source || !uses.every((use) => use !== undefined)) return undefined;
  checkOrder(uses, name, environment);
  const input = model && imageInput(model);
  if (input) {
    checkSource(split.source, source, input, environment);
    checkTransforms(
      uses,
      { size: sourceSize(source, input), source: split.source },
      input,
      environment,
    );
  }
  if (model) checkClasses(split.source, source, model, environment);
  const { line, column } = split.name.span.start;
  const resolved = uses.map(({ transform }) => transform);
  return { source, transforms: resolved, location: { line, column } };
}

function readTransform(call: CallExpression, environment: Environment): TransformUse | undefined {
  const resolved = resolveCall(call, transforms, environment);
  return resolved && { transform: resolved.result, call, bound: resolved.bound };
}

/** Channels and classes that a format has by definition. */
const fixedFormats: Partial<Record<DataSource["kind"], { channels: number; classes?: number }>> = {
  cifar10: { channels: 3, classes: 10 },
  idx: { channels: 1 },
};

function checkSource(
  call: CallExpression,
  { kind }: DataSource,
  { channels, span }: ImageInput,
  { reporter }: Environment,
): void {
  const format = fixedFormats[kind];
  if (!format || format.channels === channels) return;
  reporter.report("NET3017", {
    message: `images of \`${kind}\` have ${plural(format.channels, "channel")}, but the model's input has ${channels}`,
    span: call.span,
    related: [{ span, message: `starts with ${plural(channels, "channel")}` }],
  });
}

function checkClasses(
  call: CallExpression,
  { kind }: DataSource,
  { classes, name }: AnalyzedModel,
  { reporter }: Environment,
): void {
  const known = fixedFormats[kind]?.classes;
  if (known === undefined || classes === undefined || classes === known) return;
  reporter.report("NET3017", {
    message: `\`${kind}\` has ${known} classes, but model \`${name}\` has ${classes}`,
    span: call.callee.span,
  });
}

function plural(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
