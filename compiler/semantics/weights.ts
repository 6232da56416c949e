/** `parameter positions: f32[197, 768] init normal(0.02)`. */
import type { Weight } from "../../grammar/ast.js";
import { describeConstant } from "../calls/constant.js";
import type { Environment } from "../calls/environment.js";
import { evaluate } from "../calls/evaluate.js";
import type { ArgumentReader } from "../calls/signature.js";
import { BATCH, MOST_AXES, type Shape } from "../ir/shape.js";
import { initializer } from "../layers/initializers.js";
import { inferShape } from "../layers/infer.js";
import { parameter } from "../layers/parameter.js";
import type { NamingHost } from "./naming-host.js";
import type { Place } from "./place.js";
import { Trail } from "./trail.js";

/** What the declaration of a parameter needs of the reader of a network. */
interface WeightHost extends NamingHost {
  hasFailed: boolean;
}

/** A value under a name, from which layers can start. The current value stays. */
export function readWeight(host: WeightHost, weight: Weight, place: Place): void {
  const { name, span } = weight;
  const before = host.current;
  const full = host.nameAt(place, parameter.name, name, span);
  const values = readValues(weight, place.environment);
  const shape = values && inferShape({ definition: parameter, values, others: [] }, NOTHING);
  if (!shape) host.hasFailed = true;
  const trail = shape && Trail.from({ shape, span, size: weight.type.dimensions[0]?.span });
  host.current = { index: -1, call: undefined, shape, trail };
  const resolved = values && { definition: parameter, values };
  host.list({ name: full, kind: parameter.name, resolved, span, inputs: [], place });
  const named = { name: full, layer: parameter.name, span, call: undefined, before };
  host.nameValue(named, name, place);
  host.current = before;
}

const NOTHING: Shape = [BATCH, 1];

function readValues(weight: Weight, environment: Environment) {
  const shape = readSizes(weight, environment);
  const init = weight.init && initializer().read(weight.init, readerOf(environment));
  if (!shape || (weight.init && !init)) return undefined;
  return { shape, init };
}

function readerOf(environment: Environment): ArgumentReader {
  return { ...environment, subject: "`init`" };
}

/** The sizes; undefined after a report. */
function readSizes({ type }: Weight, environment: Environment): Shape | undefined {
  const { element, dimensions, span } = type;
  const { reporter } = environment;
  if (element.name !== "f32") {
    return reporter.report("NET2030", {
      message: `a parameter holds \`f32\`, not \`${element.name}\``,
      span: element.span,
      fixes: [{ title: "write `f32`", edits: [{ span: element.span, newText: "f32" }] }],
    });
  }
  const [first, second] = dimensions;
  if (first?.kind === "name" && first.name === BATCH) {
    const rest = second && { ...first.span, end: second.span.start };
    return reporter.report("NET2030", {
      message: "a parameter has no batch axis: it is the same for each example",
      span: first.span,
      fixes: rest ? [{ title: "drop `N`", edits: [{ span: rest, newText: "" }] }] : [],
    });
  }
  if (dimensions.length < 1 || dimensions.length > MOST_AXES) {
    return reporter.report("NET2030", {
      message: `a parameter has 1 to ${MOST_AXES} axes, not ${dimensions.length}`,
      span,
      notes: ["the batch is not counted: `f32[197, 768]` gives [N, 197, 768]"],
    });
  }
  const sizes = dimensions.map((dimension) => {
    const constant = evaluate(dimension, environment);
    if (!constant) return undefined;
    if (constant.kind === "integer" && constant.value >= 1) return constant.value;
    return reporter.report("NET2030", {
      message: `a size must be an integer of at least 1, not ${describeConstant(constant)}`,
      span: dimension.span,
    });
  });
  return sizes.every((size) => size !== undefined) ? sizes : undefined;
}
