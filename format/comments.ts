import { util, type AstPath, type Doc } from "prettier";
import { type Comment, keysOf, type Node, type Root, statements } from "./nodes.js";

/** A comment as prettier hands it over, with the nodes around it. */
interface PlacedComment extends Comment {
  readonly enclosingNode?: Node;
  readonly precedingNode?: Node;
  readonly followingNode?: Node;
}

/**
 * A comment at the end of a line belongs to the line, not to its last word. True where that was
 * decided here.
 */
export function placeAtLineEnd(
  comment: PlacedComment,
  text: string,
  _options: unknown,
  ast: Root,
): boolean {
  if (placeBehindLeaf(comment) || placeInLoop(comment)) return true;
  const before = text.slice(0, comment.span.start.offset).trimEnd();
  if (/[{([]$/.test(before) || isBeforeBody(comment, text)) return placeInside(comment);
  const statement = largestEndingAt(ast, before.length);
  if (!statement) return false;
  util.addTrailingComment(statement, comment);
  return true;
}

/**
 * A comment before a closing brace belongs to what is inside, even where something follows the
 * brace: `} skip auto`. One before a leading arrow belongs to what is above, so that the arrow
 * stays in front of its layer. True where that was decided here.
 */
export function placeOnOwnLine(comment: PlacedComment, text: string): boolean {
  if (placeBehindLeaf(comment) || placeInLoop(comment)) return true;
  const { precedingNode, enclosingNode, followingNode } = comment;
  if (!enclosingNode || !(followingNode || hasEmptyBody(enclosingNode))) return false;
  const next = util.getNextNonSpaceNonCommentCharacterIndex(text, comment.span.end.offset);
  if (next !== false && precedingNode && followingNode && text.startsWith("->", next)) {
    util.addTrailingComment(precedingNode, comment);
    return true;
  }
  if (next === false || text[next] !== "}") return false;
  const isInside = precedingNode && statements.has((precedingNode as { kind?: string }).kind ?? "");
  if (isInside) util.addTrailingComment(precedingNode, comment);
  else util.addDanglingComment(enclosingNode, comment, undefined);
  return true;
}

/**
 * Among the names of a `for`: above its body's first statement, since a value has to follow `in`.
 */
function placeInLoop(comment: PlacedComment): boolean {
  const { enclosingNode, followingNode } = comment;
  if (!enclosingNode || !("kind" in enclosingNode) || enclosingNode.kind !== "for") return false;
  const { values, members } = enclosingNode;
  if (followingNode !== values) return false;
  if (members[0]) util.addLeadingComment(members[0], comment);
  else util.addDanglingComment(enclosingNode, comment, undefined);
  return true;
}

/** Keys of bodies in braces, which print the comments of an empty body themselves. */
const BODIES = ["declarations", "members", "branches", "splits", "settings"];

function hasEmptyBody(node: Node): boolean {
  const bodies = keysOf(node).filter((key) => BODIES.includes(key));
  const at = (key: string) => (node as unknown as Readonly<Record<string, readonly Node[]>>)[key];
  return bodies.some((key) => at(key)?.length === 0);
}

/** Within a node that is printed as a whole, as between `5` and `epochs`: behind it. */
function placeBehindLeaf(comment: PlacedComment): boolean {
  const { enclosingNode } = comment;
  if (!enclosingNode || childrenOf(enclosingNode).length > 0) return false;
  if (keysOf(enclosingNode).some((key) => BODIES.includes(key))) return false;
  util.addTrailingComment(enclosingNode, comment);
  return true;
}

/** Between a head and the opening brace of its body, on the next line. */
function isBeforeBody({ span }: Comment, text: string): boolean {
  const next = util.getNextNonSpaceNonCommentCharacterIndex(text, span.end.offset);
  return next !== false && text[next] === "{";
}

/** Behind an opening bracket: above what comes first inside. */
function placeInside(comment: PlacedComment): boolean {
  const { followingNode, enclosingNode } = comment;
  if (followingNode) util.addLeadingComment(followingNode, comment);
  else if (enclosingNode) util.addDanglingComment(enclosingNode, comment, undefined);
  return followingNode !== undefined || enclosingNode !== undefined;
}

/** The largest statement that ends at an offset. */
function largestEndingAt(node: Node | Root, end: number): Node | undefined {
  for (const child of childrenOf(node)) {
    const { span } = child;
    if (span.start.offset > end || span.end.offset < end) continue;
    const isWhole = span.end.offset === end && statements.has(child.kind);
    return isWhole ? child : largestEndingAt(child, end);
  }
  return undefined;
}

type NodeWithSpan = Node & { readonly kind: string };

function childrenOf(node: Node | Root): readonly NodeWithSpan[] {
  return keysOf(node)
    .flatMap((key) => (node as unknown as Readonly<Record<string, unknown>>)[key])
    .filter((child): child is NodeWithSpan => {
      return child !== undefined && (child as { readonly span?: unknown }).span !== undefined;
    });
}

export function printComment(path: AstPath<Comment>): Doc {
  return path.node.text;
}

interface Commented {
  readonly comments?: readonly { readonly leading?: boolean }[];
}

/** Whether there are comments above the node. */
export function hasLeadingComments(node: Node): boolean {
  return (node as Commented).comments?.some(({ leading }) => leading) ?? false;
}

/** Whether there is a comment anywhere in the node. */
export function containsComments(node: Node): boolean {
  return ((node as Commented).comments ?? []).length > 0 || childrenOf(node).some(containsComments);
}
