import { catalogue, type DiagnosticCode } from "../diagnostics/catalogue/index.js";
import { asSignal, byLastAxis, formatShape, isSignal, isWide, type Shape } from "../ir/shape.js";
import type { CallValues } from "../calls/signature.js";
import type { InferenceContext, LayerDefinition, LayerProblem, MadeBy } from "./layer.js";
import { takesWide, wideNotes } from "./wide-layers.js";

/** A layer as its shape rule sees it. */
export interface LayerCall {
  readonly definition: LayerDefinition;
  readonly values: CallValues;
  /** Shapes of the other values that it reads. */
  readonly others: readonly Shape[];
  /** What makes each of them, where it is known. */
  readonly makers?: readonly (MadeBy | undefined)[];
  /** Of an input of tokens: how many different ones there are. */
  readonly vocabulary?: number | undefined;
}

/** Whether a report says that the layer cannot be; a warning says that it can. */
export const isRefusal = (code: DiagnosticCode) => catalogue[code].severity !== "warning";

/**
 * The layer's output by its shape rule. Rules see a signal as an image of one row and know nothing
 * else of it: what they make of one is a signal again.
 */
export function inferOutput(
  { definition, values }: Pick<LayerCall, "definition" | "values">,
  input: Shape,
  context: InferenceContext,
): Shape | undefined {
  const shapes = [input, ...context.others];
  const wide = shapes.find(isWide);
  if (wide) return inferWide({ definition, values }, { input, wide }, context);
  const output = definition.infer(input, values, context);
  return output && isSignal(input) && !definition.saysShape ? asSignal(output) : output;
}

/** The output where a value has more axes than an image. */
function inferWide(
  { definition, values }: Pick<LayerCall, "definition" | "values">,
  { input, wide }: { readonly input: Shape; readonly wide: Shape },
  context: InferenceContext,
): Shape | undefined {
  const how = takesWide(definition);
  if (how === "last axis") {
    const output = definition.infer(byLastAxis(input), values, context);
    return output && input.with(-1, output.at(-1)!);
  }
  return how ? definition.infer(input, values, context) : reportWide(wide, context);
}

const reportWide = (wide: Shape, context: InferenceContext): undefined =>
  context.report("NET2054", {
    message: `${context.title} takes values of at most 4 axes but receives ${formatShape(wide)}`,
    label: `has ${wide.length} axes`,
    axis: "rank",
    notes: wideNotes(),
  });

/** The layer's output for an input; undefined where its shape rule refuses that. */
export function inferShape(call: LayerCall, input: Shape): Shape | undefined {
  const { output, problems } = tryShape(call, input);
  return problems.length > 0 ? undefined : output;
}

/** The layer's output for an input, and why its shape rule refuses that. */
export function tryShape(
  call: LayerCall,
  input: Shape,
): { readonly output: Shape | undefined; readonly problems: readonly LayerProblem[] } {
  const { definition, others, makers = [], vocabulary } = call;
  const problems: LayerProblem[] = [];
  const context: InferenceContext = {
    title: definition.name,
    lastImage: undefined,
    others,
    makers,
    vocabulary,
    report(code, problem) {
      if (isRefusal(code)) problems.push(problem);
      return undefined;
    },
    inputsWhere: () => undefined,
    removeArgument: () => undefined,
    replaceArgument: () => undefined,
    setArgument: () => undefined,
    insertBefore: () => undefined,
    addAxes: () => undefined,
    declareSignal: () => undefined,
  };
  return { output: inferOutput(call, input, context), problems };
}
