/** From the layers of a network to items: where values part and join again is made a structure. */
import { grouped } from "./group.js";
import { BATCH, imageShape, sameShape, type Shape } from "../../compiler/ir/shape.js";
import { callText } from "../../compiler/calls/call-text.js";
import { typeOf } from "../../compiler/network/facts.js";
import type {
  NetworkValue,
  ResolvedLayer,
  ResolvedNetwork,
} from "../../compiler/network/resolved.js";
import { dominators, postDominators, type AncestorTree, type Flow } from "./dominators.js";
import type { Body, Item, LayerItem } from "./items.js";
import { roleOf, slotsOf } from "./slots.js";
import { isFormula } from "./functions.js";

export interface Regions {
  readonly body: Body;
  /** The network's layers in the order of the text. */
  readonly order: readonly number[];
  /** Layers of the text whose first two inputs changed places: sums and products. */
  readonly swapped: ReadonlySet<number>;
}

/** Of a network with one output, which needs all of its inputs and layers. */
export function regionsOf(network: ResolvedNetwork): Regions {
  return new RegionFinder(network).run();
}

/** Joins around more layers than this read by names: a brace would be too far from its partner. */
const LONGEST_BRANCH = 24;
/** Joins within joins, up to which braces are used. */
const DEEPEST = 12;

/**
 * Node 0 is the input, and node i + 1 the network's layer i. Of several inputs, node 0 is what they
 * come from, and they are separate nodes before the layers.
 */
class RegionFinder {
  private readonly flow: Flow;
  private readonly dominators: AncestorTree;
  private readonly postDominators: AncestorTree;
  private readonly order: number[] = [];
  private readonly swapped = new Set<number>();
  /** Of each node, its layer in the text; inputs have negative numbers. */
  private readonly placed: number[];
  private current = 0;
  private depth = 0;
  /** The node of the first layer. */
  private readonly firstLayer: number;

  constructor(private readonly network: ResolvedNetwork) {
    this.firstLayer = firstLayerOf(network);
    this.placed = network.inputs.map((_, index) => placeOfInput(index));
    if (this.hasSeveralInputs) this.placed.unshift(NOWHERE);
    this.flow = flowOf(network);
    this.dominators = dominators(this.flow);
    this.postDominators = postDominators(this.flow);
  }

  run(): Regions {
    const last = this.flow.reads.length - 1;
    const body = this.chain(0, this.flow.readers[0]!, last);
    return { body, order: this.order, swapped: this.swapped };
  }

  /** All nodes between two, the second included. `readers` are those of the first among them. */
  private chain(start: number, readers: readonly number[], last: number): Body {
    const items: Item[] = [];
    let [node, next] = [start, readers];
    for (;;) {
      const join = this.postDominators.common(next);
      if (this.isInput(join)) this.current = 0;
      else if (next.length === 1) items.push(this.layer(join));
      else items.push(...this.region(node, next, join));
      if (join === last) return items;
      [node, next] = [join, this.flow.readers[join]!];
    }
  }

  private region(start: number, readers: readonly number[], join: number): Body {
    if (this.depth >= DEEPEST) return this.listed(start, join, { isPlain: true });
    this.depth++;
    const body = this.regionWithin(start, readers, join);
    this.depth--;
    return body;
  }

  private regionWithin(start: number, readers: readonly number[], join: number): Body {
    const ways = this.waysOf(start, readers, join);
    if (!ways) return this.listed(start, join, { isPlain: false });
    // Braces are around what becomes of one value.
    if (start === 0 && this.hasSeveralInputs) return this.oneByOne(ways, start, join);
    const { name } = this.layerOf(join).definition;
    if (name === "add" && this.isResidual(ways)) return [this.residual(ways, start, join)];
    if (name === "concat" && !isFar(ways)) return [this.branches(ways, start, join)];
    return this.oneByOne(ways, start, join);
  }

  /** What each of the join's inputs is made of; undefined where these are not apart. */
  private waysOf(
    start: number,
    readers: readonly number[],
    join: number,
  ): readonly Way[] | undefined {
    const inputs = this.inputsOf(join);
    const inner = inputs.filter((input) => input !== start);
    const { parts, partOf } = this.parted(start, join);
    const ends = inner.map((input) => partOf.get(input)!);
    const isApart = new Set(ends).size === inner.length && parts.length === inner.length;
    if (!isApart || inner.length + 1 < inputs.length) return undefined;
    const own = grouped(readers, (reader) => partOf.get(reader));
    return inputs.map((end) => {
      const part = partOf.get(end);
      if (part === undefined) return { end, nodes: [], readers: [] };
      return { end, nodes: parts[part]!, readers: own.get(part) ?? [] };
    });
  }

