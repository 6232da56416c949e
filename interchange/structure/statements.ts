/** Where a body may be cut: a convolution starts a statement, and a ReLU belongs to it. */
import type { Body, Item } from "./items.js";

/** Places before which a statement starts, and the body's end. */
export function cutsOf(body: Body): readonly number[] {
  const starts = body.flatMap((item, index) =>
    startsStatement(item, body[index - 1]) ? [index] : [],
  );
  return [...starts, body.length];
}

const startsStatement = (item: Item, before: Item | undefined): boolean =>
  before?.form !== "layer" || item.form !== "layer" || !item.isAttached;
