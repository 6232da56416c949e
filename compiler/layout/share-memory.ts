/**
 * Values that lie in the memory of another: what is cut from a value, and what is joined to one. No
 * kernel moves them.
 */
import { readsOf } from "../ir/fusion.js";
import type { AnyNode, Graph, OpKind, Value } from "../ir/graph.js";
import type { Uses } from "../ir/uses.js";
import { ActivationLayout, NO_MARGINS, roundUpTo4, type Margins } from "./activation-layout.js";
import { isActivation, widest, type Layouts } from "./choose-layouts.js";
import type { HalfValues } from "./halves.js";
import { hasAllPixels, isOfQuads, partsOf, type PartOf } from "./parts.js";
import { movesNothing } from "./strides.js";

/** By the id of each value that lies in another: the value whose memory it is. */
export type Wholes = ReadonlyMap<number, Value>;

export interface SharedMemory {
  readonly layouts: Layouts;
  readonly wholes: Wholes;
}

export interface MemoryOptions {
  readonly uses: Uses;
  readonly layouts: Layouts;
  readonly half: HalfValues;
  /** Whether the graph keeps values for a backward pass. */
  readonly isTraining: boolean;
}

/** Ops whose kernels find what they make, and what they read, by the pitches of its layout. */
const PITCHED = new Set<OpKind>([
  ...(["convolution", "convolutionInputGradient", "pointwise", "normalize"] as const),
  ...(["maxPool", "maxPoolGradient", "maxUnpool", "maxUnpoolGradient"] as const),
  ...(["averagePool", "averagePoolGradient", "channelWindowSum"] as const),
  ...(["groupNormalize", "groupNormalizeGradient"] as const),
  ...(["resample", "resampleGradient", "extend", "extendGradient"] as const),
  ...(["concatenate", "rearrange", "rearrangeGradient", "reduce", "spread"] as const),
  "joinChannels",
]);

/** The same of ops that make no activation. */
const READING = new Set<OpKind>([
  ...PITCHED,
  ...(["convolutionWeightGradient", "channelSum", "channelStatistics"] as const),
  "normalizeGradient",
]);

/**
 * How many times the bytes that values take as long as each is needed may become, where they have
 * one memory that is kept as long as any of them is. Outside of training nothing is kept for long,
 * and each move that is saved is worth it: half of a value keeps the other half. What training
 * keeps up to its backward pass is most of its memory.
 */
const MOST_KEPT = { reading: 2.5, training: 1.25 };

/** A line of memory: less cannot be fetched. */
const LINE_BYTES = 64;

export function shareMemory(graph: Graph, options: MemoryOptions): SharedMemory {
  return new Sharing(graph, options).run();
}

/** What is known of the memory of some values. */
interface Extent {
  readonly margins: Margins;
  /** The largest value, in which all others lie. */
  readonly root: Value;
  /** Places in the graph's order. */
  readonly first: number;
  readonly last: number;
  /** Bytes of an image times the places for which each value is needed. */
  readonly needed: number;
}

/** Values of one memory. */
interface Group {
  readonly members: Value[];
  extent: Extent;
}

class Sharing {
  private readonly groups = new Map<Value, Group>();
  private readonly places = new Map<Value, PartOf>();
  private readonly order = new Map<AnyNode, number>();

  constructor(
    private readonly graph: Graph,
    private readonly options: MemoryOptions,
  ) {
    graph.nodes.forEach((node, index) => this.order.set(node, index));
  }

  run(): SharedMemory {
    for (const node of this.graph.nodes) {
      for (const each of partsOf(node)) {
        const isRepeated = node.inputs.filter((input) => input === each.part).length > 1;
        if (!isRepeated && this.canShare(each)) this.share(each);
      }
    }
    return this.result();
  }

  private share(each: PartOf): void {
    const [inner, outer] = [this.groupOf(each.part), this.groupOf(each.whole)];
    const merged = merge(
      inner.extent,
      outer.extent,
      hasAllPixels(each) && this.hasAllOfRoot(each.whole),
    );
    if (!merged || !this.isWorthIt(merged)) return;
    if (this.readsWhatItMakes(inner, outer, each)) return;
    this.places.set(each.part, each);
    for (const member of inner.members) this.groups.set(member, outer);
    outer.extent = merged;
    outer.members.push(...inner.members);
  }

  private hasAllOfRoot(value: Value): boolean {
    const place = this.places.get(value);
    return !place || (hasAllPixels(place) && this.hasAllOfRoot(place.whole));
  }

  private groupOf(value: Value): Group {
    const known = this.groups.get(value);
    if (known) return known;
    const { uses } = this.options;
    const { margins } = this.layoutOf(value);
    const maker = uses.maker(value);
    const first = maker ? this.order.get(maker)! : 0;
    const read = uses.readers(value).map((reader) => this.order.get(reader)!);
    const last = Math.max(first, ...read);
    const needed = this.bytesOf(value) * (last - first);
    const group = { members: [value], extent: { margins, root: value, first, last, needed } };
    this.groups.set(value, group);
    return group;
  }

  private isWorthIt({ root, first, last, needed }: Extent): boolean {
    const most = this.options.isTraining ? MOST_KEPT.training : MOST_KEPT.reading;
    return this.bytesOf(root) * (last - first) <= most * needed;
  }

