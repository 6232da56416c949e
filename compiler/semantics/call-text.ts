import type { CallExpression } from "../../grammar/ast.js";
import type { Padding } from "../ir/graph.js";
import type { Bound, Signature } from "../calls/signature.js";

/**
 * A call with its arguments' values, as pictures show it: `conv(64, kernel=3, bias=false)`. What was not written and
 * initializers are left out.
 */
export function callText(call: CallExpression, signature: Signature, { values }: Bound): string {
  const given = call.arguments.flatMap(({ name }, position) => {
    const key = name ? name.name : signature.positional[position];
    const text = key === undefined ? undefined : valueText(values[key]);
    if (text === undefined) return [];
    return [name ? `${name.name}=${text}` : text];
  });
  return given.length > 0 ? `${signature.name}(${given.join(", ")})` : signature.name;
}

/** An argument's value as a spec would write it; undefined for what cannot be written in short. */
export function valueText(value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value === "string") return value;
  if (isPadding(value)) return valueText([value.top, value.bottom, value.left, value.right]);
  if (!Array.isArray(value)) return undefined;
  // What a single number gave: kernel=3.
  if (value.length > 1 && new Set(value).size === 1) return valueText(value[0]);
  const parts = value.map(valueText);
  return parts.includes(undefined) ? undefined : `[${parts.join(", ")}]`;
}

function isPadding(value: unknown): value is Padding {
  return typeof value === "object" && value !== null && "top" in value && "left" in value;
}
