import type { Identifier, Span } from "../../grammar/ast.js";
import type { Reporter } from "../calls/reporter.js";

/** What is to be named: a layer, a section, the use of a block. */
export interface Naming {
  /** The prefix of its name: sections, uses of blocks, branches. Empty at top level. */
  readonly path: readonly string[];
  /** What it is called if it has no name: its kind with a number. */
  readonly kind: string;
  /** The name that the spec gives it. */
  readonly alias?: Identifier | undefined;
  /** Its place. */
  readonly span: Span;
  /** Whether it is in a loop, whose iterations add a number to its name: `stage1`, `stage2`. */
  readonly isRepeated: boolean;
}

/**
 * Full names of layers, sections and uses of blocks: `features.conv1`. What has no name is numbered
 * per prefix and kind, from 1; so are names in a loop's body. Every name is unique.
 * Names of weights follow from these: they stay the same as long as the layers before them in the
 * same section, block or branch do.
 */
export class LayerNames {
  private readonly taken = new Map<string, Span>();
  private readonly counts = new Map<string, number>();

  /** The full name. Reports one that is taken already. */
  take({ path, kind, alias, span, isRepeated }: Naming, reporter: Reporter): string {
    const isNumbered = alias === undefined || isRepeated;
    const own = isNumbered ? this.nextNumber(path, alias?.name ?? kind) : alias.name;
    const name = [...path, own].join(".");
    const first = this.taken.get(name);
    if (first) reportTaken(name, { first, second: alias?.span ?? span }, reporter);
    else this.taken.set(name, alias?.span ?? span);
    return name;
  }

  private nextNumber(path: readonly string[], kind: string): string {
    const prefix = [...path, kind].join(".");
    const count = (this.counts.get(prefix) ?? 0) + 1;
    this.counts.set(prefix, count);
    return `${kind}${count}`;
  }
}

function reportTaken(
  name: string,
  { first, second }: { readonly first: Span; readonly second: Span },
  reporter: Reporter,
): void {
  reporter.report("NET1005", {
    message: `two parts of the network are called \`${name}\``,
    span: second,
    label: `this would be \`${name}\` too`,
    related: [{ span: first, message: `this is \`${name}\`` }],
    notes: ["names of weights follow these names, so each must be unique"],
  });
}
