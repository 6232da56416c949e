import type { CallExpression, Position, Span } from "../../grammar/ast.js";
import type { Edit } from "../diagnostics/diagnostic.js";

/** Edits of a spec's text, for fixes. */

export function insertAt(span: Span, newText: string): Edit {
  return { span: { ...span, end: span.start }, newText };
}

export function insertAfter(span: Span, newText: string): Edit {
  return { span: { ...span, start: span.end }, newText };
}

export function between(file: string, start: Position, end: Position): Span {
  return { file, start, end };
}

/**
 * Removes an argument together with the comma that belongs to it; undefined where the call does not
 * give it.
 */
export function removeArgument(call: CallExpression, name: string): Edit | undefined {
  const index = call.arguments.findIndex((argument) => argument.name?.name === name);
  const argument = call.arguments[index];
  if (!argument) return undefined;
  const { file, start, end } = argument.span;
  const previous = call.arguments[index - 1];
  const next = call.arguments[index + 1];
  if (previous) return { span: between(file, previous.span.end, end), newText: "" };
  return { span: between(file, start, next?.span.start ?? end), newText: "" };
}

/** Gives an argument by name, in the place of what the call says for it: `text` is `stride=2`. */
export function setArgument(call: CallExpression, name: string, text: string): Edit {
  const given = call.arguments.find((argument) => argument.name?.name === name);
  if (given) return { span: given.span, newText: text };
  const last = call.arguments.at(-1);
  if (last) return insertAfter(last.span, `, ${text}`);
  const { span } = call.callee;
  if (!call.hasParentheses) return insertAfter(span, `(${text})`);
  const inside = { ...span.end, offset: span.end.offset + 1, column: span.end.column + 1 };
  return insertAt({ ...span, start: inside }, text);
}
