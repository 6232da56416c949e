import type { CallExpression, Span } from "../../grammar/ast.js";
import type { DiagnosticCode } from "../diagnostics/catalogue/index.js";
import type { Edit, Fix, Label } from "../diagnostics/diagnostic.js";
import { isRefusal, type LayerCall } from "../layers/infer.js";
import type { InferenceContext, LayerProblem } from "../layers/layer.js";
import { insertAt, removeArgument, setArgument } from "../calls/edits.js";
import type { Reporter } from "../calls/reporter.js";
import type { Bound } from "../calls/signature.js";
import type { NetworkValue, ResolvedLayer } from "../network/resolved.js";
import type { Shape } from "../ir/shape.js";
import type { Place } from "./place.js";
import { explainAxis, inputsWhere, lastImage, type Trail } from "./trail.js";

/** A layer as a spec writes it. */
export interface LayerUse extends LayerCall {
  readonly call: CallExpression;
  readonly spans: Bound["spans"];
  /** The last part of its full name. */
  readonly shortName: string;
  /** Where its inputs come from, if that says more of a mistake than the way to the first one. */
  readonly related?: readonly Label[];
  /** How the other values that it reads came about. */
  readonly otherTrails?: readonly (Trail | undefined)[];
}

/** A layer to be listed. */
export interface NewLayer {
  readonly name: string;
  readonly kind: string;
  /** Undefined where a mistake hides what it does. */
  readonly resolved: Pick<ResolvedLayer, "definition" | "values"> | undefined;
  readonly span: Span;
  readonly inputs: readonly NetworkValue[];
  /** The shape that it is applied to, where it is known. */
  readonly receives?: Shape | undefined;
  readonly place: Place;
}

/** What the shape rule of a layer in a spec sees: it reports with the spec's places. */
export function reportingContext(
  use: LayerUse,
  trail: Trail,
  reporter: Reporter,
): InferenceContext & { readonly hasReported: boolean } {
  const { call, definition, shortName } = use;
  let hasReported = false;
  return {
    title: `${definition.name} \`${shortName}\``,
    get lastImage() {
      return lastImage(trail);
    },
    others: use.others,
    makers: use.makers ?? [],
    vocabulary: use.vocabulary,
    get hasReported() {
      return hasReported;
    },
    report(code: DiagnosticCode, problem: LayerProblem) {
      hasReported ||= isRefusal(code);
      return reporter.report(code, {
        ...problem,
        span: (problem.at && use.spans.get(problem.at)) || call.span,
        related: use.related ?? (problem.axis ? explainAxis(trail, problem.axis) : []),
        fixes: problem.fixes?.filter((fix) => fix !== undefined),
      });
    },
    inputsWhere: (test) => inputsWhere(trail, test),
    removeArgument: (name, title) => fix(title, removeArgument(call, name)),
    replaceArgument: (name, text, title) => fix(title, replaceEdit(use.spans.get(name), text)),
    setArgument: (name, text, title) => fix(title, setArgument(call, name, text)),
    insertBefore: (text, title, layer) => fix(title, insertEdit(use, trail, text, layer)),
    addAxes: (counts, title) => axesFix(title, counts, [trail, ...(use.otherTrails ?? [])]),
    declareSignal: () => fix("declare the input as a signal", signalEdit(trail)),
  };
}

function fix(title: string, edit: Edit | undefined): Fix | undefined {
  return edit && { title, edits: [edit] };
}

/** `f32[16, 18]` becomes `f32[1, 1, 16, 18]`, where these values are parameters. */
function axesFix(
  title: string,
  counts: readonly number[],
  trails: readonly (Trail | undefined)[],
): Fix | undefined {
  const edits = counts.map((count, index) => {
    const trail = trails[index];
    const size = trail?.last ? undefined : trail?.start.size;
    return count === 0 || !size ? undefined : insertAt(size, "1, ".repeat(count));
  });
  const isWhole = counts.every((count, index) => count === 0 || edits[index]);
  return isWhole ? { title, edits: edits.filter((edit) => edit !== undefined) } : undefined;
}

/** `f32[N, 2, 1000]` becomes `signal[N, 2, 1000]`, where nothing before the layer changed it. */
function signalEdit({ start, last }: Trail): Edit | undefined {
  return start.element && !last ? { span: start.element, newText: "signal" } : undefined;
}

function replaceEdit(span: Span | undefined, newText: string): Edit | undefined {
  return span && { span, newText };
}

function insertEdit(
  { call }: LayerUse,
  trail: Trail,
  text: string,
  layer: string | undefined,
): Edit | undefined {
  if (!layer) return insertAt(call.span, text);
  const step = trail.findLast((each) => each.layer === layer);
  return step && insertAt(step.span, text);
}
