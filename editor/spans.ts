import type { Span } from "../grammar/ast.js";

/** Whether a cursor is in a span or at one of its ends. */
export function touches({ start, end }: Span, offset: number): boolean {
  return start.offset <= offset && offset <= end.offset;
}

/** The last part of a name: `conv2` of `features.conv2`. */
export function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** The place of the last part of a name. */
export function lastPartSpan(span: Span, name: string): Span {
  const { length } = lastPart(name);
  const { offset, line, column } = span.end;
  return { ...span, start: { offset: offset - length, line, column: column - length } };
}

/** Which of several spans at a cursor is the smallest. */
export function innermost<Item extends { readonly span: Span }>(
  items: readonly Item[],
  offset: number,
): Item | undefined {
  const length = ({ span }: Item) => span.end.offset - span.start.offset;
  return items
    .filter(({ span }) => touches(span, offset))
    .reduce<Item | undefined>(
      (best, item) => (best && length(best) <= length(item) ? best : item),
      undefined,
    );
}
