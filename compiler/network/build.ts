/** From a resolved network to its graph: the forward pass, its loss and its metrics. */
import type { Graph, Port, Score, ScoreTerm, Value } from "../ir/graph.js";
import { noise, operand } from "../ir/expression.js";
import { ones } from "../ir/labels.js";
import { shapeOfPort } from "../ir/shape.js";
import { lowerLayer } from "../layers/lower.js";
import { GraphBuilder } from "../ops/builder.js";
import {
  classesOfTarget,
  comparedTargets,
  ignoredLabel,
  isBoxes,
  isDense,
  typeOf,
} from "./facts.js";
import type {
  NetworkPort,
  NetworkValue,
  ResolvedLoss,
  ResolvedNetwork,
  ResolvedScore,
} from "./resolved.js";

/**
 * The network as primitives. Reads nothing but the network, and gives the same graph each time.
 * Layers of one `weights` share their parameters. Throws for such layers that need other shapes.
 */
export function build(network: ResolvedNetwork): Graph {
  return new NetworkBuild(network).run();
}

/** The same graph, and the value of each layer in it, in the network's order. */
export function buildWithLayers(network: ResolvedNetwork): {
  readonly graph: Graph;
  readonly values: readonly Value[];
} {
  const built = new NetworkBuild(network);
  return { graph: built.run(), values: built.layerValues };
}

class NetworkBuild {
  private readonly builder: GraphBuilder;
  private readonly made: {
    readonly input: readonly Value[];
    readonly layer: Value[];
    /** Those that a score reads, by index. */
    readonly target: ReadonlyMap<number, Value>;
  };
  private streams = 0;

  constructor(private readonly network: ResolvedNetwork) {
    this.builder = new GraphBuilder(network.name);
    this.made = {
      input: network.inputs.map((port) => this.buildInput(port)),
      target: new Map(comparedTargets(network).map((index) => [index, this.buildTarget(index)])),
      layer: [],
    };
  }

  get layerValues(): readonly Value[] {
    return this.made.layer;
  }

  run(): Graph {
    for (const index of this.network.layers.keys()) this.made.layer.push(this.buildLayer(index));
    const { network } = this;
    const { losses, metrics, outputs } = network;
    const predicted = outputs.map(({ name, value, gives }): Port => {
      const declared = shapeOfPort(typeOf(network, value).shape);
      return { name, role: "prediction", value: this.valueOf(value), gives, ...declared };
    });
    const scores = [
      ...this.buildLosses(losses),
      ...metrics.map((metric) => this.buildMetric(metric)),
    ];
    return this.builder.finish({ outputs: predicted, metrics: scores });
  }

  private buildInput({ name, type, origin, distribution }: NetworkPort): Value {
    if (type.vocabulary !== undefined) {
      return this.builder.tokens(name, type.shape, origin, type.vocabulary);
    }
    const value = this.builder.input(name, type.shape, origin, distribution);
    if (!distribution) return value;
    const expression = noise(distribution, ++this.streams, operand(0));
    return this.builder.add("pointwise", [value], { expression }, origin);
  }

  private buildTarget(index: number): Value {
    const { name, type, origin, classes: declared } = this.network.targets[index]!;
    if (isBoxes({ type, classes: declared }))
      return this.builder.boxes(name, type.shape, origin, declared!);
    if (type.dtype !== "u32") return this.builder.targets(name, type.shape, origin);
    const classes = classesOfTarget(this.network, index);
    if (!isDense(type)) return this.builder.labels(name, origin, classes);
    const ignore = ignoredLabel(this.network, index);
    return this.builder.mask(name, type.shape, origin, { classes, ignore });
  }

  private buildLayer(index: number): Value {
    const { definition, values, inputs, weights, origin } = this.network.layers[index]!;
    const [input, ...others] = inputs.map((value) => this.valueOf(value));
    const nextStream = () => ++this.streams;
    const [type, ...otherTypes] = inputs.map((value) => typeOf(this.network, value));
    return lowerLayer(definition, input!, values, {
      builder: this.builder,
      vocabulary: type?.vocabulary,
      shape: type?.shape ?? [],
      origin,
      weights,
      others,
      otherShapes: otherTypes.map(({ shape }) => shape),
      nextStream,
    });
  }

  /** The sum of all, and each by its name where they have some. */
  private buildLosses(losses: readonly ResolvedLoss[]): readonly Score[] {
    if (losses.length === 0) return [];
    const terms = losses.map(({ score, factor }) => this.buildTerm(score, factor));
    const names = new Set(losses.flatMap(({ of }) => of ?? []));
    const named = [...names].map((name): Score => {
      return { name, terms: terms.filter((_, index) => losses[index]!.of === name) };
    });
    return [{ name: "loss", terms }, ...named];
  }

  private buildMetric(metric: ResolvedScore): Score {
    const { name, definition } = metric;
    const { isFraction, isExponential } = definition;
    const terms = [this.buildTerm(metric, 1)];
    return { name, isShare: isFraction, isExponential, terms };
  }

  private buildTerm(score: ResolvedScore, factor: number): ScoreTerm {
    const { definition, values, origin } = score;
    const prediction = this.valueOf(score.prediction);
    const compared = score.target && this.valueOf(score.target);
    // A formula of one value reads no target.
    const inputs = [prediction, compared ?? prediction] as const;
    const value = definition.lower(inputs, values, this.builder, origin);
    const weights = definition.classWeights?.(values) ?? this.labelWeights(score);
    const over = weights && ({ of: "labels", target: compared!.name, weights } as const);
    const without = definition.isByClass && this.ignoredClass(score);
    return { value, factor, over, without };
  }

  private ignoredClass({ target }: ResolvedScore): number | undefined {
    return target?.from === "target" ? ignoredLabel(this.network, target.index) : undefined;
  }

  /** Means over pixels, or tokens, are over those with a class. */
  private labelWeights({ definition, target }: ResolvedScore): readonly number[] | undefined {
    const { meanOf, isByClass } = definition;
    if (target?.from !== "target" || isByClass || meanOf === "examples") return undefined;
    const { type } = this.network.targets[target.index]!;
    const isOverLabels = meanOf === "labels" || isDense(type);
    return isOverLabels ? ones(classesOfTarget(this.network, target.index)!) : undefined;
  }

  private valueOf({ from, index }: NetworkValue): Value {
    const { target } = this.made;
    const value = from === "target" ? target.get(index) : this.made[from][index];
    if (!value) throw new Error(`${this.network.name}: ${from} ${index} is read before it is made`);
    return value;
  }
}
