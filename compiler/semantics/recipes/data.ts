import { plural } from "../../diagnostics/plural.js";
import type { CallExpression, DataDeclaration, DataSplit } from "../../../grammar/ast.js";
import type { DataRecipe, DataSource, DataSplitRecipe } from "../../../program/recipe.js";
import type { AnalyzedModel } from "../analysis.js";
import { withoutDuplicates } from "../duplicates.js";
import type { Environment } from "../../calls/environment.js";
import { adviseName } from "../../calls/suggestion.js";
import { resolveCall, type Resolved } from "./definition.js";
import { checkFeatures, isOfFeatures, type ReadSplit } from "./features.js";
import { checkTransforms, imageInput, type ImageInput } from "./image-flow.js";
import { isMixing } from "../../../program/transforms.js";
import { sourceSize } from "../../../program/image-size.js";
import { checkMasks, checkTokenTransforms } from "./masks.js";
import { checkNumbers, numbersOf, numericTarget } from "./numbers.js";
import { checkPixelStatistics, compareNormalizations, type SplitUses } from "./normalization.js";
import { readTransforms } from "./random-choice.js";
import { type SourceRule, sources } from "./sources.js";
import { givenInputs, takeColumns, type SplitCall } from "./table-columns.js";
import {
  checkFields,
  checkFiles,
  checkStandardizing,
  compareTables,
  fieldsOf,
  hasNamedFields,
  type WrittenTable,
} from "./table-fields.js";
import { checkOrder } from "./transform-order.js";

/** The parts of a data declaration. */
export const SPLITS = ["train", "eval"] as const;
type SplitName = (typeof SPLITS)[number];

/**
 * Checks a data declaration against the model that it feeds; undefined if something is wrong with
 * it.
 */
export function analyzeData(
  declaration: DataDeclaration,
  model: AnalyzedModel | undefined,
  environment: Environment,
): DataRecipe | undefined {
  const splits = withoutDuplicates(declaration.splits, "split", environment.reporter);
  const analyzed: Partial<Record<SplitName, AnalyzedSplit>> = {};
  const errorsBefore = environment.reporter.errorCount;
  let isValid = true;
  for (const split of splits.values()) {
    const name = splitName(split, environment);
    const found = name && analyzeSplit(split, name, model, environment);
    if (name && found) analyzed[name] = found;
    else isValid = false;
  }
  const { train, eval: evaluation } = analyzed;
  const isSound = environment.reporter.errorCount === errorsBefore;
  if (isSound && train && evaluation)
    compareNormalizations({ train, eval: evaluation }, environment);
  if (isSound && train && evaluation) compareTables(train, evaluation, environment);
  if (!isValid) return undefined;
  return {
    name: declaration.name.name,
    train: train?.recipe,
    eval: evaluation?.recipe,
  };
}

interface AnalyzedSplit extends SplitUses, Pick<ReadSplit, "call" | "source"> {
  readonly columns: SplitCall["columns"];
  readonly recipe: DataSplitRecipe;
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
): AnalyzedSplit | undefined {
  const written = takeColumns(split.source, model, environment);
  const resolved = written && resolveCall(written.call, sources, environment);
  const uses = readTransforms(split.transforms, environment);
  if (!resolved || !uses) return undefined;
  checkOrder(uses, name, environment);
  const { columns } = written;
  const source = sourceFor({ ...resolved, columns }, name, model);
  const read = { call: split.source, source, uses };
  if (model && source.kind === "csv" && hasNamedFields(columns, model) && !source.tuples) {
    checkTable({ ...read, source, columns }, model, environment);
  } else checkRead(read, model, environment);
  if (model) {
    checkFiles({ ...read, columns }, model, environment);
    checkStandardizing(read, environment);
    checkClasses(split.source, source, model, environment);
  }
  const { line, column } = split.name.span.start;
  const transforms = uses.map(({ transform }) => transform);
  return {
    ...read,
    columns,
    name: split.name,
    recipe: { source, transforms, location: { line, column } },
  };
}

/** What a split gives, of one input and one target. */
function checkRead(
  read: ReadSplit,
  model: AnalyzedModel | undefined,
  environment: Environment,
): void {
  const input = model && imageInput(model);
  if (model && isOfFeatures(model)) checkFeatures(read, model, environment);
  else {
    checkPixelStatistics(read.uses, environment);
    if (input) checkImages(read, input, environment);
  }
  if (read.source.tuples) checkTupleTransforms(read, environment);
  else if (model && checkNumbers(read, model, environment)) checkMasks(read, model, environment);
}

