import type { CallExpression } from "../../../grammar/ast.js";
import type { DataSource } from "../../../program/recipe.js";
import type { AnalyzedInput, AnalyzedModel } from "../analysis.js";
import type { Environment } from "../../calls/environment.js";
import { checkNormalize, type TransformUse } from "./image-flow.js";

/** A split with its source and transforms as written. */
export interface ReadSplit {
  readonly call: CallExpression;
  readonly source: DataSource;
  readonly uses: readonly TransformUse[];
}

/** Whether a model reads rows of numbers, `f32[N, 4]`, or signals, which rows of numbers hold. */
export function isOfFeatures({ input }: AnalyzedModel): boolean {
  return input?.shape.length === 1 || input?.isSignal === true;
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
  const [channels] = shape as [number];
  const features = countOf(input!);
  if (vocabulary !== undefined) {
    checkTokens({ call, source, uses }, { tokens: features, span }, environment);
    return;
  }
  if (source.kind !== "csv") {
    environment.reporter.report("NET3064", {
      message:
        `\`${call.callee.name}\` holds images, ` + `but the model's input is ${shapeText(input!)}`,
      span: call.span,
      related: [{ span, message: `${features} numbers for each example` }],
      notes: ["`csv` holds rows of numbers with a label; images need [N, channels, height, width]"],
    });
    return;
  }
  for (const use of uses) {
    if (use.transform.kind === "normalize") {
      const noun = input!.isSignal ? "channels" : "features";
      const rows = { channels, span, noun } as const;
      checkNormalize(use, use.transform, rows, environment);
    } else reportImageTransform(use, input!, environment);
  }
}

function reportImageTransform(
  { call }: TransformUse,
  input: AnalyzedInput,
  { reporter }: Environment,
): void {
  const noun = input.isSignal ? "channels" : "features";
  reporter.report("NET3064", {
    message: `\`${call.callee.name}\` changes images, but the model's input is ${shapeText(input)}`,
    span: call.span,
    related: [{ span: input.span, message: `${countOf(input)} numbers for each example` }],
    notes: [`${noun} can be normalized: \`normalize(mean=[...], std=[...])\`, a number for each`],
  });
}

const countOf = ({ shape }: AnalyzedInput): number => shape.reduce((n, size) => n * size, 1);

const shapeText = ({ shape, isSignal, sizes }: AnalyzedInput): string =>
  `[${["N", ...(sizes ?? (isSignal ? shape.toSpliced(1, 1) : shape))].join(", ")}]`;

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
