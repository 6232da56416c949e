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

/** Removes an argument together with the comma that belongs to it; undefined where the call does not give it. */
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
