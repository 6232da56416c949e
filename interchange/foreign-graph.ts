import type { ForeignTraining } from "./foreign-training.js";

/**
 * A model of another tool as its file says it, before anything is rewritten. Every format is read
 * into this one form, so that formats share what follows: folding of constants, recognition of
 * patterns, the mapping to layers, and the reference in plain loops.
 *
 * Operators are those of ONNX with the meaning that opset 17 gives them, because ONNX specifies
 * them most exactly: activations are `[N, C, H, W]` or `[N, F]`, pads are
 * `[top, left, bottom, right]`, and weights of `Conv` are `[out, in/groups, kh, kw]`. A reader of a
 * format with channels last makes its images `[N, C, H, W]`, and says with `Transpose` where the
 * order of channels shows: before a `Flatten`, and after a `Reshape` to an image.
 */
export interface ForeignGraph {
  /** What the file calls the model; may be empty. */
  readonly name: string;
  /** The format, its version and the tool, for the report: `ONNX, opset 9, by paddle2onnx`. */
  readonly source: string;
  /** What comes in, weights not among them. */
  readonly inputs: readonly ForeignInput[];
  /** Names of values. */
  readonly outputs: readonly string[];
  /** Every node comes after those that it reads. */
  readonly nodes: readonly ForeignNode[];
  /** Weights and other constants, by the name of the value. */
  readonly constants: ReadonlyMap<string, ForeignTensor>;
  /**
   * What the reader chose, or what the file says in addition to the network: comments in the spec.
   */
  readonly remarks?: readonly string[];
  /** How the model was trained, where its files say it. */
  readonly training?: ForeignTraining;
}

export interface ForeignInput {
  readonly name: string;
  /** Batch axis first; undefined where the file leaves a size open. */
  readonly shape: readonly (number | undefined)[];
  /** Whether it holds integers. */
  readonly integers?: true;
}

export interface ForeignNode {
  /** One of the shared set, see `operators/index.ts`; any other has no counterpart. */
  readonly operator: string;
  /** What the file calls the operator, where that is another name: `Conv2D`, `InnerProduct`. */
  readonly calledThere?: string;
  /** The node's own name; may be empty. */
  readonly name: string;
  /** Where it is, for messages: `node 12`, `deploy.prototxt:40`. */
  readonly place: string;
  /** The file's layer that it was written for, where a layer may become several nodes. */
  readonly layer?: string;
  /** Names of values; undefined for an optional input that is left out. */
  readonly inputs: readonly (string | undefined)[];
  readonly outputs: readonly string[];
  readonly attributes: ForeignAttributes;
}

export type ForeignAttribute =
  number | string | readonly number[] | readonly string[] | ForeignTensor;
export type ForeignAttributes = Readonly<Record<string, ForeignAttribute>>;

/** A constant. Integers and truth values are exact up to 2^53. */
export interface ForeignTensor {
  readonly kind: "float" | "int" | "bool";
  /** Empty for a scalar. */
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

/** `Conv \`conv1\` (node 12)`. */
export function describeNode({ operator, calledThere, name, place }: ForeignNode): string {
  const title = name === "" ? "" : ` \`${name}\``;
  return `${calledThere ?? operator}${title} (${place})`;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export function isTensor(attribute: ForeignAttribute | undefined): attribute is ForeignTensor {
  return typeof attribute === "object" && "values" in attribute && "kind" in attribute;
}
