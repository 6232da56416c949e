import type { ArgumentDeclaration, Described } from "../calls/signature.js";

/** Markdown that describes what may be called: for editors and for `netc explain`. */

/** `conv(out, kernel, stride=1, ...)`; without parentheses where it takes nothing. */
export function signatureText({ name, positional, arguments: declared }: Described): string {
  const parts = Object.entries(declared)
    .filter(([, { isRequired, defaultValue }]) => isRequired || defaultValue !== undefined)
    .map(([key, declaration]) => argumentText(key, declaration, positional.includes(key)));
  const optional = Object.keys(declared).length - parts.length;
  const all = optional > 0 ? [...parts, "..."] : parts;
  return all.length > 0 ? `${name}(${all.join(", ")})` : name;
}

function argumentText(
  name: string,
  { type, isRequired, defaultValue }: ArgumentDeclaration<unknown>,
  isPositional: boolean,
): string {
  if (!isRequired) return `${name}=${type.write(defaultValue)}`;
  return isPositional ? name : `${name}=`;
}

/** A list of what each argument means; empty where there are none. */
export function documentArguments({ arguments: declared }: Described): string {
  return Object.entries(declared)
    .map(([name, declaration]) => `- ${documentArgument(name, declaration)}`)
    .join("\n");
}

/** "`kernel`: size of the kernel, an integer of at least 1; required". */
export function documentArgument(name: string, declaration: ArgumentDeclaration<unknown>): string {
  return `\`${name}\`: ${meaningOf(declaration)}`;
}

/** "size of the kernel, an integer of at least 1; required". */
export function meaningOf({
  meaning,
  type,
  isRequired,
  defaultValue,
}: ArgumentDeclaration<unknown>): string {
  const standard = defaultValue === undefined ? "" : `; default: ${type.write(defaultValue)}`;
  const need = isRequired ? "; required" : standard;
  return [meaning, `${type.description}${need}`].filter(Boolean).join(", ");
}

/** With the batch axis, as messages show shapes: `[N, 3, 224, 224]`. */
export function shapeText(shape: readonly number[]): string {
  return `[N, ${shape.join(", ")}]`;
}