  private bytesOf(value: Value): number {
    return this.layoutOf(value).bytes.perImage * (this.isHalf(value) ? 0.5 : 1);
  }

  /** What a part and a whole must be, whatever else lies in them. */
  private canShare(each: PartOf): boolean {
    const { part, whole } = each;
    const { uses } = this.options;
    if (this.places.has(part) || !isOfQuads(each)) return false;
    if (uses.isResult(part) || uses.isResult(whole)) return false;
    if (this.isHalf(part) !== this.isHalf(whole)) return false;
    if (![part, whole].every((value) => isActivation(value) && this.isPadded(value))) return false;
    const maker = uses.maker(part);
    if (!maker || !PITCHED.has(maker.kind)) return false;
    const readers = uses.readers(part);
    if (!readers.every((reader) => READING.has(reader.kind))) return false;
    if ([maker, ...readers].some((node) => this.isRenaming(node))) return false;
    return this.readsLines(each);
  }

  /**
   * Whether few bytes that are fetched are of other channels. A part that is narrower than a line
   * is read from its whole by who reads it once; what reads it several times, as windows and
   * several readers do, would fetch the others each time, and a copy fetches them once.
   */
  private readsLines({ part, whole }: PartOf): boolean {
    const { channels } = this.layoutOf(part);
    const bytes = channels * (this.isHalf(part) ? 2 : 4);
    if (bytes >= LINE_BYTES || channels === this.layoutOf(whole).channels) return true;
    const readers = this.options.uses.readers(part);
    return readers.length === 1 && readers[0]!.kind !== "convolution";
  }

  private isPadded(value: Value): boolean {
    const { pitch, channels } = this.layoutOf(value);
    return pitch === roundUpTo4(channels);
  }

  /** Whether a node's result is another name for what it reads, as long as that lies by itself. */
  private isRenaming(node: AnyNode): boolean {
    switch (node.kind) {
      case "reshape":
        return true;
      case "rearrange":
      case "rearrangeGradient":
        return movesNothing(node, (value) => this.layoutOf(value));
      default:
        return false;
    }
  }

  /**
   * Whether a node would read and write one buffer, which WebGPU forbids: one that reads of a group
   * and makes a value of the other. What only says that a part is one does neither.
   */
  private readsWhatItMakes(inner: Group, outer: Group, merged: PartOf): boolean {
    const isInner = inner.members.length < outer.members.length;
    const [few, many] = isInner ? [inner, outer] : [outer, inner];
    const { uses } = this.options;
    const isOf = (group: Group) => (value: Value) => this.groups.get(value) === group;
    return few.members.some((member) => {
      const maker = uses.maker(member);
      const reads = (node: AnyNode) => this.movedBy(node, merged).some(isOf(many));
      if (maker && reads(maker)) return true;
      return uses.readers(member).some((reader) => {
        return this.movedBy(reader, merged).includes(member) && reader.outputs.some(isOf(many));
      });
    });
  }

  /** What a node's kernels read: not what its result lies in, or what lies in it. */
  private movedBy(node: AnyNode, merged: PartOf): readonly Value[] {
    const [output] = node.outputs;
    const isIn = (part: Value | undefined, whole: Value | undefined) =>
      (part === merged.part && whole === merged.whole) ||
      (part !== undefined && this.places.get(part)?.whole === whole);
    return readsOf(node).filter((value) => {
      return !(partsOf(node).length > 0 && (isIn(value, output) || isIn(output, value)));
    });
  }

  private result(): SharedMemory {
    const layouts = new Map(this.options.layouts);
    const wholes = new Map<number, Value>();
    const layoutOf = (value: Value): ActivationLayout => {
      const { margins, root } = this.groups.get(value)!.extent;
      const place = this.places.get(value);
      if (!place) return new ActivationLayout(root.shape, margins);
      return layoutOf(place.whole).part(value.shape, place.at);
    };
    for (const part of this.places.keys()) {
      const { root } = this.groups.get(part)!.extent;
      wholes.set(part.id, root);
      layouts.set(part.id, layoutOf(part));
      layouts.set(root.id, layoutOf(root));
    }
    return { layouts, wholes };
  }

  private isHalf({ id }: Value): boolean {
    return this.options.half.has(id);
  }

  private layoutOf(value: Value): ActivationLayout {
    return this.options.layouts.get(value.id)!;
  }
}

/**
 * Two groups as one; undefined where readers of their values need other zeros around them than the
 * one memory can have. A part of the rows and columns has pixels around it, and no zeros.
 */
function merge(inner: Extent, outer: Extent, hasAll: boolean): Extent | undefined {
  const span = {
    root: outer.root,
    first: Math.min(inner.first, outer.first),
    last: Math.max(inner.last, outer.last),
    needed: inner.needed + outer.needed,
  };
  if (!hasAll) {
    return isNone(inner.margins) ? { ...span, margins: outer.margins } : undefined;
  }
  const [own, others] = [inner.margins.spacing, outer.margins.spacing];
  if (own[0] !== others[0] || own[1] !== others[1]) return undefined;
  return { ...span, margins: widest(inner.margins, outer.margins) };
}

const isNone = ({ top, bottom, left, right, spacing }: Margins): boolean =>
  [top, bottom, left, right].every((size) => size === 0) &&
  spacing.every((step, axis) => step === NO_MARGINS.spacing[axis]);
