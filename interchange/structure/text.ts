/** Items as the text of a spec. Layout is the formatter's; lines are broken here. */
import { useText } from "./calls.js";
import { docOf } from "./block-names.js";
import type { Functions } from "./functions.js";
import { bodiesOf, type Block, type Body, type Item } from "./items.js";
import { namedWithin } from "./references.js";
import { layerText } from "./slots.js";

/** Longer lines are continued in another statement. */
const WIDTH = 96;
/** Longest body that stays in a line with its braces. */
const SHORT = 56;

export interface TextOptions {
  /** What the network's inputs are called, by the numbers that layers read them by. */
  readonly inputs: ReadonlyMap<number, string>;
  /** Names of layers that the file gives, for those that keep them. */
  readonly taken: ReadonlySet<string>;
  readonly functions: Functions;
}

/** The statements of a body, and the declarations of its blocks. */
export class SpecWriter {
  /** Names so far, alone and behind those of the sections around them. */
  private readonly given = new Set<string>();
  /** Those that values are read by. */
  private readonly read = new Set<string>();
  private count = 0;

  constructor(private readonly options: TextOptions) {}

  block(block: Block): readonly string[] {
    const parameters = block.parameters.map(({ name, otherwise }) =>
      otherwise === undefined ? `${name}: int` : `${name}: int = ${otherwise}`,
    );
    const list = parameters.length === 0 ? "" : `(${parameters.join(", ")})`;
    const body = this.body(block.body).map((line) => `  ${line}`);
    return [`/// ${docOf(block)}`, `block ${block.name}${list} {`, ...body, "}", ""];
  }

  body(body: Body): readonly string[] {
    const names = new Map(this.options.inputs);
    const scope = { names, named: namedWithin(body), path: "", numbered: numberedIn(body) };
    return this.lines(body, scope);
  }

  private lines(body: Body, scope: Scope): readonly string[] {
    const chains: string[][] = [[]];
    const end = () => chains.push([]);
    const add = (text: string) => {
      const chain = chains.at(-1)!;
      const width = [...chain, text].join(" -> ").length;
      const isFrom = chain.length === 1 && chain[0]!.startsWith("from ");
      if (width > WIDTH && !isFrom) chains.push([text]);
      else chain.push(text);
    };
    let before: Item | undefined;
    for (const item of body) {
      if (startsLine(item) && !continuesUses(item, before, chains.at(-1)!)) end();
      before = item;
      if (item.form === "layer" && item.from !== undefined)
        add(`from ${scope.names.get(item.from)!}`);
      const lines = this.item(item, scope);
      if (lines.length === 1) add(lines[0]!);
      else chains.push(...lines.map((line) => [line]), []);
      if (isBraced(item) || scope.named.has(item.last)) end();
    }
    return chains.filter((chain) => chain.length > 0).map((chain) => chain.join(" -> "));
  }

  private item(item: Item, scope: Scope): readonly string[] {
    switch (item.form) {
      case "layer": {
        const others = item.others.map((other) => scope.names.get(other)!);
        const name = this.options.functions.of(item.layer);
        const call = name === undefined ? layerText(item, others) : functionText(name, others);
        return [`${call}${this.alias(item, scope)}`];
      }
      case "use":
        return [`${useText(item)}${this.alias(item, scope)}`];
      case "section":
        return braced(item.name, this.lines(item.body, inPath(scope, item.name, item.body)));
      case "repeat":
        return braced(`repeat ${item.count.text}`, this.lines(item.body, scope));
      case "for":
        return braced(forText(item), this.lines(item.body, scope));
      case "residual":
        return this.residual(item, scope);
      case "branches":
        return this.branches(item, scope);
    }
  }

  private residual(item: Extract<Item, { form: "residual" }>, scope: Scope): readonly string[] {
    const lines = braced("residual", this.lines(item.body, scope));
    const skip =
      typeof item.skip === "string"
        ? item.skip === "auto"
          ? [" skip auto"]
          : [""]
        : braced(" skip", this.lines(item.skip, inPath(scope, "skip", item.skip)));
    const joined = [...lines.slice(0, -1), lines.at(-1)! + skip[0]!, ...skip.slice(1)];
    return [...joined.slice(0, -1), joined.at(-1)! + this.alias(item, scope)];
  }

