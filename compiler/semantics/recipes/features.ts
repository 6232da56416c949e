import type { CallExpression } from "../../../grammar/ast.js";
import type { DataSource } from "../../../program/recipe.js";
import type { AnalyzedModel } from "../analysis.js";
import type { Environment } from "../../calls/environment.js";
import { checkNormalize, type TransformUse } from "./image-flow.js";

/** A split with its source and transforms as written. */
export interface ReadSplit {
  readonly call: CallExpression;
  readonly source: DataSource;
  readonly uses: readonly TransformUse[];
}

/** Whether a model reads rows of numbers, `f32[N, 4]`. */
export function isOfFeatures({ input }: AnalyzedModel): boolean {
  return input?.shape.length === 1;
}

/**
 * Checks that a split gives rows of numbers, and that nothing is done to them that needs images.
 */
export function checkFeatures(
  { call, source, uses }: ReadSplit,
  { input }: AnalyzedModel,
  environment: Environment,
): void {
  const { span, shape, vocabulary } = input!;
  const features = shape[0]!;
  if (vocabulary !== undefined) {
    checkTokens({ call, source, uses }, { tokens: features, span }, environment);
    return;
  }
  if (source.kind !== "csv") {
    environment.reporter.report("NET3064", {
      message: `\`${call.callee.name}\` holds images, but the model's input is [N, ${features}]`,
      span: call.span,
      related: [{ span, message: `${features} numbers for each example` }],
      notes: ["`csv` holds rows of numbers with a label; images need [N, channels, height, width]"],
    });
    return;
  }
  for (const use of uses) {
    if (use.transform.kind === "normalize") {
      const rows = { channels: features, span, noun: "features" } as const;
      checkNormalize(use, use.transform, rows, environment);
    } else reportImageTransform(use, { features, span }, environment);
  }
}

function reportImageTransform(
  { call }: TransformUse,
  { features, span }: { readonly features: number; readonly span: CallExpression["span"] },
  { reporter }: Environment,
): void {
  reporter.report("NET3064", {
    message: `\`${call.callee.name}\` changes images, but the model's input is [N, ${features}]`,
    span: call.span,
    related: [{ span, message: `${features} numbers for each example` }],
    notes: ["features can be normalized: `normalize(mean=[...], std=[...])`, a number for each"],
  });
}

/** Tokens come from a table as they are: what changes numbers makes other tokens of them. */
function checkTokens(
  { call, source, uses }: ReadSplit,
  { tokens, span }: { readonly tokens: number; readonly span: CallExpression["span"] },
  { reporter }: Environment,
): void {
  const related = [{ span, message: `${tokens} tokens for each example` }];
  const report = (message: string, at: CallExpression["span"], note: string) =>
    reporter.report("NET3064", { message, span: at, related, notes: [note] });
  const tables = "`csv` holds rows of whole numbers with a label";
  if (source.kind !== "csv") {
    report(
      `\`${call.callee.name}\` holds images, but the model's input is tokens`,
      call.span,
      tables,
    );
    return;
  }
  if (source.maximum !== 1) {
    report("`maximum` divides what a table holds, but tokens are whole numbers", call.span, tables);
  }
  for (const use of uses) {
    const { callee, span: at } = use.call;
    report(`\`${callee.name}\` changes numbers, but the model's input is tokens`, at, tables);
  }
}
