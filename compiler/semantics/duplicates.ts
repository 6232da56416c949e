import type { Identifier, Span } from "../../grammar/ast.js";
import type { Reporter } from "../calls/reporter.js";

/** Reports a name that is declared a second time. `noun` says what it names: "constant". */
export function reportTwice(
  name: string,
  noun: string,
  { first, second }: { readonly first: Span; readonly second: Span },
  reporter: Reporter,
): void {
  reporter.report("NET1004", {
    message: `${noun} \`${name}\` is declared twice`,
    span: second,
    label: "declared again",
    related: [{ span: first, message: "declared here first" }],
  });
}

/** The first declaration of each name, in order; reports the others. */
export function withoutDuplicates<Declared extends { readonly name: Identifier }>(
  declarations: readonly Declared[],
  noun: string,
  reporter: Reporter,
): ReadonlyMap<string, Declared> {
  const known = new Map<string, Declared>();
  for (const declaration of declarations) {
    const { name, span } = declaration.name;
    const first = known.get(name);
    if (first) reportTwice(name, noun, { first: first.name.span, second: span }, reporter);
    else known.set(name, declaration);
  }
  return known;
}
