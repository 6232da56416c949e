/** What crosses the border in a call, as a program describes it. */
import {
  type Axis,
  type ClassTotal,
  type ProgramSum,
  type ProgramTensor,
  type TensorRole,
} from "../../program/program.js";
import { isSequence } from "../ir/shape.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import {
  indexOfTotal,
  isByClass,
  scoreTerms,
  sumsOfValue,
  type Graph,
  type Port,
  type Value,
} from "../ir/graph.js";
import { predictionPitch } from "../plan/persistent.js";

const IMAGE_AXES = ["channel", "row", "column"] as const;
const MASK_AXES = ["row", "column"] as const;
const SEQUENCE_AXES = ["column", "channel"] as const;
const TOKEN_AXES = ["column"] as const;

export function describeTensor(
  { name, role, value, isSignal, sizes, classes, ignore, boxClasses, distribution, gives }: Port,
  options: { readonly classes?: number; readonly predictOnly?: boolean },
  buffer: number,
): ProgramTensor {
  const shape = value.shape.slice(1).map(Number);
  const isLabels = role === "target" && value.type === "u32";
  // Of an input, the different tokens.
  const count = isLabels ? (classes ?? options.classes) : classes;
  return {
    name,
    role: distribution && !options.predictOnly ? "noise" : (role as TensorRole),
    dtype: value.type,
    shape,
    axes: axesOf(value),
    isSignal,
    sizes,
    buffer,
    pitch: role === "prediction" ? predictionPitch(value.shape) : undefined,
    classes: count !== undefined ? { count, ...withoutUndefined({ ignore }) } : undefined,
    boxClasses,
    distribution,
    gives,
  };
}

function axesOf({ shape, type }: Value): readonly Axis[] {
  if (type === "u32") {
    return shape.length <= 2 ? TOKEN_AXES.slice(0, shape.length - 1) : MASK_AXES;
  }
  return isSequence(shape) ? SEQUENCE_AXES : IMAGE_AXES.slice(0, shape.length - 1);
}

/** Sums over the examples of a call: no axis of it is an example's. */
export const metricsTensor = (buffer: number): ProgramTensor => {
  return { name: "metrics", role: "metrics", dtype: "f32", shape: [], axes: [], buffer };
};

/** What a graph's metrics are made of, in the order of `batchSums`. */
export function sumsOf(graph: Graph, totals: readonly ClassTotal[]): readonly ProgramSum[] {
  const sums: ProgramSum[] = [];
  for (const { score, term } of scoreTerms(graph)) {
    const { factor, over, without } = term;
    const metric = score.name;
    if (isByClass(term))
      sums.push(...sumsByClass(metric, sums.length, { count: sumsOfValue(term.value), without }));
    else if (over)
      sums.push({
        metric,
        factor,
        mean: "class weights",
        total: indexOfTotal(totals, over),
        isExponential: score.isExponential,
      });
    else sums.push({ metric, factor, mean: "examples" });
  }
  return sums;
}

/**
 * Overlaps, each divided by the union that comes as many sums later as there are classes. The class
 * that counts in no score has no overlap: divided by that, it is in no mean.
 */
function sumsByClass(
  metric: string,
  start: number,
  { count, without }: { readonly count: number; readonly without: number | undefined },
): readonly ProgramSum[] {
  const classes = count / 2;
  return Array.from({ length: count }, (_, place): ProgramSum =>
    place < classes
      ? {
          metric,
          factor: 1,
          mean: "union",
          over: start + place + (place === without ? 0 : classes),
        }
      : { metric, factor: 0, mean: "examples" },
  );
}

/** How many of the largest logits each accuracy counts. */
export function accuraciesOf({ metrics, nodes }: Graph): Readonly<Record<string, number>> {
  const entries = metrics.flatMap(({ name, terms }) => {
    const node = nodes.find(({ outputs }) => outputs.includes(terms[0]!.value));
    return node?.kind === "accuracy" ? [[name, node.attributes.k] as const] : [];
  });
  return Object.fromEntries(entries);
}