  private branches(item: Extract<Item, { form: "branches" }>, scope: Scope): readonly string[] {
    const lines = item.branches.flatMap(({ name, body }, index) =>
      braced(
        name === undefined ? "branch" : `branch ${name}`,
        this.lines(body, inPath(scope, name ?? `branch${index}`, body)),
      ),
    );
    const text = ["concat {", ...lines.map((line) => `  ${line}`)];
    return [...text, `}${this.alias(item, scope)}`];
  }

  /** `as NAME`, for values that are read by it and for names of the file. */
  private alias(item: Exclude<Item, Unnamed>, scope: Scope): string {
    const isRead = scope.named.has(item.last);
    const own = this.isFree(item, scope, { isRead }) ? item.alias : undefined;
    if (own === undefined && !isRead) return "";
    const name = own ?? this.nextName();
    this.given.add(name).add(`${scope.path}.${name}`);
    if (isRead) {
      this.read.add(name);
      scope.names.set(item.last, name);
    }
    return ` as ${name}`;
  }

  /** A section has a name once; the whole text, if a value is read by it: none may hide it. */
  private isFree(
    item: Exclude<Item, Unnamed>,
    { path, numbered }: Scope,
    { isRead }: { readonly isRead: boolean },
  ): boolean {
    const { form, alias: name } = item;
    if (name === undefined) return false;
    const { taken } = this.options;
    const stem = name.replace(/\d+$/, "");
    const isTaken = taken.has(name) || taken.has(stem);
    if (isTaken && form !== "use") return false;
    // Uses without a name are counted: `stage1`, `stage2`.
    if (form === "use" && stem === item.block.name && numbered.has(stem)) return false;
    return !this.read.has(name) && !this.given.has(isRead ? name : `${path}.${name}`);
  }

  /** `x`, `xa`, `xb`: without digits, which loops put behind names. */
  private nextName(): string {
    let name: string;
    do name = `x${lettersOf(this.count++)}`;
    while (this.options.taken.has(name) || this.given.has(name));
    return name;
  }
}

type Unnamed = Extract<Item, { form: "section" | "repeat" | "for" }>;

interface Scope {
  /** What values are called that were made so far. */
  readonly names: Map<number, string>;
  /** Values that must be called something. */
  readonly named: ReadonlySet<number>;
  readonly path: string;
  /** Names of blocks with an unnamed use in this part. */
  readonly numbered: ReadonlySet<string>;
}

function inPath(scope: Scope, name: string, body: Body): Scope {
  return { ...scope, path: `${scope.path}.${name}`, numbered: numberedIn(body) };
}

/** Names are those of a part: of a body, with its loops and what residual connections go around. */
function numberedIn(body: Body): ReadonlySet<string> {
  const names = body.flatMap((item) => {
    if (item.form === "use") return item.alias === undefined ? [item.block.name] : [];
    if (item.form === "section" || item.form === "branches") return [];
    const [own] = bodiesOf(item);
    return own === undefined ? [] : [...numberedIn(own)];
  });
  return new Set(names);
}

function lettersOf(count: number): string {
  if (count === 0) return "";
  return lettersOf(Math.floor((count - 1) / 26)) + String.fromCharCode(97 + ((count - 1) % 26));
}

const functionText = (name: string, others: readonly string[]): string =>
  others.length === 0 ? name : `${name}(${others.join(", ")})`;

/** Uses of blocks that are short share a line. */
const continuesUses = (item: Item, before: Item | undefined, chain: readonly string[]): boolean =>
  item.form === "use" &&
  item.alias === undefined &&
  before?.form === "use" &&
  [...chain, useText(item)].join(" -> ").length <= SHORT;

const isBraced = ({ form }: Item) => form !== "layer" && form !== "use";

const startsLine = (item: Item): boolean =>
  item.form !== "layer" || item.layer.definition.macs !== undefined || item.from !== undefined;

function braced(head: string, body: readonly string[]): readonly string[] {
  const [only = ""] = body;
  if (body.length === 0) return [`${head} {}`];
  if (body.length === 1 && only.length <= SHORT && !only.includes("{"))
    return [`${head} { ${only} }`];
  return [`${head} {`, ...body.map((line) => `  ${line}`), "}"];
}

function forText({ variables, rows }: Extract<Item, { form: "for" }>): string {
  const [variable, ...others] = variables;
  if (others.length === 0) return `for ${variable} in [${rows.map(([text]) => text).join(", ")}]`;
  const tuples = rows.map((row) => `(${row.join(", ")})`);
  return `for (${variables.join(", ")}) in [${tuples.join(", ")}]`;
}
