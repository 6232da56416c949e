/** The weights of the layers of a Keras model, whatever file they come from. */
import type { ForeignTensor } from "../foreign-graph.js";
import { RefusedLayer } from "../graph-writer.js";

export interface KerasWeight {
  /** Its own name, `kernel` or `moving_mean`; files of Keras 3 have none. */
  readonly name?: string;
  readonly shape: readonly number[];
  read(): ForeignTensor;
}

/** The weights of a layer: `path` has the names of the models that it is within, then its own. */
export type KerasWeights = (path: readonly string[]) => readonly KerasWeight[];

/** Other names that a weight has had. */
const ALSO: Readonly<Record<string, string>> = { depthwise_kernel: "kernel" };

/**
 * Tensors in the order of `wanted`: by name where the file has names, else by position. Throws a
 * RefusedLayer where some are missing or left over.
 */
export function pickWeights(
  given: readonly KerasWeight[],
  wanted: readonly string[],
): readonly ForeignTensor[] {
  const named = wanted.map((name) => {
    return (
      given.find((each) => each.name === name) ?? given.find((each) => each.name === ALSO[name])
    );
  });
  const isNamed = given.some(({ name }) => name !== undefined);
  const found = isNamed ? named : given;
  if (given.length === wanted.length && found.every((each) => each !== undefined)) {
    return found.map((each) => each.read());
  }
  const has = given.map(({ name, shape }) => `${name ?? "weight"} [${shape.join(", ")}]`);
  throw new RefusedLayer(
    `it needs ${wanted.join(", ") || "no weights"}, and the file has ${has.join(", ") || "none"}`,
  );
}
