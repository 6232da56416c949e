/** The forward pass of a module as lines of Python. */
import { leaves } from "../../../compiler/ir/expression-transform.js";
import type { LayerCall } from "../layer-call.js";
import { torchLayers } from "./layers.js";
import { attributeName, variableName } from "./python.js";
import { isTree, keyOf, type ModuleTree, type Step, type ValueKey } from "./tree.js";

/** Longest expression of a line. */
const WIDTH = 76;

export function forwardLines(tree: ModuleTree): readonly string[] {
  return new Forward(tree).run();
}

/** An expression that is not in a variable: its only reader is the next step. */
interface Pending {
  readonly key: ValueKey;
  readonly text: string;
  readonly isInfix: boolean;
  readonly step: Step;
}

/** Whose operands need brackets where they are sums or products. */
const INFIX = new Set(["add", "multiply", "hardsigmoid", "let", "crop", "slice"]);

class Forward {
  private readonly lines: string[] = [];
  /** How many reads of a value are still to come. */
  private readonly reads = new Map<ValueKey, number>();
  private readonly variables = new Map<ValueKey, string>();
  private pending: Pending | undefined;

  constructor(private readonly tree: ModuleTree) {
    for (const step of tree.steps) for (const key of operandsOf(step)) this.count(key, 1);
    for (const key of tree.gives) this.count(key, 1);
    tree.reads.forEach((key, index) => {
      this.variables.set(key, tree.reads.length === 1 ? "x" : this.fresh(`x${index + 1}`));
    });
  }

  run(): readonly string[] {
    const inputs = [...this.variables.values()];
    this.tree.steps.forEach((step, index) => this.write(step, this.tree.steps[index + 1]));
    const results = this.tree.gives.map((key) => this.operand(key, { inBrackets: false }));
    const lines = [...this.lines, `return ${results.join(", ")}`];
    return [`def forward(self, ${inputs.join(", ")}):`, ...lines.map((line) => `    ${line}`)];
  }

  private write(step: Step, next: Step | undefined): void {
    const operands = operandsOf(step);
    if (this.pending && !operands.includes(this.pending.key)) this.keep();
    if (this.textOf(step).length > WIDTH) this.keep();
    const text = this.textOf(step);
    this.pending = undefined;
    for (const key of operands) this.count(key, -1);
    const isInfix = !isTree(step.what) && ["add", "multiply", "let"].includes(step.what.kind);
    const [key, ...others] = step.gives;
    const readers = next ? operandsOf(next) : this.tree.gives;
    const isReadNext =
      this.reads.get(key!) === 1 && readers.filter((each) => each === key).length === 1;
    if (others.length === 0 && isReadNext) {
      this.pending = { key: key!, text, isInfix, step };
      return;
    }
    this.assign(step, text);
  }

  /** Puts a pending expression into a variable. */
  private keep(): void {
    const { pending } = this;
    this.pending = undefined;
    if (pending) this.assign(pending.step, pending.text);
  }

  private assign(step: Step, text: string): void {
    const names = step.gives.map((key) => {
      const name = this.nameFor(step);
      this.variables.set(key, name);
      return name;
    });
    this.lines.push(`${names.join(", ")} = ${text}`);
  }

  /** A variable that nothing reads again, or a new one. */
  private nameFor(step: Step): string {
    const isAlive = (key: ValueKey) => (this.reads.get(key) ?? 0) > 0;
    const free = operandsOf(step).find((key) => !isAlive(key) && this.variables.has(key));
    const freed = free === undefined ? undefined : this.variables.get(free)!;
    for (const key of [...this.variables.keys()]) if (!isAlive(key)) this.variables.delete(key);
    const alive = [...this.variables.values()];
    if (freed !== undefined && !alive.includes(freed)) return freed;
    if (!alive.includes("x")) return "x";
    const isNamed = !isTree(step.what) && !/^[a-z_0-9]*[a-z]\d+$/.test(step.name);
    const short = ["y", "z"].filter((name) => !alive.includes(name));
    return this.fresh(isNamed ? variableName(step.name) : (short[0] ?? variableName(step.name)));
  }

  private fresh(name: string): string {
    const alive = [...this.variables.values()];
    let fresh = name;
    for (let count = 2; alive.includes(fresh); count++) fresh = `${name}_${count}`;
    return fresh;
  }

  private textOf({ name, what, reads }: Step): string {
    const self = `self.${attributeName(name)}`;
    if (isTree(what)) return `${self}(${this.texts(reads, { inBrackets: false }).join(", ")})`;
    const keys = what.layer.inputs.map(keyOf);
    const inputs = this.texts(keys, { inBrackets: INFIX.has(what.kind) });
    return applied(what, inputs as [string, ...string[]], self);
  }

  private texts(
    keys: readonly ValueKey[],
    options: { readonly inBrackets: boolean },
  ): readonly string[] {
    return keys.map((key) => this.operand(key, options));
  }

  private operand(key: ValueKey, { inBrackets }: { readonly inBrackets: boolean }): string {
    const { pending } = this;
    if (pending?.key === key) {
      return pending.isInfix && inBrackets ? `(${pending.text})` : pending.text;
    }
    const variable = this.variables.get(key);
    if (variable === undefined) throw new Error(`${this.tree.name} reads ${key} before it is made`);
    return variable;
  }

  private count(key: ValueKey, by: number): void {
    this.reads.set(key, (this.reads.get(key) ?? 0) + by);
  }
}

/** Every read of a value: a formula may read one several times. */
function operandsOf({ what, reads }: Step): readonly ValueKey[] {
  if (isTree(what)) return reads;
  const keys = what.layer.inputs.map(keyOf);
  return what.kind === "let" ? leaves(what.formula).map(({ index }) => keys[index]!) : keys;
}

function applied(call: LayerCall, inputs: readonly [string, ...string[]], self: string): string {
  const { apply } = torchLayers[call.kind]!;
  return apply ? apply(call, inputs, self) : `${self}(${inputs[0]})`;
}
