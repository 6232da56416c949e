import type { Span } from "../../grammar/ast.js";
import type { Constant } from "./constant.js";

export interface ScopeEntry {
  readonly name: string;
  readonly kind: "constant" | "parameter" | "variable";
  /** Undefined where the value could not be computed, which was reported then. */
  readonly value: Constant | undefined;
  readonly span: Span;
  used: boolean;
}

/** Names of constants and parameters; an inner scope sees the outer one. */
export class Scope {
  private readonly entries = new Map<string, ScopeEntry>();
  private readonly later = new Map<string, Span>();

  constructor(private readonly outer?: Scope) {}

  define(
    name: string,
    value: Constant | undefined,
    span: Span,
    kind: ScopeEntry["kind"] = "constant",
  ): void {
    this.entries.set(name, { name, kind, value, span, used: false });
    this.later.delete(name);
  }

  /** Makes known that a name is defined further down, for a better message. */
  announce(name: string, span: Span): void {
    this.later.set(name, span);
  }

  /** The entry of a name, which counts as used from now on. */
  use(name: string): ScopeEntry | undefined {
    const entry = this.entries.get(name);
    if (entry) entry.used = true;
    return entry ?? this.outer?.use(name);
  }

  own(name: string): ScopeEntry | undefined {
    return this.entries.get(name);
  }

  /** Where a name that is not yet defined will be. */
  definedLater(name: string): Span | undefined {
    return this.later.get(name) ?? this.outer?.definedLater(name);
  }

  has(name: string): boolean {
    return this.entries.has(name) || (this.outer?.has(name) ?? false);
  }

  get names(): readonly string[] {
    return [...this.entries.keys(), ...(this.outer?.names ?? [])];
  }

  get unused(): readonly ScopeEntry[] {
    return [...this.entries.values()].filter((entry) => !entry.used);
  }
}