/** A table whose columns have the names of inputs and targets. */
function checkTable(
  table: ReadSplit & WrittenTable,
  model: AnalyzedModel,
  environment: Environment,
): void {
  checkFields(table, model, environment);
  checkTokenTransforms(table, model, environment);
  const [input, ...others] = givenInputs(model);
  const image = others.length === 0 ? imageInput(model) : undefined;
  if (others.length > 0 || !input || !(isOfFeatures(model) || image)) {
    for (const { call } of table.uses) {
      environment.reporter.report("NET3064", {
        message: `\`${call.callee.name}\` changes images or features of one input`,
        span: call.span,
        notes: ["leave it out: a table holds the numbers of other models as they are"],
      });
    }
  } else if (isOfFeatures(model)) checkFeatures(table, model, environment);
  else checkImages(table, image!, environment);
}

/**
 * The source; a table of a model of features holds those instead of pixels, as they are unless
 * `maximum` says otherwise, and one of a model with a target of numbers holds those, not classes.
 */
function sourceFor(
  { result, call, columns }: Resolved<SourceRule> & Pick<SplitCall, "columns">,
  name: SplitName,
  model: AnalyzedModel | undefined,
): DataSource {
  const source = result(name);
  if (source.kind !== "csv" || !model) return source;
  const target = source.tuples ? undefined : numericTarget(model);
  const fields = fieldsOf({ source, columns }, model);
  const table = target ? { ...source, fields, numbers: numbersOf(target) } : { ...source, fields };
  const inputs = givenInputs(model);
  const isImage = inputs.length === 1 && imageInput(model) && !isOfFeatures(model);
  if (isImage || inputs.length === 0 || source.tuples) return table;
  const hasPixels = fields.some(({ holds }) => holds === "pixels");
  const maximum = saysMaximum(call) || hasPixels ? source.maximum : 1;
  return { ...table, holds: "features", maximum };
}

/** Of a table, or of what tuples are drawn from. */
const saysMaximum = ({ arguments: given }: CallExpression): boolean =>
  given.some(
    ({ name, value }) => name?.name === "maximum" || (value.kind === "call" && saysMaximum(value)),
  );

/** Pictures of an example are changed apart from each other, and stay one each. */
function checkTupleTransforms({ source, uses }: ReadSplit, { reporter }: Environment): void {
  for (const { transform, call } of uses) {
    if (!isMixing(transform) && transform.kind !== "ten_crop") continue;
    reporter.report("NET3040", {
      message: `\`${call.callee.name}\` has no meaning for the examples of \`${source.tuples}\``,
      span: call.span,
      notes: ["each picture of an example has its own transforms; leave this one out"],
    });
  }
}

function checkImages(
  { call, source, uses }: ReadSplit,
  input: ImageInput,
  environment: Environment,
): void {
  checkSource(call, source, input, environment);
  const start = { size: sourceSize(source, input), source: call, kind: source.kind };
  checkTransforms(uses, start, input, environment);
}

/** Channels and classes that a format has by definition. */
const FIXED_FORMATS: Partial<Record<DataSource["kind"], { channels: number; classes?: number }>> = {
  cifar10: { channels: 3, classes: 10 },
  idx: { channels: 1 },
};

function checkSource(
  call: CallExpression,
  { kind }: DataSource,
  { channels, span }: ImageInput,
  { reporter }: Environment,
): void {
  const format = FIXED_FORMATS[kind];
  if (!format || format.channels === channels) return;
  reporter.report("NET3017", {
    message:
      `images of \`${kind}\` have ${plural(format.channels, "channel")}, ` +
      `but the model's input has ${channels}`,
    span: call.span,
    related: [{ span, message: `starts with ${plural(channels, "channel")}` }],
  });
}

function checkClasses(
  call: CallExpression,
  { kind, tuples }: DataSource,
  { classes, name }: AnalyzedModel,
  { reporter }: Environment,
): void {
  const known = FIXED_FORMATS[kind]?.classes;
  if (tuples === "siamese" || known === undefined) return;
  if (classes === undefined || classes === known) return;
  reporter.report("NET3017", {
    message: `\`${kind}\` has ${known} classes, but model \`${name}\` has ${classes}`,
    span: call.callee.span,
  });
}
