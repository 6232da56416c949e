import type { Callable } from "./callables.js";
import type { Fact } from "./facts.js";
import { codeBlock } from "../compiler/diagnostics/explain.js";
import { documentArguments, shapeText, signatureText } from "../compiler/reference/describe.js";

/** Markdown that hover and completion show. */

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

function countText(count: number): string {
  return count.toLocaleString("en-US");
}
