/**
 * Training of a network with shared weights, without sharing: each use of the tower has separate
 * weights in a graph that runs on the CPU in double precision. This file adds up their gradients
 * and applies PyTorch's rules to them.
 */
import { analyze } from "../../compiler/index.js";
import { runGraph, type Numbers } from "../../compiler/ops/run-graph.js";
import { scoresOf } from "../../compiler/ops/scores.js";
import { trainedParameters } from "../../compiler/ir/fusion.js";
import { differentiate } from "../../compiler/passes/differentiate.js";
import { CONTEXT } from "../passes/chain.js";
import { apart, type Pair, type Wanted } from "./siamese.js";

type Weights = Map<string, Float64Array>;

export interface HandRule {
  readonly kind: "sgd" | "adamw";
  readonly learningRate: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
  readonly clipNorm?: number;
  /** Weights that begin with one of these stay as they are. */
  readonly frozen?: readonly string[];
}

/** Names of both uses are those of the shared weights. */
const sharedName = (name: string) => name.replace(/^[ab]\./, "tower.");

export class ByHand {
  private readonly graph;
  private readonly kept = new Map<string, [Float64Array, Float64Array]>();
  private steps = 0;
  /** Steps whose gradients were longer than `clipNorm`. */
  clippedSteps = 0;

  constructor(
    spec: string,
    readonly weights: Weights,
    private readonly rule: HandRule,
  ) {
    const { models, diagnostics } = analyze(apart(spec), "apart.net");
    if (diagnostics.length > 0) throw new Error(diagnostics.map((each) => each.message).join());
    this.graph = differentiate(models[0]!.graph!);
  }

  /** The loss before the step. */
  step(images: Pair, targets: Wanted): number {
    const given = { ...images, ...targets };
    const parameters = new Map<string, Numbers>(
      this.graph.parameters.map(({ value: { name } }) => {
        return [name, this.weights.get(sharedName(name))!];
      }),
    );
    const values = runGraph(this.graph, {
      images: images.left,
      given,
      parameters,
      context: CONTEXT,
    });
    const gradients: Weights = new Map();
    for (const { parameter, gradient } of trainedParameters(this.graph)) {
      const name = sharedName(parameter.name);
      const { data } = values.get(gradient!.id)!;
      const sum = gradients.get(name) ?? new Float64Array(data.length);
      gradients.set(
        name,
        sum.map((value, index) => value + data[index]!),
      );
    }
    this.update(gradients);
    return scoresOf(this.graph, values).get("loss")!;
  }

  private update(all: Weights): void {
    const { frozen = [], clipNorm = Infinity } = this.rule;
    const isFrozen = (name: string) => frozen.some((beginning) => name.startsWith(beginning));
    const gradients = [...all].filter(([name]) => !isFrozen(name));
    const squares = gradients.flatMap(([, values]) => [...values]).map((value) => value ** 2);
    const norm = Math.sqrt(squares.reduce((sum, each) => sum + each, 0));
    const scale = Math.min(1, clipNorm / (norm + 1e-6));
    this.steps++;
    if (scale < 1) this.clippedSteps++;
    for (const [name, gradient] of gradients) {
      this.descend(
        name,
        gradient.map((value) => scale * value),
      );
    }
  }

  private descend(name: string, gradient: Float64Array): void {
    const weights = this.weights.get(name)!;
    const { kind, learningRate: rate, momentum = 0, weightDecay: decay = 0 } = this.rule;
    const zeros = () => new Float64Array(weights.length);
    if (!this.kept.has(name)) this.kept.set(name, [zeros(), zeros()]);
    const [first, second] = this.kept.get(name)!;
    weights.forEach((weight, index) => {
      if (kind === "sgd") {
        first[index] = momentum * first[index]! + gradient[index]! + decay * weight;
        weights[index] = weight - rate * first[index];
        return;
      }
      first[index] = 0.9 * first[index]! + 0.1 * gradient[index]!;
      second[index] = 0.999 * second[index]! + 0.001 * gradient[index]! ** 2;
      const mean = first[index] / (1 - 0.9 ** this.steps);
      const size = Math.sqrt(second[index] / (1 - 0.999 ** this.steps)) + 1e-8;
      weights[index] = weight * (1 - rate * decay) - (rate * mean) / size;
    });
  }
}
