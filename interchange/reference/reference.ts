import type { Attributes } from "../attributes.js";
import type { ForeignTensor } from "../foreign-graph.js";

/** What a node's reference is given. */
export interface ReferenceCall {
  readonly inputs: readonly (ForeignTensor | undefined)[];
  readonly attributes: Attributes;
  /** How many outputs the node names. */
  readonly outputs: number;
}

/** What an operator makes of its inputs, in plain loops. */
export type Reference = (call: ReferenceCall) => ForeignTensor | readonly ForeignTensor[];
