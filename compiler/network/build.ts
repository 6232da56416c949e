/** From a resolved network to its graph: the forward pass, its loss and its metrics. */
import type { Graph, Score, ScoreTerm, Value } from "../ir/graph.js";
import { GraphBuilder } from "../ops/builder.js";
import { comparedTarget } from "./facts.js";
import type {
  NetworkPort,
  NetworkValue,
  ResolvedLoss,
  ResolvedNetwork,
  ResolvedScore,
} from "./resolved.js";

/**
 * The network as primitives. Reads nothing but the network, and gives the same graph each time.
 * Throws for networks with several inputs, targets or outputs, see `requireOne`.
 */
export function build(network: ResolvedNetwork): Graph {
  return new NetworkBuild(network).run();
}

class NetworkBuild {
  private readonly builder: GraphBuilder;
  private readonly made: Record<NetworkValue["from"], Value[]>;
  private streams = 0;

  constructor(private readonly network: ResolvedNetwork) {
    requireOne(network);
    this.builder = new GraphBuilder(network.name);
    const compared = comparedTarget(network);
    const { name, type, origin } = network.inputs[0]!;
    this.made = {
      input: [this.builder.images(name, type.shape, origin)],
      target: compared === undefined ? [] : [this.buildTarget(network.targets[compared]!)],
      layer: [],
    };
  }

  run(): Graph {
    for (const index of this.network.layers.keys()) this.made.layer.push(this.buildLayer(index));
    const { losses, metrics, outputs } = this.network;
    const prediction = this.valueOf(outputs[0]!.value);
    const loss = losses.length > 0 ? [this.buildLoss(losses)] : [];
    const scores = [...loss, ...metrics.map((metric) => this.buildMetric(metric))];
    return this.builder.finish({ prediction, metrics: scores });
  }

  private buildTarget({ name, type, origin }: NetworkPort): Value {
    return type.dtype === "u32"
      ? this.builder.labels(name, origin)
      : this.builder.targets(name, type.shape, origin);
  }

  private buildLayer(index: number): Value {
    const { definition, values, inputs, origin } = this.network.layers[index]!;
    const [input, ...others] = inputs.map((value) => this.valueOf(value));
    const nextStream = () => ++this.streams;
    return definition.lower(input!, values, { builder: this.builder, origin, others, nextStream });
  }

  private buildLoss(losses: readonly ResolvedLoss[]): Score {
    return {
      name: "loss",
      terms: losses.map(({ score, factor }) => this.buildTerm(score, factor)),
    };
  }

  private buildMetric(metric: ResolvedScore): Score {
    const { name, definition } = metric;
    const isShare = definition.isFraction;
    return { name, ...(isShare && { isShare }), terms: [this.buildTerm(metric, 1)] };
  }

  private buildTerm(score: ResolvedScore, factor: number): ScoreTerm {
    const { definition, values, origin } = score;
    const inputs = [this.valueOf(score.prediction), this.valueOf(score.target)] as const;
    const value = definition.lower(inputs, values, this.builder, origin);
    const weights = definition.classWeights?.(values);
    const over = weights && ({ of: "labels", weights } as const);
    return { value, factor, ...(over && { over }) };
  }

  private valueOf({ from, index }: NetworkValue): Value {
    const value = this.made[from][index];
    if (!value) throw new Error(`${this.network.name}: ${from} ${index} is read before it is made`);
    return value;
  }
}

/** A graph has one input, one target and one prediction so far: this is the place that says so. */
function requireOne({ name, inputs, targets, outputs }: ResolvedNetwork): void {
  const has = `a graph takes 1 input, at most 1 target and 1 output; ${name} has`;
  if (inputs.length !== 1) throw new Error(`${has} ${inputs.length} inputs`);
  if (targets.length > 1) throw new Error(`${has} ${targets.length} targets`);
  if (outputs.length !== 1) throw new Error(`${has} ${outputs.length} outputs`);
}
