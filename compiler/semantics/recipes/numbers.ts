/** Data of a model that is trained on numbers (regression): tables, which name their columns. */
import { isMixing } from "../../../program/transforms.js";
import type { CsvSource } from "../../../program/recipe.js";
import type { Environment } from "../../calls/environment.js";
import { plural } from "../../diagnostics/plural.js";
import { isBoxes } from "../../network/facts.js";
import type { NetworkPort } from "../../network/resolved.js";
import type { AnalyzedModel } from "../analysis.js";
import type { ReadSplit } from "./features.js";

/** The one target, where it is numbers other than boxes. */
export function numericTarget({ network }: AnalyzedModel): NetworkPort | undefined {
  const [target, ...others] = network?.targets ?? [];
  const isNumeric = others.length === 0 && target?.type.dtype === "f32" && !isBoxes(target);
  return isNumeric ? target : undefined;
}

/** Numbers of one example. */
export const numbersOf = ({ type }: NetworkPort): number =>
  type.shape.slice(1).reduce<number>((product, extent) => product * Number(extent), 1);

/**
 * Checks that a split gives what a target of numbers needs, or a label where it is one. False after
 * a report.
 */
export function checkNumbers(
  read: ReadSplit,
  model: AnalyzedModel,
  environment: Environment,
): boolean {
  const { call, source } = read;
  const target = numericTarget(model);
  const report = (message: string, note: string, span = call.span) => {
    environment.reporter.report("NET3020", {
      message,
      span,
      related: target ? [{ span: target.origin.span, message: "the target" }] : [],
      notes: [note],
    });
    return false;
  };
  const argument = (name: string) =>
    call.arguments.find((given) => given.name?.name === name)?.value.span;
  if (!target) {
    if (source.kind !== "csv" || columnsOf(source) < 2) return true;
    return report(
      `\`label\` names ${columnsOf(source)} columns, but a class is in one`,
      "several columns hold the numbers of a target such as `target y: f32[N, 2]`",
      argument("label"),
    );
  }
  if (source.kind !== "csv") {
    return report(
      `\`${call.callee.name}\` gives each image a class, ` +
        `but model \`${model.name}\` is trained on the numbers of \`${target.name}\``,
      "`csv` reads numbers to predict, and with `files` the images that its rows name; for other " +
        "data, leave this out, compile the model and call `step(images, targets)`",
    );
  }
  if (source.classes) {
    return report(
      `\`classes\` lists what labels say, but \`${target.name}\` is numbers`,
      "leave `classes` out, or declare `target label: u32[N] in 0..classes`",
      argument("classes"),
    );
  }
  return checkColumns(source, target, report, argument("label")) && checkUses(read, report);
}

type Report = (message: string, note: string, span?: ReadSplit["call"]["span"]) => boolean;

function checkColumns(
  source: CsvSource,
  target: NetworkPort,
  report: Report,
  span: ReadSplit["call"]["span"] | undefined,
): boolean {
  const [needed, named] = [numbersOf(target), columnsOf(source)];
  if (needed === named) return true;
  return report(
    `\`${target.name}\` is ${plural(needed, "number")} an example, ` +
      `but \`label\` says ${plural(named, "column")}`,
    needed === 1
      ? 'name the column that holds it: `label="price"`'
      : 'name all columns, in the order of the target: `label=["x", "y"]`',
    span,
  );
}

/** Neither the mean of two targets nor ten views of one have a loss here. */
function checkUses({ uses }: ReadSplit, report: Report): boolean {
  const use = uses.find(({ transform }) => isMixing(transform) || transform.kind === "ten_crop");
  if (!use) return true;
  return report(
    `\`${use.call.callee.name}\` is for images with classes, not for a target of numbers`,
    "leave it out",
    use.call.span,
  );
}

const columnsOf = ({ label }: CsvSource): number =>
  typeof label === "object" && "columns" in label ? label.columns.length : 1;
