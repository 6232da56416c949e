import type { Callable } from "./callables.js";
import type { Fact } from "./facts.js";
import type { ArgumentDeclaration } from "../compiler/calls/signature.js";

/** Markdown that hover and completion show. */

export function codeBlock(text: string): string {
  return `\`\`\`net\n${text}\n\`\`\``;
}

// What can be called

/** A layer, optimizer or the like: how it is called, what it does, what its arguments mean. */
export function documentCallable(callable: Callable): string {
  const { summary, documentation } = callable;
  const isSaid = documentation?.startsWith(summary);
  return [
    codeBlock(signatureText(callable)),
    ...(summary && !isSaid ? [summary] : []),
    ...(documentation ? [documentation.trim()] : []),
    documentArguments(callable),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** `conv(out, kernel, stride=1, ...)`; without parentheses where it takes nothing. */
export function signatureText({ name, positional, arguments: declared }: Callable): string {
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

function documentArguments({ arguments: declared }: Callable): string {
  return Object.entries(declared)
    .map(([name, declaration]) => `- ${documentArgument(name, declaration)}`)
    .join("\n");
}

/** `**kernel**: size of the kernel (an integer of at least 1, or [height, width])`. */
export function documentArgument(
  name: string,
  { meaning, type, isRequired, defaultValue }: ArgumentDeclaration<unknown>,
): string {
  const standard = defaultValue === undefined ? "" : `; ${type.write(defaultValue)} if left out`;
  const need = isRequired ? "; required" : standard;
  return `\`${name}\`: ${[meaning, `${type.description}${need}`].filter(Boolean).join(", ")}`;
}

// What a layer is in its network

/** More uses of one place than these are only counted. */
const MOST_USES = 4;

/**
 * Shapes, parameters and costs of a layer or a block in each of its uses; empty where it has none.
 */
export function documentFacts(facts: readonly Fact[]): string {
  const lines = facts.slice(0, MOST_USES).map(documentFact);
  const more = facts.length - lines.length;
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join("  \n");
}

function documentFact({ name, input, output, parameters, macs }: Fact): string {
  const shapes = [input, output].map((shape) => (shape ? shapeText(shape) : "?"));
  const costs = [
    ...(parameters > 0 ? [`${countText(parameters)} parameters`] : []),
    ...(macs > 0 ? [`${countText(macs)} MACs per image`] : []),
  ];
  return [`\`${name}\`: \`${shapes.join(" -> ")}\``, ...costs].join(", ");
}

/** With the batch axis, as messages show shapes. */
export function shapeText(shape: readonly number[]): string {
  return `[N, ${shape.join(", ")}]`;
}

function countText(count: number): string {
  return count.toLocaleString("en-US");
}
