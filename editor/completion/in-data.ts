import { SPLITS } from "../../compiler/semantics/recipes/data.js";
import { callablesFor } from "../callables.js";
import type { SpecDocument } from "../document.js";
import type { CursorContext } from "./context.js";
import { callableItem, type Proposal, wordItem } from "./items.js";

/** Completions in a data declaration: splits, sources, and in their blocks transforms. */
export function proposalsInData(
  { frames }: CursorContext,
  document: SpecDocument,
): readonly Proposal[] {
  const { statement } = frames.at(-1)!;
  const last = statement.at(-1);
  if (frames.length > 2) {
    const isStart = !last || last.text === "->";
    return isStart ? callablesFor("transform", document).map(callableItem) : [];
  }
  if (!last || last.text === "}") return SPLITS.map((split) => wordItem(split, "split"));
  return statement.length === 1 ? callablesFor("source", document).map(callableItem) : [];
}
