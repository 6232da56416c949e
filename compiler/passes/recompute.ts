import { GraphBuilder } from "../ops/builder.js";
import { isUpdate, readsOf, trainedBy, withReads } from "../ir/fusion.js";
import { resultsOf, type AnyNode, type Graph, type OpKind, type Value } from "../ir/graph.js";
import { isActivation } from "../layout/choose-layouts.js";
import { usesOf, type Uses } from "../ir/uses.js";
import { partsToLeave } from "./leave-parts.js";

/** Ops that can run a second time: they make activations and nothing else, and change nothing. */
const REPEATABLE = new Set<OpKind>([
  ...(["convolution", "convolutionInputGradient", "pointwise", "maxPool", "averagePool"] as const),
  ...([
    "maxUnpool",
    "channelWindowSum",
    "groupNormalize",
    "softmax",
    "resample",
    "extend",
  ] as const),
  ...(["concatenate", "reshape", "rearrange", "broadcast"] as const),
  ...(["joinChannels", "embedding"] as const),
  ...(["reduce", "spread"] as const),
]);

/** A training graph's nodes by what they are for. */
export class TrainingParts {
  /** What the loss, the metrics and the prediction need: the others are of the backward pass. */
  readonly forward: ReadonlySet<AnyNode>;

  constructor(private readonly graph: Graph) {
    const needed = new Set(resultsOf(graph));
    const forward = new Set<AnyNode>();
    for (const node of graph.nodes.toReversed()) {
      if (!node.outputs.some((output) => needed.has(output))) continue;
      forward.add(node);
      for (const value of readsOf(node)) needed.add(value);
    }
    this.forward = forward;
  }

  /** Whether a node of the forward pass may be repeated in the backward pass. */
  canRepeat(node: AnyNode): boolean {
    const results = new Set(resultsOf(this.graph));
    return (
      this.forward.has(node) &&
      REPEATABLE.has(node.kind) &&
      isActivation(node.outputs[0]!) &&
      !node.outputs.some((output) => results.has(output))
    );
  }
}

export interface Recomputed {
  readonly graph: Graph;
  /** The nodes that it has twice, each with its repetition. */
  readonly repeated: ReadonlyMap<AnyNode, AnyNode>;
}

/**
 * Computes values of the forward pass again where the backward pass first reads them, instead of
 * keeping them meanwhile (Chen et al., "Training deep nets with sublinear memory cost", 2016).
 * `again` names them by the id of their node's first output; ids of nodes that cannot be
 * repeated are ignored.
 *
 * A repetition is the node itself, after fusion, on the same values: its kernel, and so each bit of
 * its result, is the same. Dropout draws by its counter, the statistics of batch normalization are
 * kept, and no weight is updated before its last reader: none of it happens twice.
 */
export function recompute(
  graph: Graph,
  again: ReadonlySet<number>,
  parts?: TrainingParts,
): Recomputed {
  if (again.size === 0) return { graph, repeated: new Map() };
  return new Recomputation(graph, again, parts ?? new TrainingParts(graph)).run();
}

class Recomputation {
  private readonly builder: GraphBuilder;
  private readonly uses: Uses;
  private readonly repeated = new Map<AnyNode, AnyNode>();
  private readonly updated = new Set<Value>();

  constructor(
    private readonly graph: Graph,
    private readonly again: ReadonlySet<number>,
    private readonly parts: TrainingParts,
  ) {
    this.builder = GraphBuilder.withoutNodes(graph);
    this.uses = usesOf(graph);
  }

  run(): Recomputed {
    for (const node of this.graph.nodes) {
      if (this.parts.forward.has(node)) {
        this.builder.keep(node);
        continue;
      }
      this.repeatForParts(node);
      this.builder.keep(this.withLateReads(node));
      if (isUpdate(node)) for (const { parameter } of trainedBy(node)) this.updated.add(parameter);
    }
    return { graph: this.builder.finish(this.graph), repeated: this.repeated };
  }

  /**
   * A node that begins the sums of a normalization's gradient reads what is normalized, too. If
   * that came later, another kernel would sum, in another order.
   */
  private repeatForParts(node: AnyNode): void {
    const leaves = partsToLeave(node, this.uses);
    if (leaves) for (const operand of leaves.operands) this.late(operand);
  }

  private withLateReads(node: AnyNode): AnyNode {
    return withReads(node, (value) => this.late(value));
  }

  /** What a reader in the backward pass reads in a value's place. */
  private late(value: Value): Value {
    const maker = this.uses.maker(value);
    if (!maker || !this.again.has(maker.outputs[0]!.id) || !this.parts.canRepeat(maker))
      return value;
    return this.repetition(maker).outputs[maker.outputs.indexOf(value)]!;
  }

  private repetition(node: AnyNode): AnyNode {
    const known = this.repeated.get(node);
    if (known) return known;
    const late = this.withLateReads(node);
    const { origin } = node;
    const tooLate = readsOf(late).find((value) => this.updated.has(value));
    if (tooLate) throw new Error(`${origin.name} is repeated after the update of ${tooLate.name}`);
    const outputs = node.outputs.map((output) =>
      this.builder.like({ ...output, origin }, origin.name),
    );
    const made: AnyNode = { ...late, outputs };
    this.builder.keep(made);
    this.repeated.set(node, made);
    return made;
  }
}
