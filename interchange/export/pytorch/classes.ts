/**
 * The classes of a Python file: one for each structure of modules. Modules that differ in
 * numbers alone are instances of one class, whose constructor takes the numbers that differ.
 */
import type { LayerCall } from "../layer-call.js";
import { forwardLines } from "./forward.js";
import { torchLayers, type Argument, type Constructor } from "./layers.js";
import { attributeName, className } from "./python.js";
import { isTree, type ModuleTree, type Step } from "./tree.js";

/** What a constructor assigns to an attribute. */
export type ModuleForm =
  | ({ readonly is: "layer" } & Constructor)
  | { readonly is: "sequence"; readonly parts: readonly Attribute[] }
  | { readonly is: "instance"; readonly of: ModuleClass; readonly arguments: readonly Argument[] };

export interface Attribute {
  readonly name: string;
  readonly form: ModuleForm;
}

export interface ModuleClass {
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly forward: readonly string[];
  /** Of each instance the arguments of everything in it, in the order of the attributes. */
  readonly instances: (readonly Argument[])[];
}

/** Arguments of everything within a form. */
export function argumentsOf(form: ModuleForm): readonly Argument[] {
  return form.is === "sequence"
    ? form.parts.flatMap((part) => argumentsOf(part.form))
    : form.arguments;
}

export class Classes {
  private readonly byKey = new Map<string, ModuleClass>();
  private readonly taken = new Map<string, number>();

  /** In the order in which Python must read them: what a class uses comes before it. */
  get all(): readonly ModuleClass[] {
    return [...this.byKey.values()];
  }

  add(tree: ModuleTree): ModuleClass {
    return this.instanceOf(tree).of;
  }

  private instanceOf(tree: ModuleTree): Extract<ModuleForm, { readonly is: "instance" }> {
    const attributes = this.attributesOf(tree.steps);
    const forward = forwardLines(tree);
    const base = className(tree.block ?? tree.name);
    const key = JSON.stringify([base, attributes.map(keyOf), forward]);
    const given = attributes.flatMap(({ form }) => argumentsOf(form));
    const known = this.byKey.get(key);
    const type = known ?? { name: this.fresh(base), attributes, forward, instances: [] };
    this.byKey.set(key, type);
    type.instances.push(given);
    return { is: "instance", of: type, arguments: given };
  }

  private attributesOf(steps: readonly Step[]): readonly Attribute[] {
    const attributes = new Map<string, ModuleForm>();
    for (const { name, what } of steps) {
      const own = attributeName(name);
      const form = attributes.has(own) ? undefined : this.formOf(what);
      if (form) attributes.set(own, form);
    }
    return [...attributes].map(([name, form]) => ({ name, form }));
  }

  private formOf(what: LayerCall | ModuleTree): ModuleForm | undefined {
    if (!isTree(what)) {
      const { hasState, module } = torchLayers[what.kind]!;
      const made = hasState ? module?.(what) : undefined;
      return made && { is: "layer", ...made };
    }
    return isSequence(what) ? this.sequenceOf(what) : this.instanceOf(what);
  }

  private sequenceOf({ steps }: ModuleTree): ModuleForm {
    const parts = steps.map(({ name, what }): Attribute => {
      const form = isTree(what)
        ? this.formOf(what)!
        : ({ is: "layer", ...torchLayers[what.kind]!.module!(what)! } as const);
      return { name: attributeName(name), form };
    });
    return { is: "sequence", parts };
  }

  private fresh(base: string): string {
    const count = (this.taken.get(base) ?? 0) + 1;
    this.taken.set(base, count);
    return count === 1 ? base : `${base}${count}`;
  }
}

function keyOf({ name, form }: Attribute): unknown {
  if (form.is === "sequence") return [name, form.parts.map(keyOf)];
  if (form.is === "instance") return [name, form.of.name];
  return [name, form.callee, form.arguments.map((argument) => argument.name)];
}

/** Whether a section is a chain of modules, which `nn.Sequential` says. Blocks are classes. */
function isSequence({ block, steps, reads, gives }: ModuleTree): boolean {
  if (block !== undefined || reads.length !== 1 || gives.length !== 1) return false;
  return steps.every(({ what, ...step }, index) => {
    const before = steps[index - 1]?.gives ?? reads;
    const isChained = step.reads.length === 1 && step.reads[0] === before[0];
    const isEnd = index < steps.length - 1 || step.gives[0] === gives[0];
    return isChained && isEnd && step.gives.length === 1 && (isTree(what) || isModule(what));
  });
}

/** Whether a module alone computes the layer. */
function isModule(call: LayerCall): boolean {
  const { module, apply, hasState } = torchLayers[call.kind]!;
  if (!module?.(call)) return false;
  return !hasState || !apply || apply(call, ["x"], "f") === "f(x)";
}

/** A number that a class's constructor takes. */
export interface ClassParameter {
  readonly name: string;
  /** One of the columns of the instances' arguments that hold it. */
  readonly column: number;
  /** What it is where a call does not give it. */
  readonly otherwise?: string;
}

/** The numbers that a class's constructor takes: its columns that differ by instance. */
export interface ClassParameters {
  /** In the constructor's order: those with a default come last. */
  readonly list: readonly ClassParameter[];
  /** Of each column the parameter's name, where it is one. */
  readonly ofColumn: readonly (string | undefined)[];
}

const CHANNELS = new Set([
  ...["in_channels", "out_channels", "num_features", "num_channels", "normalized_shape"],
  ...["in_features", "out_features", "groups", "embed_dim"],
]);

export function parametersOf({ instances }: ModuleClass): ClassParameters {
  const [first] = instances as [readonly Argument[]];
  const found = new Map<string, ClassParameter>();
  const taken = new Set<string>();
  const ofColumn = first.map(({ name, otherwise }, column) => {
    const values = instances.map((each) => each[column]!.value);
    if (values.every((value) => value === values[0])) return undefined;
    const key = JSON.stringify([CHANNELS.has(name) ? "channels" : name, values]);
    const known = found.get(key);
    const own = known ?? { name: freshName(plainName(name), taken), column };
    const isDefault = otherwise !== undefined && (!known || known.otherwise === otherwise);
    const bare = { name: own.name, column: own.column };
    found.set(key, isDefault ? { ...bare, otherwise } : bare);
    return own.name;
  });
  const [needed, defaulted] = [true, false].map((isNeeded) =>
    [...found.values()].filter((each) => (each.otherwise === undefined) === isNeeded),
  ) as [ClassParameter[], ClassParameter[]];
  return { list: [...needed, ...defaulted], ofColumn };
}

const plainName = (name: string) =>
  /^(num_features|num_channels|num_groups|normalized_.*|embed_dim)$/.test(name) ? "channels" : name;

function freshName(name: string, taken: Set<string>): string {
  let [fresh, count] = [name, 1];
  while (taken.has(fresh)) fresh = `${name}${++count}`;
  taken.add(fresh);
  return fresh;
}
