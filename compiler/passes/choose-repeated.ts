import { readsOf } from "../ir/fusion.js";
import { portsOf, type AnyNode, type Graph, type Value } from "../ir/graph.js";
import { BATCH, elementCount } from "../ir/shape.js";
import { geometryOf, isContraction } from "../layout/geometry.js";
import { chooseLayouts, isActivation, type Layouts } from "../layout/choose-layouts.js";
import { recompute, TrainingParts } from "./recompute.js";
import { usesOf, type Uses } from "../ir/uses.js";

/** What repeating some nodes takes, an image. */
export interface RepetitionCost {
  readonly macs: number;
  /** Read and written. */
  readonly bytes: number;
}

/**
 * Multiply-adds in whose time a byte is moved: about the same on GPUs and on software adapters
 * (schedules/cost.ts).
 */
export const MACS_PER_BYTE = 4;

/**
 * Nodes to repeat, by the ids of their first outputs. Each choice has all that the one before it
 * has, and more.
 */
export interface RepetitionChoice {
  readonly again: ReadonlySet<number>;
  readonly cost: RepetitionCost;
}

/**
 * What to compute again in the backward pass, from nothing to as much as helps. Greedy: at the step
 * where most memory is alive, of the values that are only kept for later the one whose repetition
 * takes the least time for the memory it frees, with what must be repeated for it; and so on, as
 * long as the peak does not grow. Element-wise ops and poolings come first, convolutions last.
 */
export function chooseRepeated(graph: Graph, batch: number): readonly RepetitionChoice[] {
  const search = new RepetitionSearch(graph, batch);
  const choices: RepetitionChoice[] = [search.choice];
  while (search.extend()) choices.push(search.choice);
  return choices;
}

/** When a value is needed, by places in a list of nodes. */
interface Lifetime {
  readonly made: number;
  lastEarly: number;
  firstLate: number;
  last: number;
}

interface Timeline {
  readonly lifetimes: ReadonlyMap<Value, Lifetime>;
  readonly peak: number;
  readonly peakBytes: number;
}

interface Candidate {
  readonly nodes: ReadonlySet<AnyNode>;
  readonly freed: number;
  readonly time: number;
}

class RepetitionSearch {
  private readonly parts: TrainingParts;
  private readonly uses: Uses;
  private readonly layouts: Layouts;
  private readonly banned = new Set<AnyNode>();
  private chosen: ReadonlySet<AnyNode> = new Set();
  private timeline: Timeline;

  constructor(
    private readonly graph: Graph,
    private readonly batch: number,
  ) {
    this.parts = new TrainingParts(graph);
    this.uses = usesOf(graph);
    this.layouts = chooseLayouts(graph, this.uses);
    this.timeline = this.timelineOf(this.chosen);
  }

  get choice(): RepetitionChoice {
    const costs = [...this.chosen].map((node) => this.costOf(node));
    const sum = (part: keyof RepetitionCost) => costs.reduce((all, cost) => all + cost[part], 0);
    return { again: idsOf(this.chosen), cost: { macs: sum("macs"), bytes: sum("bytes") } };
  }

  /** Takes one more value along; false where none is left that helps. */
  extend(): boolean {
    for (let best = this.best(); best; best = this.best()) {
      const chosen = new Set([...this.chosen, ...best.nodes]);
      const timeline = this.timelineOf(chosen);
      if (timeline.peakBytes <= this.timeline.peakBytes) {
        [this.chosen, this.timeline] = [chosen, timeline];
        return true;
      }
      for (const node of best.nodes) this.banned.add(node);
    }
    return false;
  }

  private best(): Candidate | undefined {
    const candidates = this.graph.nodes
      .filter((node) => this.isOpen(node))
      .map((node) => this.candidate(node))
      .filter((candidate) => candidate !== undefined && candidate.freed > 0);
    return candidates.reduce<Candidate | undefined>((best, candidate) => {
      if (!candidate || !best) return candidate;
      return candidate.time * best.freed < best.time * candidate.freed ? candidate : best;
    }, undefined);
  }

  private isOpen(node: AnyNode): boolean {
    return !this.chosen.has(node) && !this.banned.has(node) && this.parts.canRepeat(node);
  }

