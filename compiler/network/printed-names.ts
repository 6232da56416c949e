import { sameValue } from "./facts.js";
import type { NetworkValue, ResolvedLayer, ResolvedNetwork } from "./resolved.js";
import type { ShareUse } from "./share-uses.js";

/** A value that is read where another one has its name. */
export class HiddenName extends Error {
  constructor(
    readonly value: NetworkValue,
    name: string,
  ) {
    super(`another value hides \`${name}\` where it is read`);
  }
}

/** What names mean where a spec is being printed, by the rules of the language. */
export class PrintedNames {
  /** Every value so far, by its full name. */
  private readonly values = new Map<string, NetworkValue>();
  /** Those that the text names with `as`, which alone scores may be taken of. */
  private readonly aliased = new Map<string, NetworkValue>();
  /** Full names of layers and sections so far. */
  private readonly taken = new Set<string>();
  /** Uses of shared layers, by the layer that makes their value. */
  private readonly useOf = new Map<number, string>();
  /** Second names, by the first: of values that others hide. */
  private readonly renamed = new Map<string, string>();
  /** Layers without a name, by prefix and kind. */
  private readonly counts = new Map<string, number>();

  constructor(private readonly network: ResolvedNetwork) {
    for (const [index, { name }] of network.inputs.entries()) {
      this.values.set(name, { from: "input", index });
    }
  }

  /** A section begins; it begins once. */
  open(path: readonly string[]): void {
    requireName(path.at(-1)!);
    if (SECTION_WORDS.has(path.at(-1)!)) {
      throw new Error(`\`${path.at(-1)}\` is a word of the language and cannot name a section`);
    }
    this.take(path.join("."), "the layers of a section must be next to each other");
  }

  /** Makes a layer's output known. True if the language gives it this name without `as`. */
  define(
    { name, definition }: ResolvedLayer,
    index: number,
    { isScored }: { readonly isScored: boolean },
  ): boolean {
    const path = name.split(".");
    const own = requireName(path.pop()!);
    this.take(name, "names of layers must be different");
    const value = { from: "layer", index } as const;
    this.values.set(name, value);
    const kind = [...path, definition.name].join(".");
    const count = (this.counts.get(kind) ?? 0) + 1;
    const isUnnamed = !isScored && own === `${definition.name}${count}`;
    if (isUnnamed) this.counts.set(kind, count);
    else this.aliased.set(name, value);
    return isUnnamed;
  }

  /**
   * Makes a use of shared layers known, and its layers. True if the language names it so itself.
   */
  defineUse(
    { name, share, first, count }: ShareUse,
    { isScored }: { readonly isScored: boolean },
  ): boolean {
    const path = name.split(".");
    const own = requireName(path.pop()!);
    this.take(name, "names of layers must be different");
    for (let index = first; index < first + count; index++) {
      const layer = this.network.layers[index]!.name;
      this.take(layer, "names of layers must be different");
      this.values.set(layer, { from: "layer", index });
    }
    const value = { from: "layer", index: first + count - 1 } as const;
    this.values.set(name, value);
    this.useOf.set(value.index, name);
    const kind = [...path, share].join(".");
    const turn = (this.counts.get(kind) ?? 0) + 1;
    const isUnnamed = !isScored && own === `${share}${turn}`;
    if (isUnnamed) this.counts.set(kind, turn);
    else this.aliased.set(name, value);
    return isUnnamed;
  }

  /** The last part of a name that nothing in the layer's section has. */
  unusedBeside(layer: string): string {
    const isUsed = (name: string) =>
      this.network.layers.some((each) => each.name === name || each.name.startsWith(`${name}.`));
    let name = `${layer}_input`;
    while (isUsed(name)) name += "_";
    return name.split(".").at(-1)!;
  }

  /** Gives a value a second name in its section, which nothing else has anywhere. */
  rename(value: NetworkValue): string {
    const path = this.nameOf(value).split(".");
    const { inputs, targets, layers } = this.network;
    const parts = [...inputs, ...targets, ...layers].flatMap(({ name }) => name.split("."));
    const used = new Set(
      [...parts, ...this.renamed.values()].map((name) => name.split(".").at(-1)),
    );
    let name = `${path.pop()}_outer`;
    while (used.has(name)) name += "_";
    const full = [...path, name].join(".");
    this.renamed.set(this.nameOf(value), full);
    this.values.set(full, value);
    return name;
  }

  private nameOf(value: NetworkValue): string {
    const ports = value.from === "input" ? this.network.inputs : this.network.layers;
    const use = value.from === "layer" ? this.useOf.get(value.index) : undefined;
    return use ?? ports[value.index]!.name;
  }

  /** The shortest name that means a value at a place. */
  reference(value: NetworkValue, path: readonly string[]): string {
    return this.shortest(value, (name) => this.find(name, path));
  }

  /** The shortest name that means a value in a loss or a metric. */
  scoreReference(value: NetworkValue): string {
    return this.shortest(value, (name) => {
      const exact = this.aliased.get(name);
      if (exact) return exact;
      const matches = [...this.aliased].filter(([full]) => full.endsWith(`.${name}`));
      return matches.length === 1 ? matches[0]![1] : undefined;
    });
  }

  private shortest(
    value: NetworkValue,
    meaningOf: (name: string) => NetworkValue | undefined,
  ): string {
    const name = this.nameOf(value);
    const endings = (full: string) =>
      full.split(".").map((_, index, parts) => parts.slice(-index - 1).join("."));
    const second = this.renamed.get(name);
    const found = [...endings(name), ...(second ? endings(second) : [])].find((each) => {
      const meaning = meaningOf(each);
      return meaning && sameValue(meaning, value);
    });
    if (found === undefined) throw new HiddenName(value, name);
    return found;
  }

  /** In its own section first, then further out. */
  private find(name: string, path: readonly string[]): NetworkValue | undefined {
    for (let depth = path.length; depth >= 0; depth--) {
      const found = this.values.get([...path.slice(0, depth), name].join("."));
      if (found) return found;
    }
    return undefined;
  }

  private take(name: string, rule: string): void {
    if (this.taken.has(name)) throw new Error(`\`${name}\` is there twice: ${rule}`);
    this.taken.add(name);
  }
}

/** Words that start something else where a section may begin. */
const SECTION_WORDS = new Set([
  ...["block", "branch", "concat", "data", "from", "import", "input", "loss", "metric"],
  ...["repeat", "residual", "share", "skip", "split", "target", "train"],
]);

const RESERVED = new Set(["and", "as", "const", "false", "for", "model", "not", "or", "true"]);

/** The name; throws where the language cannot write it. */
export function requireName(name: string): string {
  if (/^[A-Za-z_][A-Za-z_0-9]*$/.test(name) && !RESERVED.has(name)) return name;
  throw new Error(`\`${name}\` cannot be a name in a spec: letters, digits and _ can, no keywords`);
}
