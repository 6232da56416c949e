import type { CstElement, CstNode, IToken } from "chevrotain";
import type { Span } from "./ast.js";
import { spanAfter } from "./place.js";

/** Reading a concrete syntax tree in which, after a mistake, any part may be missing. */

export function isNode(element: CstElement): element is CstNode {
  return "children" in element;
}

/** The rules of the given name right below a node. */
export function nodes(parent: CstNode, name: string): CstNode[] {
  return (parent.children[name] ?? []).filter(isNode);
}

export function node(parent: CstNode | undefined, name: string): CstNode | undefined {
  return parent && nodes(parent, name)[0];
}

/** The tokens of the given type right below a node, without those that recovery made up. */
export function tokens(parent: CstNode, name: string): IToken[] {
  const elements = parent.children[name] ?? [];
  return elements.filter((element): element is IToken => !isNode(element) && element.image !== "");
}

export function token(parent: CstNode | undefined, name: string, index = 0): IToken | undefined {
  return parent && tokens(parent, name)[index];
}

/** The direct children of a node, in the order of the text. Empty rules are left out. */
export function elementsInOrder(parent: CstNode): CstElement[] {
  return Object.values(parent.children)
    .flat()
    .filter((element) => Number.isFinite(startOffset(element)))
    .sort((a, b) => startOffset(a) - startOffset(b));
}

function startOffset(element: CstElement): number {
  return (isNode(element) ? element.location?.startOffset : element.startOffset) ?? NaN;
}

/** The first token below a node. */
export function firstToken(parent: CstNode): IToken | undefined {
  const first = elementsInOrder(parent)[0];
  return first && (isNode(first) ? firstToken(first) : first);
}

/** The last token below a node. */
export function lastToken(parent: CstNode): IToken | undefined {
  const last = elementsInOrder(parent).at(-1);
  return last && (isNode(last) ? lastToken(last) : last);
}

/** The text that a rule took, without comments. */
export function textOf(parent: CstNode): string {
  const leaves = leavesOf(parent);
  const texts = leaves.map(({ image, startOffset }, index) => {
    const before = leaves[index - 1];
    const isApart = before && startOffset > before.startOffset + before.image.length;
    return isApart ? ` ${image}` : image;
  });
  return texts.join("");
}

const leavesOf = (parent: CstNode): readonly IToken[] =>
  elementsInOrder(parent).flatMap((element) => (isNode(element) ? leavesOf(element) : [element]));

/** The range of text that a rule took. */
export function spanOfNode(file: string, { location }: CstNode): Span {
  if (!location || !Number.isFinite(location.startOffset)) return spanAfter(file, undefined);
  return {
    file,
    start: {
      offset: location.startOffset,
      line: location.startLine ?? 1,
      column: location.startColumn ?? 1,
    },
    end: {
      offset: (location.endOffset ?? location.startOffset - 1) + 1,
      line: location.endLine ?? 1,
      column: (location.endColumn ?? 0) + 1,
    },
  };
}
