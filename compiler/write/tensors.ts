/** What crosses the border in a call, as a program describes it. */
import {
  type ClassTotal,
  type ProgramSum,
  type ProgramTensor,
  type TensorRole,
} from "../../program/program.js";
import { isSequence } from "../ir/shape.js";
import { indexOfTotal, type Graph, type Port } from "../ir/graph.js";
import { predictionPitch } from "../plan/persistent.js";

const IMAGE_AXES = ["channel", "row", "column"] as const;
const SEQUENCE_AXES = ["column", "channel"] as const;

export function describeTensor(
  { name, role, value, classes, gives }: Port,
  options: { readonly classes?: number },
  buffer: number,
): ProgramTensor {
  const shape = value.shape.slice(1).map(Number);
  const isLabels = role === "target" && value.type === "u32";
  const count = isLabels ? (classes ?? options.classes) : undefined;
  return {
    name,
    role: role as TensorRole,
    dtype: value.type,
    shape,
    axes: isSequence(value.shape) ? SEQUENCE_AXES : IMAGE_AXES.slice(0, shape.length),
    buffer,
    pitch: role === "prediction" ? predictionPitch(value.shape) : undefined,
    classes: count !== undefined ? { count } : undefined,
    gives,
  };
}

/** Sums over the examples of a call: no axis of it is an example's. */
export const metricsTensor = (buffer: number): ProgramTensor => {
  return { name: "metrics", role: "metrics", dtype: "f32", shape: [], axes: [], buffer };
};

/** What a graph's metrics are made of, in the order of `batchSums`. */
export function sumsOf({ metrics }: Graph, totals: readonly ClassTotal[]): readonly ProgramSum[] {
  return metrics.flatMap(({ name: metric, terms }) =>
    terms.map(({ factor, over }) =>
      over
        ? { metric, factor, mean: "class weights", total: indexOfTotal(totals, over) }
        : { metric, factor, mean: "examples" },
    ),
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
