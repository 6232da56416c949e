/** How much there is to read: characters, and what a line and a brace are worth. */
import { layerText } from "./slots.js";
import type { Block, Body, Item } from "./items.js";
import { useText } from "./calls.js";

/** Of a line's indentation, arrow or end. */
const LINE = 4;
/** Of braces around lines. */
const BRACES = 12;

const known = new WeakMap<Item, number>();

export function costOf(body: Body): number {
  return body.reduce((sum, item) => sum + itemCost(item), 0);
}

function itemCost(item: Item): number {
  const cost = known.get(item) ?? LINE + ownCost(item);
  known.set(item, cost);
  return cost;
}

function ownCost(item: Item): number {
  switch (item.form) {
    case "layer":
      return layerText(item, []).length + (item.from === undefined ? 0 : 2 * LINE);
    case "use":
      return useText(item).length;
    case "residual":
      return BRACES + costOf(item.body) + (typeof item.skip === "string" ? 0 : costOf(item.skip));
    case "branches":
      return item.branches.reduce((sum, { body }) => sum + BRACES + costOf(body), BRACES);
    case "section":
    case "repeat":
      return BRACES + costOf(item.body);
    case "for":
      return BRACES + 2 * LINE + JSON.stringify(item.rows).length / 2 + costOf(item.body);
  }
}

export const blockCost = ({ parameters, body }: Block): number =>
  2 * BRACES + parameters.reduce((sum, { name }) => sum + name.length + 2 * LINE, 0) + costOf(body);
