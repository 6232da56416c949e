/** Which columns of a table hold which input and target of a model. */
import type { CallExpression, Span } from "../../../grammar/ast.js";
import { labelColumns } from "../../../program/label-columns.js";
import type { CsvSource, TableField } from "../../../program/recipe.js";
import type { Environment } from "../../calls/environment.js";
import { listNames } from "../../calls/suggestion.js";
import { plural } from "../../diagnostics/plural.js";
import {
  classesOfTarget,
  ignoredLabel,
  isDense,
  isOfTags,
  isOfTokens,
} from "../../network/facts.js";
import type { NetworkPort } from "../../network/resolved.js";
import type { AnalyzedInput, AnalyzedModel } from "../analysis.js";
import type { ReadSplit } from "./features.js";
import { numbersOf, numericTarget } from "./numbers.js";
import { givenInputs, type WrittenColumns } from "./table-columns.js";

/** A table as a split has it. */
export interface WrittenTable {
  readonly call: CallExpression;
  readonly source: CsvSource;
  readonly columns: ReadonlyMap<string, WrittenColumns>;
}

/**
 * Whether columns are those of inputs and targets by name: not where there is one input with one
 * class or numbers to predict, and the spec names the columns of the latter alone, with `label`.
 */
export function hasNamedFields(
  columns: WrittenTable["columns"],
  { inputs: all, network }: Pick<AnalyzedModel, "inputs" | "network">,
): boolean {
  const inputs = givenInputs({ inputs: all });
  const isRow = ({ shape }: AnalyzedInput) => shape.length === 1 || shape.length === 3;
  return (
    columns.size > 0 ||
    inputs.length > 1 ||
    !inputs.every(isRow) ||
    (network?.targets.length ?? 0) > 1 ||
    (network?.targets ?? []).some(({ type }) => isOfTokens(type))
  );
}

/** The label or the target's numbers in their columns, and the input in all others. */
export function fieldsOf(
  { source, columns: written }: Omit<WrittenTable, "call">,
  model: AnalyzedModel,
): readonly TableField[] {
  const { label, files, tuples, standardize } = source;
  const inputs = givenInputs(model);
  const targets = tuples ? [] : (model.network?.targets ?? []);
  if (!tuples && hasNamedFields(written, model)) {
    const areSized = inputs.length > 1;
    return [
      ...inputs.map((input) => {
        if (files !== undefined) return fileField(input, files);
        const field = { ...inputField(input, areSized), columns: written.get(input.name)?.names };
        return scaledField(field, input, standardize);
      }),
      ...targets.map((target, index) => {
        const columns = written.get(target.name)?.names ?? labelColumns(label);
        return { ...targetField(target, index, { model, source }), columns };
      }),
    ];
  }
  const target = tuples ? undefined : numericTarget(model);
  const name = targets[0]?.name ?? "label";
  const columns = labelColumns(label);
  const field: TableField = target
    ? { ...numbersField(target, 0, model), columns }
    : { name, role: "target", holds: "class", columns, size: 1 };
  const [input] = inputs;
  if (!input) return [field];
  if (files !== undefined) return [fileField(input, files), field];
  return [scaledField(inputField(input, false), input, standardize), field];
}

/** The column that names the files of an input's images. */
const fileField = ({ name }: AnalyzedInput, column: string): TableField => {
  return { name, role: "input", holds: "file", columns: [column], size: 1 };
};

/** An image that is the one input may come in another size, which transforms change. */
function inputField(
  { name, shape, isSignal, vocabulary }: AnalyzedInput,
  isSized: boolean,
): TableField {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const field = { name, role: "input" } as const;
  if (vocabulary !== undefined) return { ...field, holds: "integers", size, count: vocabulary };
  if (shape.length !== 3 || isSignal) return { ...field, holds: "numbers", size };
  return isSized ? { ...field, holds: "pixels", size } : { ...field, holds: "pixels" };
}

/** Numbers of an input with how they are standardized, if they are. */
function scaledField(
  field: TableField,
  { shape, isSignal }: AnalyzedInput,
  standardize: CsvSource["standardize"],
): TableField {
  if (!standardize || field.holds !== "numbers") return field;
  const isLast = shape.length === 2 && !isSignal;
  const channels = shape[isLast ? 1 : 0]!;
  const columns = standardize === true ? {} : { columns: standardize };
  return { ...field, standardize: { ...columns, channels, isLast } };
}

