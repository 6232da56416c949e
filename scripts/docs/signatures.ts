import { aliasNames } from "../../compiler/diagnostics/alias.js";
import type { ArgumentDeclaration, Described } from "../../compiler/calls/signature.js";
import { code, codes, page, sentence, table } from "./markdown.js";

/** A layer has samples instead of an example. */
type Exemplified = Described & { readonly example?: string };

/** What may be called, as a section of a page: its summary, other names, arguments, an example. */
export function describeCall(definition: Exemplified, ...details: readonly string[]): string {
  return page(
    `### ${definition.name}`,
    `${sentence(definition.summary)} ${otherNames(definition)}`,
    ...details,
    positionalArguments(definition),
    argumentTable(definition),
    definition.example === undefined ? "" : `Example: ${code(definition.example)}`,
  );
}

/** What other frameworks call it: accepted nowhere, but answered with its name here. */
function otherNames({ aliases }: Described): string {
  return aliases.length > 0 ? `Elsewhere: ${codes(aliasNames(aliases))}.` : "";
}

function positionalArguments({ positional }: Described): string {
  if (positional.length === 0) return "";
  const order = positional.length > 1 ? ", in this order" : "";
  return `Without a name${order}: ${codes(positional)}.`;
}

export function argumentTable({ arguments: declarations }: Described): string {
  const rows = Object.entries(declarations).map(([name, declaration]) => [
    code(name),
    declaration.type.description,
    formatDefault(declaration),
    declaration.meaning,
  ]);
  return table(["argument", "value", "default", "meaning"], rows);
}

function formatDefault({ isRequired, defaultValue }: ArgumentDeclaration<unknown>): string {
  if (isRequired) return "required";
  return defaultValue === undefined ? "" : code(formatValue(defaultValue));
}

/** A value as a spec would write it. */
function formatValue(value: unknown): string {
  if (typeof value === "number") return formatNumber(value);
  if (Array.isArray(value)) return formatList(value);
  if (typeof value !== "object" || value === null) return String(value);
  if ("unit" in value && "count" in value) return formatDuration(value);
  return formatList(Object.values(value));
}

/** `1e-8`, `0.001`, and 4/3 in four digits. */
function formatNumber(value: number): string {
  const rounded = Number(value.toPrecision(4));
  return rounded !== 0 && Math.abs(rounded) < 1e-3 ? rounded.toExponential() : String(rounded);
}

/** Lists of equal elements are written as one: `stride=1`. */
function formatList(values: readonly unknown[]): string {
  const texts = values.map(formatValue);
  return new Set(texts).size === 1 ? texts[0]! : `[${texts.join(", ")}]`;
}

function formatDuration({ count, unit }: { readonly count: unknown; readonly unit: unknown }) {
  return count === 1 ? `1 ${String(unit).replace(/s$/, "")}` : `${String(count)} ${String(unit)}`;
}
