import type { Builder } from "../ir/builder.js";
import type { Node, OpAttributes, OpKind, Value } from "../ir/graph.js";
import type { Shape } from "../ir/shape.js";

export interface TensorType {
  readonly shape: Shape;
  readonly type: "f32" | "u32";
}

/** A tensor on the CPU: row-major in its logical shape, the batch axis replaced by a number. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Uint32Array;
}

/** What a reference needs to know in addition to its inputs. */
export interface ReferenceContext {
  readonly seed: number;
  readonly step: number;
  readonly training: boolean;
  /** Examples, where an op's inputs do not tell. */
  readonly batch?: number;
  readonly optimizer: import("../../program/program.js").OptimizerSettings;
}

/**
 * A primitive: what it computes, and nothing about machines (how it runs on a GPU is decided in
 * lower/). One file an op, all alike; ops/index.ts is the registry, a record typed by OpKind, so
 * that a missing op does not compile.
 */
export interface OpDefinition<Kind extends OpKind> {
  /**
   * Whether the reference reads and makes sequences as they are, `[N, T, C]`. The references of
   * other ops see them as images with one row.
   */
  readonly keepsOrder?: true;

  /** Shapes and types of the outputs. Throws on inputs that no pass should produce. */
  outputs(inputs: readonly Value[], attributes: OpAttributes[Kind]): readonly TensorType[];

  /**
   * The gradient as a graph: given the gradients of the node's outputs (undefined where nothing
   * depends on one), adds nodes to the builder and returns the gradient of each input, undefined
   * where there is none. `wanted[i]` is false where nothing reads input i's gradient: add no nodes
   * for it. Absent for ops that have none.
   */
  gradient?(
    builder: Builder,
    node: Node<Kind>,
    outputGradients: readonly (Value | undefined)[],
    wanted: readonly boolean[],
  ): readonly (Value | undefined)[];

  /**
   * Plain loops on the CPU, the oracle of every test. Returns double precision: `runNode` rounds
   * what a kernel would store, and applies what is fused.
   */
  reference(
    inputs: readonly Tensor[],
    attributes: OpAttributes[Kind],
    context: ReferenceContext,
    outputs: readonly TensorType[],
  ): readonly Tensor[];
}