  /** The nodes between two, in parts that do not read each other. */
  private parted(start: number, join: number) {
    const parts: number[][] = [];
    const partOf = new Map<number, number>();
    for (const input of this.flow.reads[join]!) {
      const part: number[] = [];
      const open = [input];
      for (let node = open.pop(); node !== undefined; node = open.pop()) {
        if (node === start || node === join || partOf.has(node)) continue;
        partOf.set(node, parts.length);
        part.push(node);
        open.push(...this.flow.reads[node]!, ...this.flow.readers[node]!);
      }
      if (part.length > 0) parts.push(part);
    }
    return { parts, partOf };
  }

  private way({ end, nodes, readers }: Way, start: number): Body {
    this.current = start;
    return nodes.length === 0 ? [] : this.chain(start, readers, end);
  }

  /** Sums of one number a channel have no braces. */
  private isResidual(ways: readonly Way[]): boolean {
    const [first, second] = ways.map(({ end }) => this.shapeAt(end));
    return ways.length === 2 && sameShape(first!, second!);
  }

  private residual(ways: readonly Way[], start: number, join: number): Item {
    const [first, second] = ways as [Way, Way];
    const isSwapped = second.nodes.length > first.nodes.length;
    const [inside, outside] = isSwapped ? [second, first] : [first, second];
    const body = this.way(inside, start);
    const skip = this.way(outside, start);
    if (isSwapped) this.swapped.add(this.order.length);
    const range = this.place(join, body);
    return { form: "residual", body, skip: this.skipOf(skip, start, join), ...range };
  }

  private skipOf(skip: Body, start: number, join: number): "none" | "auto" | Body {
    if (skip.length === 0) return "none";
    return this.isAuto(skip, start, join) ? "auto" : skip;
  }

  /** Whether layers are what `skip auto` makes: see compiler/semantics/joins.ts. */
  private isAuto(skip: Body, start: number, join: number): boolean {
    const [from, to] = [this.shapeAt(start), this.shapeAt(join)];
    const texts = skip.map((item) => (item.form === "layer" ? textOf(item.layer) : ""));
    return skip.length === 2 && !sameShape(from, to) && sameTexts(texts, autoTexts(from, to));
  }

  private branches(ways: readonly Way[], start: number, join: number): Item {
    const branches = ways.map((way) => ({ body: this.way(way, start) }));
    const range = this.place(
      join,
      branches.flatMap(({ body }) => body),
    );
    return { form: "branches", branches, ...range };
  }

  /** Each way after the other; the join reads them by their names. */
  private oneByOne(ways: readonly Way[], start: number, join: number): Body {
    const items = ways.flatMap(({ nodes, readers, end }) =>
      nodes.length === 0 ? [] : this.chain(start, readers, end),
    );
    return [...items, this.layer(join)];
  }

  /** Nodes between two in their order, except that what belongs together stays so. */
  private listed(start: number, join: number, { isPlain }: { readonly isPlain: boolean }): Body {
    const nodes = [...this.parted(start, join).partOf.keys()].toSorted((a, b) => a - b);
    const items: Item[] = [];
    for (const node of nodes) {
      if (this.placed[node] !== undefined) continue;
      items.push(this.layer(node));
      if (!isPlain) items.push(...this.closedAfter(node, join));
    }
    return [...items, this.layer(join)];
  }

  /** The nodes that all belong to this one, as far as one value leaves them. */
  private closedAfter(start: number, join: number): Body {
    const items: Item[] = [];
    for (let node = start; ;) {
      const next = this.postDominators.parentOf(node);
      if (next === join || this.dominators.parentOf(next) !== node) return items;
      items.push(...this.chain(node, this.flow.readers[node]!, next));
      node = next;
    }
  }

