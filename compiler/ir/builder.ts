import type { AnyNode, OpAttributes, OpKind, Parameter, Value } from "./graph.js";
import type { Origin } from "./origin.js";
import type { Shape } from "./shape.js";

/**
 * Where layers and gradients put what they add to a graph; `GraphBuilder` of ops/ is the one that
 * does.
 */
export interface Builder {
  /** Adds a node and returns its outputs. */
  addAll<Kind extends OpKind>(
    kind: Kind,
    inputs: readonly Value[],
    attributes: OpAttributes[Kind],
    origin: Origin,
  ): readonly Value[];

  /** Adds a node and returns its first output. */
  add<Kind extends OpKind>(
    kind: Kind,
    inputs: readonly Value[],
    attributes: OpAttributes[Kind],
    origin: Origin,
  ): Value;

  /** The node that makes a value; undefined for what comes in. */
  makerOf(value: Value): AnyNode | undefined;

  parameter(name: string, shape: Shape, settings: Omit<Parameter, "value">, origin: Origin): Value;
}
