import type { InlayHint, Range } from "vscode-languageserver";
import type { SpecDocument } from "../document.js";
import type { Place } from "../facts.js";
import { documentFacts } from "../markdown.js";

/** With more shapes than these for one line, hints say little: a block used everywhere. */
const MOST_SHOWN = 3;

/**
 * The shape after each layer, together at the end of its line: `64x55x55 -> 64x27x27`. A line in a
 * loop or block has several, one for each turn and use.
 */
export function inlayHints(document: SpecDocument, { start, end }: Range): InlayHint[] {
  const lines = new Map<number, Place[]>();
  for (const place of document.facts.places) {
    const line = place.whole.end.line - 1;
    if (place.isImplied || line < start.line || line > end.line) continue;
    lines.set(line, [...(lines.get(line) ?? []), place]);
  }
  return [...lines].flatMap(([line, places]) => hintOf(line, places, document) ?? []);
}

function hintOf(
  line: number,
  places: readonly Place[],
  { text, source }: SpecDocument,
): InlayHint | undefined {
  const inOrder = places.toSorted((a, b) => a.whole.end.offset - b.whole.end.offset);
  const label = labelOf(inOrder);
  if (label === "") return undefined;
  const from = source.offsetAt({ line, character: 0 });
  const [written = ""] = /^[^\r\n]*/.exec(text.slice(from)) ?? [];
  return {
    position: { line, character: written.trimEnd().length },
    label,
    paddingLeft: true,
    tooltip: {
      kind: "markdown",
      value: inOrder.map(({ facts }) => documentFacts(facts)).join("  \n"),
    },
  };
}

function labelOf(places: readonly Place[]): string {
  const turns = Math.max(...places.map(({ facts }) => facts.length));
  // Text on the same line but in another loop has other iterations.
  const alike = places.filter(({ facts }) => facts.length === turns);
  const ways = Array.from({ length: turns }, (_, turn) => shapesIn(alike, turn));
  const distinct = [...new Set(ways)].filter((way) => way !== "");
  const shown = distinct.slice(0, MOST_SHOWN);
  return [...shown, ...(distinct.length > MOST_SHOWN ? ["..."] : [])].join(" | ");
}

/** The shapes after a line's layers, each change once. */
function shapesIn(places: readonly Place[], turn: number): string {
  const shapes = places.flatMap(({ facts }) => facts[turn]?.output?.join("x") ?? []);
  return shapes.filter((shape, index) => shape !== shapes[index - 1]).join(" -> ");
}