/** Checks that a table of image files feeds a model of one image, and says no more of pixels. */
export function checkFiles(
  { call, source, columns }: Pick<ReadSplit, "call" | "source"> & Pick<WrittenTable, "columns">,
  model: AnalyzedModel,
  { reporter }: Environment,
): void {
  if (source.kind !== "csv" || source.files === undefined) return;
  const spanOf = (name: string) => call.arguments.find((given) => given.name?.name === name)?.span;
  const report = (message: string, span: Span | undefined, note: string, related: Related = []) =>
    reporter.report("NET3027", { message, span: span ?? call.span, related, notes: [note] });
  const [input, ...others] = givenInputs(model);
  const isImage = input?.shape.length === 3 && !input.isSignal && input.vocabulary === undefined;
  // The pictures of tuples are drawn from one column.
  const isOne = others.length === 0 || source.tuples !== undefined;
  if (!input || !isOne || !isImage) {
    const what = input && !isImage ? `\`${input.name}\`, which is not an image` : "several inputs";
    report(
      `\`files\` names images, but model \`${model.name}\` reads ${what}`,
      spanOf("files"),
      "images are `f32[N, channels, height, width]`; other inputs are in the columns of a table",
      input && [{ span: input.span, message: "the input" }],
    );
    return;
  }
  const own = columns.get(input.name);
  if (own) {
    report(
      `the images of \`${input.name}\` are in files, and \`csv\` also names columns for it`,
      own.span,
      `leave \`${input.name}\` out, or \`files\` where the columns hold pixels`,
    );
  }
  const maximum = spanOf("maximum");
  if (maximum) {
    report(
      "`maximum` is of pixels in the rows of a table, and these are in files",
      maximum,
      "leave it out: pixels of image files come to 0..1",
    );
  }
}

/** Checks that there is something to standardize, which is not scaled in another way, too. */
export function checkStandardizing(
  { call, source, uses }: ReadSplit,
  { reporter }: Environment,
): void {
  if (source.kind !== "csv" || !source.standardize) return;
  const span = call.arguments.find(({ name }) => name?.name === "standardize")?.span ?? call.span;
  const report = (message: string, note: string, related: Related = []) =>
    reporter.report("NET3027", { message, span, notes: [note], related });
  if (!source.fields?.some(({ standardize }) => standardize)) {
    report(
      "`standardize` is for inputs of numbers, which the model does not have",
      "pixels are divided by `maximum` and can be normalized; tokens are whole numbers",
    );
  }
  const normalize = uses.find(({ transform }) => transform.kind === "normalize");
  if (!normalize) return;
  report(
    "`standardize` and `normalize` both change the mean and deviation",
    "leave one of them out",
    [{ span: normalize.call.span, message: "changes them again" }],
  );
}

/** Reports a table to evaluate on that would be read as another one than that to train on. */
export function compareTables(
  train: ReadTable,
  evaluated: ReadTable,
  { reporter }: Environment,
): void {
  const [own, other] = [train, evaluated].map(({ source }) =>
    source.kind === "csv" ? source : undefined,
  );
  if (!own || !other) return;
  const report = (message: string, note: string) =>
    reporter.report("NET3027", {
      message,
      span: evaluated.call.span,
      related: [{ span: train.call.span, message: "what is trained on" }],
      notes: [note],
    });
  if (JSON.stringify(own.standardize ?? false) !== JSON.stringify(other.standardize ?? false)) {
    report(
      "the `train` and `eval` splits do not standardize the same columns",
      "write the same `standardize` in both: the means are those of what is trained on",
    );
  }
  const differing = [...evaluated.columns].find(
    ([name, { names }]) => String(names) !== String(train.columns.get(name)?.names),
  );
  if (!differing) return;
  report(
    `the \`train\` and \`eval\` splits give \`${differing[0]}\` different columns`,
    "name the same columns in both: they are found by name, in whatever order a file has them",
  );
}

type ReadTable = Pick<ReadSplit, "call" | "source"> & Pick<WrittenTable, "columns">;

/** Numbers of a target; from 0 to 1 where a loss takes logits of them. */
function numbersField(target: NetworkPort, index: number, { network }: AnalyzedModel): TableField {
  const { name } = target;
  const field = { name, role: "target", holds: "numbers", size: numbersOf(target) } as const;
  const isShare = network!.losses.some(
    ({ score }) =>
      isOfTags(score) && score.target?.from === "target" && score.target.index === index,
  );
  return isShare ? { ...field, isShare } : field;
}