  /**
   * The node with all that its repetition asks for; undefined where its results are not kept over
   * the peak.
   */
  private candidate(node: AnyNode): Candidate | undefined {
    const { lifetimes, peak } = this.timeline;
    const isKept = (value: Value) => {
      const { lastEarly, firstLate } = lifetimes.get(value)!;
      return lastEarly < peak && peak < firstLate && firstLate < Infinity;
    };
    const kept = node.outputs.filter(isKept);
    if (kept.length === 0) return undefined;
    const when = Math.min(...kept.map((value) => lifetimes.get(value)!.firstLate));
    const nodes = new Set<AnyNode>();
    const extended = new Set<Value>();
    this.collect(node, when, nodes, extended);
    const size = (values: readonly Value[]) =>
      values.reduce((sum, value) => sum + this.bytesOf(value), 0);
    const all = [...nodes].flatMap(({ outputs }) => outputs.filter(isKept));
    return {
      nodes,
      freed: size(all) - size([...extended]),
      time: [...nodes].reduce((sum, each) => sum + timeOf(this.costOf(each)), 0),
    };
  }

  /**
   * Adds a node and those before it whose results are no longer there when it is repeated; where
   * they cannot be repeated, they are kept.
   */
  private collect(node: AnyNode, when: number, nodes: Set<AnyNode>, extended: Set<Value>): void {
    nodes.add(node);
    for (const input of readsOf(node)) {
      const maker = this.uses.maker(input);
      if (!maker || !isLarge(input) || nodes.has(maker) || this.chosen.has(maker)) continue;
      if (this.timeline.lifetimes.get(input)!.last >= when) continue;
      if (this.isOpen(maker)) this.collect(maker, when, nodes, extended);
      else extended.add(input);
    }
  }

  private timelineOf(chosen: ReadonlySet<AnyNode>): Timeline {
    const { graph, repeated } = recompute(this.graph, idsOf(chosen), this.parts);
    const originals = new Map(
      [...repeated].flatMap(([node, again]) =>
        again.outputs.map((output, index) => [output, node.outputs[index]!] as const),
      ),
    );
    const lifetimes = lifetimesIn(graph, this.parts);
    const changes = new Float64Array(graph.nodes.length + 2);
    for (const [value, { made, last }] of lifetimes) {
      const bytes = this.bytesOf(originals.get(value) ?? value);
      changes[made]! += bytes;
      changes[last + 1]! -= bytes;
    }
    let [alive, peak, peakBytes] = [0, 0, 0];
    changes.forEach((change, index) => {
      alive += change;
      if (alive > peakBytes) [peak, peakBytes] = [index, alive];
    });
    return { lifetimes, peak, peakBytes };
  }

  private bytesOf(value: Value): number {
    const layout = this.layouts.get(value.id);
    if (layout) return layout.bytes.fixed + layout.bytes.perImage * this.batch;
    if (value.shape[0] !== BATCH) return 4 * elementCount(value.shape);
    // Codes of a pooling are a byte each.
    return elementCount(value.shape) * this.batch;
  }

  private costOf(node: AnyNode): RepetitionCost {
    const { outputs } = node;
    const moved = [...readsOf(node), ...outputs].filter(isLarge);
    const bytes = moved.reduce((sum, value) => sum + this.bytesOf(value), 0) / this.batch;
    return { macs: isContraction(node) ? geometryOf(node).macs : 0, bytes };
  }
}

export const timeOf = ({ macs, bytes }: RepetitionCost): number => macs + MACS_PER_BYTE * bytes;

const idsOf = (nodes: ReadonlySet<AnyNode>) =>
  new Set([...nodes].map(({ outputs }) => outputs[0]!.id));

/** Activations and codes; vectors of a value a channel are small enough to be kept always. */
const isLarge = (value: Value) =>
  isActivation(value) || (value.shape.length > 1 && value.shape[0] === BATCH);

function lifetimesIn(graph: Graph, { forward }: TrainingParts): ReadonlyMap<Value, Lifetime> {
  const start = (made: number): Lifetime => ({
    made,
    lastEarly: made,
    firstLate: Infinity,
    last: made,
  });
  const inputs = portsOf(graph, "input").map((input) => [input, start(0)] as const);
  const lifetimes = new Map<Value, Lifetime>(inputs);
  graph.nodes.forEach((node, index) => {
    for (const input of readsOf(node)) {
      const use = lifetimes.get(input);
      if (!use) continue;
      use.last = index;
      if (forward.has(node)) use.lastEarly = index;
      else use.firstLate = Math.min(use.firstLate, index);
    }
    for (const output of node.outputs) lifetimes.set(output, start(index));
  });
  return lifetimes;
}
