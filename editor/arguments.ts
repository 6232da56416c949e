import type { CallExpression, Span } from "../grammar/ast.js";
import { type ArgumentDeclaration, argumentNamed } from "../compiler/calls/signature.js";
import { type Callable, findCallable } from "./callables.js";
import type { PlacedCall } from "./calls.js";
import type { SpecDocument } from "./document.js";
import { touches } from "./spans.js";

/** A call at a cursor, and what it is of, if that exists. */
export interface CallAt extends PlacedCall {
  readonly callable: Callable | undefined;
}

/** The call whose name is at an offset. */
export function callAt(document: SpecDocument, offset: number): CallAt | undefined {
  const found = document.calls.find(({ call }) => touches(call.callee.span, offset));
  return found && withCallable(found, document);
}

function withCallable(placed: PlacedCall, document: SpecDocument): CallAt {
  const { call, role } = placed;
  return { ...placed, callable: findCallable(call.callee.name, role, document) };
}

/** An argument that a call gives by name. */
export interface GivenArgument {
  readonly call: CallExpression;
  readonly name: string;
  readonly span: Span;
  readonly declaration: ArgumentDeclaration<unknown>;
  readonly callable: Callable;
}

/** The argument whose name is at an offset. */
export function argumentAt(document: SpecDocument, offset: number): GivenArgument | undefined {
  for (const placed of document.calls) {
    const name = nameOfArgumentAt(placed.call, offset);
    const { callable } = name ? withCallable(placed, document) : {};
    const declaration = name && callable && argumentNamed(callable, name.name);
    if (name && callable && declaration) {
      return { call: placed.call, name: name.name, span: name.span, declaration, callable };
    }
  }
  return undefined;
}

function nameOfArgumentAt(call: CallExpression, offset: number) {
  return call.arguments.find(({ name }) => name && touches(name.span, offset))?.name;
}
