import type { CallExpression, Span } from "../../grammar/ast.js";
import type { Reporter } from "./reporter.js";

/**
 * Full names of layers and sections: `features.conv1`. What has no name is numbered per section and kind, from 1.
 * Every name stands for one thing.
 */
export class LayerNames {
  private readonly taken = new Map<string, Span>();
  private readonly counts = new Map<string, number>();

  constructor(private readonly reporter: Reporter) {}

  /** The name of a layer in a section; `path` is empty at top level. */
  nameLayer(path: readonly string[], kind: string, { alias, callee }: CallExpression): string {
    const name = [...path, alias?.name ?? this.nextNumber(path, kind)].join(".");
    this.take(name, alias?.span ?? callee.span, "layer");
    return name;
  }

  nameSection(path: readonly string[], name: string, span: Span): void {
    this.take([...path, name].join("."), span, "section");
  }

  private nextNumber(path: readonly string[], kind: string): string {
    const prefix = [...path, kind].join(".");
    const count = (this.counts.get(prefix) ?? 0) + 1;
    this.counts.set(prefix, count);
    return `${kind}${count}`;
  }

  private take(name: string, span: Span, noun: string): void {
    const first = this.taken.get(name);
    if (!first) {
      this.taken.set(name, span);
      return;
    }
    this.reporter.report("NET1005", {
      message: `two parts of the network are called \`${name}\``,
      span,
      label: `this ${noun} would be \`${name}\` too`,
      related: [{ span: first, message: `this is \`${name}\`` }],
      notes: ["names of weights follow these names, so each stands for one thing only"],
    });
  }
}