  /** A layer as a call; a sum's or product's inputs change places where that saves a name. */
  private layer(node: number): Item {
    const layer = this.layerOf(node);
    const isJoin = layer.definition.others !== undefined && !isFormula(layer);
    if (isJoin && layer.inputs.length === 1) return this.oneBranch(node);
    const inputs = [...this.inputsOf(node)];
    const { name } = layer.definition;
    const commutes = (name === "add" || name === "multiply") && inputs.length === 2;
    if (commutes && inputs[0] !== this.current && inputs[1] === this.current) {
      inputs.reverse();
      this.swapped.add(this.order.length);
    }
    const [from, ...others] = inputs.map((input) => this.placed[input]!);
    const isElsewhere = inputs[0] !== this.current;
    const range = this.place(node, []);
    const input = this.shapeOf(layer.inputs[0]!);
    const item: LayerItem = {
      form: "layer",
      layer,
      role: roleOf(layer, Number(input[1])),
      isAttached: !layer.definition.macs && !isElsewhere && isAttached(layer, input),
      others,
      slots: slotsOf(layer),
      ...range,
    };
    return isElsewhere ? { ...item, from: from! } : item;
  }

  private oneBranch(node: number): Item {
    return { form: "branches", branches: [{ body: [] }], ...this.place(node, []) };
  }

  /** Makes a node the next layer of the text; what is in its braces came before. */
  private place(node: number, inside: Body) {
    this.placed[node] = this.order.push(node - this.firstLayer) - 1;
    this.current = node;
    const last = this.order.length - 1;
    return { first: Math.min(last, ...inside.map(({ first }) => first)), last };
  }

  private layerOf(node: number): ResolvedLayer {
    return this.network.layers[node - this.firstLayer]!;
  }

  private inputsOf(node: number): readonly number[] {
    return this.layerOf(node).inputs.map((value) => nodeOf(this.network, value));
  }

  private get hasSeveralInputs(): boolean {
    return this.firstLayer > 1;
  }

  private isInput(node: number): boolean {
    return this.hasSeveralInputs && node < this.firstLayer;
  }

  private shapeOf(value: NetworkValue): Shape {
    return typeOf(this.network, value).shape;
  }

  private shapeAt(node: number): Shape {
    const [first, several] = [this.firstLayer, this.hasSeveralInputs];
    if (node >= first) return this.shapeOf({ from: "layer", index: node - first });
    return this.shapeOf({ from: "input", index: several ? node - 1 : 0 });
  }
}

/** How one input of a join is made from the value where all parted. */
interface Way {
  readonly end: number;
  readonly nodes: readonly number[];
  /** Those of the nodes that read the value. */
  readonly readers: readonly number[];
}

/** Whether a branch is so long that the empty one next to it is better read by a name. */
const isFar = (ways: readonly Way[]): boolean =>
  ways.length === 2 &&
  ways.some(({ nodes }) => nodes.length === 0) &&
  ways.some(({ nodes }) => nodes.length > LONGEST_BRANCH);

const isAttached = ({ definition, type, inputs }: ResolvedLayer, input: Shape): boolean =>
  inputs.length === 1 && definition.name !== "dropout" && sameShape(input, type.shape);

/** The number that layers read an input by; layers have 0, 1, and so on. */
export const placeOfInput = (index: number): number => -1 - index;
const NOWHERE = NaN;

const firstLayerOf = ({ inputs }: ResolvedNetwork) => (inputs.length === 1 ? 1 : inputs.length + 1);

function nodeOf(network: ResolvedNetwork, { from, index }: NetworkValue): number {
  const first = firstLayerOf(network);
  if (from === "layer") return first + index;
  return first === 1 ? 0 : 1 + index;
}

function flowOf(network: ResolvedNetwork): Flow {
  const { inputs: all, layers } = network;
  const inputs = all.length === 1 ? [] : all.map(() => [0]);
  const reads = [
    [],
    ...inputs,
    ...layers.map((layer) => [...new Set(layer.inputs.map((value) => nodeOf(network, value)))]),
  ];
  const readers: number[][] = reads.map(() => []);
  reads.forEach((inputs, node) => inputs.forEach((input) => readers[input]!.push(node)));
  return { reads, readers };
}

const textOf = ({ definition, values }: ResolvedLayer) => callText(definition, values);

const sameTexts = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((text, index) => text === b[index]);

function autoTexts(from: Shape, to: Shape): readonly string[] {
  if (from.length !== 4 || to.length !== 4 || to[0] !== BATCH) return [];
  const [before, after] = [imageShape(from), imageShape(to)];
  const rows = Math.ceil(before.height / after.height);
  const columns = Math.ceil(before.width / after.width);
  const same = rows === columns ? `${rows}` : `[${rows}, ${columns}]`;
  const stride = same === "1" ? "" : `, stride=${same}`;
  return [`conv(${to[1]}, kernel=1${stride}, bias=false)`, "batchnorm"];
}