/** A number for each place of a target, or one class; those of several count themselves. */
function targetField(
  target: NetworkPort,
  index: number,
  { model, source }: { readonly model: AnalyzedModel; readonly source: CsvSource },
): TableField {
  if (target.type.dtype === "f32") return numbersField(target, index, model);
  const { network } = model;
  const field = { name: target.name, role: "target", size: numbersOf(target) } as const;
  const count = classesOfTarget(network!, index);
  if (isDense(target.type)) {
    const ignore = ignoredLabel(network!, index);
    const says = network!.targets.length === 1 ? source.classes : undefined;
    return { ...field, holds: "integers", count, ignore, says };
  }
  return network!.targets.length > 1
    ? { ...field, holds: "class", count }
    : { ...field, holds: "class" };
}

/** Checks that columns are said for each input and target, as many as it has numbers, each once. */
export function checkFields(
  { call, source, columns }: WrittenTable,
  model: AnalyzedModel,
  { reporter }: Environment,
): void {
  const inputs = givenInputs(model);
  const targets = model.network?.targets ?? [];
  const report = (message: string, span: Span, notes: readonly string[], related: Related = []) =>
    reporter.report("NET3027", { message, span, notes, related });
  const label = call.arguments.find(({ name }) => name?.name === "label");
  const silent = inputs.filter(({ name }) => !columns.has(name));
  const needsColumns = (target: NetworkPort) =>
    targets.length > 1 ||
    (isOfTokens(target.type) && labelColumns(source.label).length !== numbersOf(target));
  const unsaid = targets.filter((target) => !columns.has(target.name) && needsColumns(target));
  // A target of this name is given its columns in the same way.
  const lacking = unsaid.filter(({ name }) => name !== "label" || !label);
  if (silent.length > 1 || lacking.length > 0) {
    const names = [...(silent.length > 1 ? silent : []), ...lacking].map(({ name }) => name);
    report(`\`csv\` does not say which columns hold ${listNames(names)}`, call.span, [
      `name them: \`csv("table.csv", ${names[0]}=["first", "second"])\`, ` +
        `or by a pattern, \`${names[0]}="x*"\``,
      "one input may go without: it has all columns that nothing else names",
    ]);
  }
  // Of a model with errors, nothing is known of its targets.
  if (label && model.network && !targets.some(({ name }) => name === "label")) {
    const [target, ...others] = targets;
    const own = target && columns.get(target.name);
    if (!target || others.length > 0 || own) {
      report(
        target
          ? "`label` names columns, but those of " +
              `${listNames(targets.map(({ name }) => name))} are given by name`
          : "`label` names columns of a target, and the model has none",
        label.span,
        ["leave `label` out: a target's columns are given by its name"],
      );
    }
  }
  for (const { name, size, holds, columns: named } of fieldsOf({ source, columns }, model)) {
    const written = columns.get(name);
    if (!written || size === undefined || written.names.some((each) => each.includes("*")))
      continue;
    if (typeof named === "string" || named?.length === size) continue;
    const port = [...inputs, ...targets].find((each) => each.name === name)!;
    report(
      `\`${name}\` has ${plural(size, holds === "class" ? "class" : "number")} an example, ` +
        `but \`csv\` names ${plural(written.names.length, "column")} for it`,
      written.span,
      ['name a column for each number, in the order of the shape; `"x*"` names all that match'],
      [{ span: "span" in port ? port.span : port.origin.span, message: `\`${name}\`` }],
    );
  }
  reportShared(columns, report);
}

type Related = readonly { readonly span: Span; readonly message: string }[];

function reportShared(
  columns: WrittenTable["columns"],
  report: (message: string, span: Span, notes: readonly string[], related: Related) => unknown,
): void {
  const holders = new Map<string, readonly [string, WrittenColumns]>();
  for (const [name, written] of columns) {
    for (const column of written.names) {
      const before = holders.get(column);
      holders.set(column, [name, written]);
      if (!before) continue;
      report(
        `the column "${column}" holds \`${before[0]}\` and \`${name}\``,
        written.span,
        ["each column holds one input or target"],
        [{ span: before[1].span, message: `holds \`${before[0]}\`` }],
      );
    }
  }
}
