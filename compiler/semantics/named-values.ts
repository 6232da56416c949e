import type { Identifier, Span } from "../../grammar/ast.js";
import type { NamedValue } from "./values.js";
import type { Place } from "./place.js";
import { didYouMean, listNames, listOr, renameFixes } from "../calls/suggestion.js";

/**
 * The values of a network that `from`, `add` and the like can name: every layer's output, by its
 * full name.
 */
export class NamedValues {
  /** By full name, and by the name as written in a loop: the last turn's. */
  private readonly byName = new Map<string, NamedValue>();
  /** Those that the spec itself gave a name, by full name. */
  readonly aliased = new Map<string, NamedValue>();
  /** Names of the inputs, where there are several. */
  inputs: readonly string[] = [];

  /** These values, and the others whose names are not taken. */
  with(others: NamedValues): NamedValues {
    const all = new NamedValues();
    all.inputs = this.inputs;
    for (const { byName, aliased } of [others, this]) {
      for (const [name, value] of byName) all.byName.set(name, value);
      for (const [name, value] of aliased) all.aliased.set(name, value);
    }
    return all;
  }

  /** @param alias the name as written, if there is one */
  define(value: NamedValue, { path }: Place, alias: Identifier | undefined): void {
    this.byName.set(value.name, value);
    if (!alias) return;
    this.byName.set([...path, alias.name].join("."), value);
    this.aliased.set(value.name, value);
  }

  /** Hides the values of layers from this one on: what a score computes may need a target. */
  hideFrom(layer: number): void {
    for (const [name, { current }] of this.byName)
      if (current.index >= layer) this.byName.delete(name);
  }

  /** What a name means at a place: in its own section first, then further out, up to its block. */
  find(name: string, { path, outside }: Place): NamedValue | undefined {
    for (let depth = path.length; depth >= outside; depth--) {
      const found = this.byName.get([...path.slice(0, depth), name].join("."));
      if (found) return found;
    }
    // Named in a section that is not around: if only one is, it is meant.
    const prefix = path
      .slice(0, outside)
      .map((part) => `${part}.`)
      .join("");
    const matches = [...this.aliased].filter(
      ([full]) => full.startsWith(prefix) && full.endsWith(`.${name}`),
    );
    return matches.length === 1 ? matches[0]![1] : undefined;
  }

  /** What `from` at top level calls the output of a layer, and where that name is given. */
  nameOf(layer: number): { readonly name: string; readonly span: Span } | undefined {
    const found = [...this.byName].filter(([, { current }]) => current.index === layer);
    const [first, ...others] = found.map(([name, { span }]) => ({ name, span }));
    return others.reduce(
      (best, each) => (each.name.length < best!.name.length ? each : best),
      first,
    );
  }

  /** Whether a name means something in the network around the block that a place is in. */
  isOutside(name: string, { outside }: Place): boolean {
    return outside > 0 && this.byName.has(name);
  }

  /** Names that are seen from a place, as it would write them. */
  namesAt({ path, outside }: Place): readonly string[] {
    const prefix = path
      .slice(0, outside)
      .map((part) => `${part}.`)
      .join("");
    const named = [...this.aliased.keys()]
      .filter((name) => name.startsWith(prefix))
      .map((name) => name.slice(prefix.length));
    return [...(outside === 0 ? this.inputs : []), ...named];
  }
}

/**
 * Reports a name that has no value at its place. @param later where the value is made, if it
 * is further down
 */
export function reportNoValue(
  name: string,
  span: Span,
  place: Place,
  { values, later }: { readonly values: NamedValues; readonly later: Span | undefined },
): undefined {
  const { reporter } = place.environment;
  if (later) {
    return reporter.report("NET1012", {
      message: `\`${name}\` is used before it exists`,
      span,
      label: "used here",
      related: [{ span: later, message: "made only here" }],
      notes: [
        "a model is read from top to bottom: a value can be used below the layer that makes it",
      ],
    });
  }
  const names = values.namesAt(place);
  if (values.isOutside(name, place)) {
    return reporter.report("NET1021", {
      message:
        `there is no value \`${name}\` in this block, which sees none ` +
        "of the network around it",
      span,
      notes: ["`identity as x` at the start of a block names what comes in"],
    });
  }
  const several = names.filter((full) => full.endsWith(`.${name}`));
  if (several.length > 1) {
    return reporter.report("NET1021", {
      message: `\`${name}\` may be ${listOr(several)}`,
      span,
      label: "which of them?",
    });
  }
  const known = names.length ? `named values are ${listNames(names)}` : "no layer has a name yet";
  const short = name.split(".").at(-1)!;
  return reporter.report("NET1021", {
    message: `there is no value \`${name}\`${didYouMean(name, names)}`,
    span,
    notes: [`${known}; \`as ${short}\` after a layer names its output`],
    fixes: renameFixes(span, name, names),
  });
}
