/** Modules of a network: sections, blocks and shares by the names of their layers. */
import type { NetworkValue, ResolvedNetwork } from "../../../compiler/network/resolved.js";
import type { ShareUse } from "../../../compiler/network/share-uses.js";
import { LayerCall } from "../layer-call.js";
import type { ExportModel } from "../model.js";

/** A value by where it comes from: `input 0`, `layer 12`. */
export type ValueKey = string;

export const keyOf = ({ from, index }: NetworkValue): ValueKey => `${from} ${index}`;

/** Something that a forward pass calls: a layer, or a module with layers in it. */
export interface Step {
  /** What the module around it calls it. */
  readonly name: string;
  readonly what: LayerCall | ModuleTree;
  readonly reads: readonly ValueKey[];
  /** Of what is read behind it, or predicted. */
  readonly gives: readonly ValueKey[];
}

export interface ModuleTree {
  readonly name: string;
  /** The block that it is a use of. */
  readonly block?: string;
  readonly steps: readonly Step[];
  readonly reads: readonly ValueKey[];
  readonly gives: readonly ValueKey[];
}

export const isTree = (what: LayerCall | ModuleTree): what is ModuleTree => "steps" in what;

/** Layers next to each other, `first` up to and not including `end`. */
interface Range {
  readonly first: number;
  readonly end: number;
}

/** The network as one module. `uses` are those of shared layers. */
export function treeOf(model: ExportModel, uses: readonly ShareUse[]): ModuleTree {
  return new TreeBuilder(model, uses).run();
}

class TreeBuilder {
  private readonly network: ResolvedNetwork;
  private readonly shares = new Map<string, ModuleTree>();
  /** Of each layer the last one that reads it, or Infinity where it is predicted. */
  private readonly lastReader: readonly number[];

  constructor(
    private readonly model: ExportModel,
    private readonly uses: readonly ShareUse[],
  ) {
    this.network = model.network;
    this.lastReader = lastReaders(model.network);
  }

  run(): ModuleTree {
    const { name, layers, inputs, outputs } = this.network;
    return {
      name,
      steps: this.stepsOf({ first: 0, end: layers.length }, 0, this.uses),
      reads: inputs.map((_, index) => keyOf({ from: "input", index })),
      gives: outputs.map(({ value }) => keyOf(value)),
    };
  }

  private stepsOf(range: Range, depth: number, uses: readonly ShareUse[]): readonly Step[] {
    const steps: Step[] = [];
    for (let first = range.first; first < range.end;) {
      const use = uses.find((each) => each.first === first);
      const end = use ? first + use.count : this.endOf(first, range.end, depth);
      steps.push(
        use ? this.useStep(use, { first, end }) : this.step({ first, end }, { depth, uses }),
      );
      first = end;
    }
    return steps;
  }

  /** Where the section ends that the layer is in at this depth. */
  private endOf(index: number, end: number, depth: number): number {
    const path = this.pathOf(index);
    let next = index + 1;
    if (path.length === depth + 1) return next;
    while (next < end && startsAlike(path, this.pathOf(next), depth + 1)) next++;
    return next;
  }

  private pathOf(index: number): readonly string[] {
    return this.network.layers[index]!.name.split(".");
  }

  private step(
    range: Range,
    { depth, uses }: { readonly depth: number; readonly uses: readonly ShareUse[] },
  ): Step {
    const path = this.pathOf(range.first);
    const ends = { reads: this.readsOf(range), gives: this.givesOf(range) };
    const name = path[depth]!;
    if (path.length === depth + 1) return { name, what: this.callOf(range.first), ...ends };
    const steps = this.stepsOf(range, depth + 1, uses);
    const block = this.blockOf(path.slice(0, depth + 1).join("."));
    return { name, what: { name, block: block || undefined, steps, ...ends }, ...ends };
  }

  /** The module of a share is made of its first use; others only call it. */
  private useStep(use: ShareUse, range: Range): Step {
    const name = use.share;
    const ends = { reads: this.readsOf(range), gives: this.givesOf(range) };
    const known = this.shares.get(name);
    if (known) return { name, what: known, ...ends };
    const tree = { name, steps: this.stepsOf(range, use.name.split(".").length, []), ...ends };
    this.shares.set(name, tree);
    return { name, what: tree, ...ends };
  }

  private callOf(index: number): LayerCall {
    return new LayerCall(this.model, this.network.layers[index]!);
  }

  private blockOf(name: string): string | undefined {
    const group = this.network.groups.find((each) => each.name === name && each.kind === "block");
    return group?.label.replace(/\(.*/s, "");
  }

  private readsOf({ first, end }: Range): readonly ValueKey[] {
    const inputs = this.network.layers.slice(first, end).flatMap((layer) => layer.inputs);
    const outer = inputs.filter(({ from, index }) => from !== "layer" || index < first);
    return [...new Set(outer.map(keyOf))];
  }

  private givesOf({ first, end }: Range): readonly ValueKey[] {
    const keys: ValueKey[] = [];
    for (let index = first; index < end; index++) {
      if (this.lastReader[index]! >= end) keys.push(keyOf({ from: "layer", index }));
    }
    return keys;
  }
}

function lastReaders({ layers, outputs }: ResolvedNetwork): readonly number[] {
  const last = new Array<number>(layers.length).fill(-1);
  layers.forEach(({ inputs }, reader) => {
    for (const { from, index } of inputs) if (from === "layer") last[index] = reader;
  });
  for (const { value } of outputs) if (value.from === "layer") last[value.index] = Infinity;
  return last;
}

const startsAlike = (a: readonly string[], b: readonly string[], length: number) =>
  b.length > length && a.slice(0, length).every((part, index) => part === b[index]);
