/** From a resolved network to the text of a spec, which resolves to the same network. */
import { callText } from "../calls/call-text.js";
import { formatShape } from "../ir/shape.js";
import { sameValue } from "./facts.js";
import { PrintedNames, requireName } from "./printed-names.js";
import type {
  NetworkPort,
  NetworkValue,
  ResolvedLayer,
  ResolvedNetwork,
  ResolvedScore,
} from "./resolved.js";

/** Longer lines are continued in another statement. */
const WIDTH = 100;

/**
 * The model as a spec declares it. Every prefix of a layer's name becomes a section; branches and
 * skips become layers that read a value by its name. Names of layers and weights stay the same.
 *
 * Throws for what the language cannot say: several inputs, targets or outputs, names that are not
 * identifiers, and a section whose layers are not next to each other.
 */
export function print(network: ResolvedNetwork): string {
  return new NetworkPrinter(network).run();
}

class NetworkPrinter {
  private readonly lines: string[] = [];
  private readonly names: PrintedNames;
  private readonly scored: ReadonlySet<number>;
  private path: readonly string[] = [];
  /** Layers of the statement that is being written. */
  private chain: string[] = [];
  private current: NetworkValue = { from: "input", index: 0 };

  constructor(private readonly network: ResolvedNetwork) {
    requireOnePort(network);
    this.names = new PrintedNames(network);
    const scores = [...network.losses.map(({ score }) => score), ...network.metrics];
    this.scored = new Set(scores.map(({ prediction }) => prediction.index));
  }

  run(): string {
    const { name, inputs, targets, layers } = this.network;
    this.lines.push(`model ${requireName(name)} {`);
    this.lines.push(`  input  ${portText(inputs[0]!)}`);
    this.lines.push(...targets.map((target) => `  target ${portText(target)}`), "");
    for (const index of layers.keys()) this.printLayer(index);
    this.enter([]);
    this.endStatement();
    this.printEnd();
    return [...this.lines, "}", ""].join("\n");
  }

  private printLayer(index: number): void {
    const layer = this.network.layers[index]!;
    this.enter(layer.name.split(".").slice(0, -1));
    const [input, ...others] = layer.inputs as [NetworkValue, ...NetworkValue[]];
    const isElsewhere = !sameValue(input, this.current);
    if (isElsewhere || layer.definition.macs) this.endStatement();
    if (isElsewhere) this.chain.push(`from ${this.names.reference(input, this.path)}`);
    const references = others.map((other) => this.names.reference(other, this.path));
    const isUnnamed = this.names.define(layer, index, { isScored: this.scored.has(index) });
    const text = this.layerText(layer, references);
    this.append(isUnnamed ? text : `${text} as ${layer.name.split(".").at(-1)}`);
    this.current = { from: "layer", index };
  }

  /** A call; the join of a single value is a `concat` of one branch. */
  private layerText(layer: ResolvedLayer, others: readonly string[]): string {
    const { name, definition, values, inputs } = layer;
    const isBranch = definition.others !== undefined && inputs.length === 1;
    if (!isBranch) return callText(definition, values, others);
    if (definition.name !== "concat") throw new Error(`${definition.name} needs another value`);
    return `concat { branch ${this.names.unusedBeside(name)} {} }`;
  }

  private append(text: string): void {
    const width = [...this.chain, text].join(" -> ").length + this.indent.length;
    const isFrom = this.chain.length === 1 && this.chain[0]!.startsWith("from ");
    if (width > WIDTH && !isFrom) this.endStatement();
    this.chain.push(text);
  }

  private endStatement(): void {
    if (this.chain.length > 0) this.lines.push(`${this.indent}${this.chain.join(" -> ")}`);
    this.chain = [];
  }

  private get indent(): string {
    return "  ".repeat(this.path.length + 1);
  }

  /** Closes sections and opens others, up to the one of this path. */
  private enter(path: readonly string[]): void {
    const common = path.findIndex((part, depth) => part !== this.path[depth]);
    const shared = common < 0 ? Math.min(path.length, this.path.length) : common;
    if (shared === path.length && shared === this.path.length) return;
    this.endStatement();
    while (this.path.length > shared) {
      this.path = this.path.slice(0, -1);
      this.lines.push(`${this.indent}}`);
    }
    for (const part of path.slice(shared)) {
      this.names.open([...this.path, part]);
      this.lines.push(`${this.indent}${part} {`);
      this.path = [...this.path, part];
    }
  }

  /** Loss and metrics; where there is no loss, the value that the network predicts comes last. */
  private printEnd(): void {
    const { losses, metrics, outputs } = this.network;
    const { value } = outputs[0]!;
    const first = losses[0]?.score.prediction;
    if (first && !sameValue(first, value)) {
      throw new Error("a spec predicts what its first loss is taken of, and this network does not");
    }
    if (!first && !sameValue(value, this.current)) {
      this.lines.push(`  from ${this.names.reference(value, [])}`);
    }
    if (losses.length + metrics.length > 0) this.lines.push("");
    const terms = losses.map(({ score, factor }) => {
      return factor === 1 ? this.scoreText(score) : `${factor} * ${this.scoreText(score)}`;
    });
    if (terms.length > 0) this.lines.push(`  loss   ${terms.join(" + ")}`);
    const longest = Math.max(...metrics.map(({ name }) => name.length));
    for (const metric of metrics) {
      const name = requireName(metric.name).padEnd(longest);
      this.lines.push(`  metric ${name} = ${this.scoreText(metric)}`);
    }
  }

  private scoreText({ definition, values, prediction, target }: ResolvedScore): string {
    const ports = target.from === "input" ? this.network.inputs : this.network.targets;
    const names = [this.names.scoreReference(prediction), ports[target.index]!.name];
    return callText(definition, values, names);
  }
}

function portText({ name, type, classes }: NetworkPort): string {
  const range = classes === undefined ? "" : ` in 0..${classes}`;
  return `${requireName(name)}: ${type.dtype}${formatShape(type.shape)}${range}`;
}

/** A spec has one input, one target and one prediction so far. */
function requireOnePort({ name, inputs, targets, outputs }: ResolvedNetwork): void {
  if (inputs.length === 1 && targets.length <= 1 && outputs.length === 1) return;
  throw new Error(
    `a spec declares 1 input, at most 1 target and 1 output; ${name} has ${inputs.length}, ` +
      `${targets.length} and ${outputs.length}`,
  );
}
