/** Collects the nodes and constants of a foreign graph, and what has no counterpart in it. */
import { ImportError } from "./error.js";
import type {
  ForeignAttributes,
  ForeignGraph,
  ForeignInput,
  ForeignNode,
  ForeignTensor,
} from "./foreign-graph.js";

/** The layer of the file that nodes are being written for. */
export interface NodeOrigin {
  /** What the file calls it: the first node of the layer gets this name. */
  readonly name: string;
  /** Its type in the file: `Conv2D`, `InnerProduct`. */
  readonly type: string;
  /** `layer 3`, `deploy.prototxt:40`. */
  readonly place: string;
}

/** Layers that one message lists. */
const MOST_LISTED = 12;

export class GraphWriter {
  readonly nodes: ForeignNode[] = [];
  readonly constants = new Map<string, ForeignTensor>();
  readonly remarks: string[] = [];
  private readonly refusals: string[] = [];
  private origin: NodeOrigin = { name: "", type: "", place: "" };
  private values = 0;
  private isNamed = false;

  /** What is written next comes from this layer. */
  begin(origin: NodeOrigin): void {
    this.origin = origin;
    this.isNamed = false;
  }

  /** Adds a node with one output and returns the output's name. */
  node(
    operator: string,
    inputs: readonly (string | undefined)[],
    attributes: ForeignAttributes = {},
  ): string {
    const { name, type, place } = this.origin;
    const output = this.fresh();
    const own = this.isNamed ? "" : name;
    const where = this.isNamed && name !== "" ? `in \`${name}\`, ${place}` : place;
    this.isNamed = true;
    const called = { operator, calledThere: type, name: own, place: where, layer: name };
    this.nodes.push({ ...called, inputs, outputs: [output], attributes });
    return output;
  }

  /** Gives a value the name that the file has for it, which must not be another value's. */
  named(name: string, value: string): string {
    if (name === value) return name;
    const node = { operator: "Identity", name: "", place: "output", attributes: {} };
    this.nodes.push({ ...node, inputs: [value], outputs: [name] });
    return name;
  }

  /** Adds a constant and returns its name. */
  constant(tensor: ForeignTensor): string {
    const name = this.fresh();
    this.constants.set(name, tensor);
    return name;
  }

  /** A comment for the spec; the same one only once. */
  remark(text: string): void {
    if (!this.remarks.includes(text)) this.remarks.push(text);
  }

  /** Notes that the current layer has no counterpart. `finish` throws all of them. */
  refuse(reason: string, instead?: string): void {
    const { name, type, place } = this.origin;
    const title = name === "" ? "" : ` \`${name}\``;
    const help = instead === undefined ? "" : ` (instead: ${instead})`;
    this.refusals.push(`  ${type}${title} (${place}): ${reason}${help}`);
  }

  /** Throws an ImportError that names every layer that was refused. */
  finish(
    name: string,
    source: string,
    inputs: readonly ForeignInput[],
    outputs: readonly string[],
  ): ForeignGraph {
    const count = this.refusals.length;
    if (count > 0) {
      const more = count > MOST_LISTED ? [`  and ${count - MOST_LISTED} more`] : [];
      const said = count === 1 ? "1 layer has" : `${count} layers have`;
      const lines = [...this.refusals.slice(0, MOST_LISTED), ...more];
      throw new ImportError([`${said} no counterpart in netc:`, ...lines].join("\n"));
    }
    const { nodes, constants, remarks } = this;
    return { name, source, inputs, outputs, nodes, constants, remarks };
  }

  private fresh(): string {
    return `:${this.values++}`;
  }
}

/** Why one layer has no counterpart; whoever walks over the layers adds its name and place. */
export class RefusedLayer extends Error {
  override readonly name = "RefusedLayer";

  constructor(
    message: string,
    readonly instead?: string,
  ) {
    super(message);
  }
}
