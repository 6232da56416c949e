import type { ClassifiedToken } from "../../grammar/index.js";
import type { CursorContext, Frame } from "./context.js";

/** A name that can be written at the cursor. */
export interface ScopeName {
  readonly name: string;
  readonly kind: "constant" | "parameter" | "variable" | "value" | "input" | "target";
  readonly token: ClassifiedToken;
}

/** Constants, parameters and loop variables that are seen from the cursor, the nearest first. */
export function namesInScope(context: CursorContext): readonly ScopeName[] {
  const [, declaration] = context.frames;
  const loops = context.frames.toReversed().flatMap(({ header }) => loopNames(header));
  const parameters = declaration ? parameterNames(declaration.header) : [];
  return [...loops, ...parameters, ...constantNames(context.before)];
}

function loopNames(header: readonly ClassifiedToken[]): readonly ScopeName[] {
  const start = header.findLastIndex(({ text }) => text === "for");
  if (start < 0) return [];
  const end = header.findIndex(({ text }, index) => index > start && text === "in");
  return header.slice(start + 1, end).flatMap((token) => named(token, "variable"));
}

/** Names before a `:` in `model Net(classes: int = 10)`. */
function parameterNames(header: readonly ClassifiedToken[]): readonly ScopeName[] {
  return header.flatMap((token, index) =>
    header[index + 1]?.text === ":" ? named(token, "parameter") : [],
  );
}

function constantNames(tokens: readonly ClassifiedToken[]): readonly ScopeName[] {
  return tokens.flatMap((token, index) =>
    tokens[index - 1]?.text === "const" ? named(token, "constant") : [],
  );
}

/**
 * Values that the model or block at the cursor has named further up, the last first, then its
 * input.
 */
export function valuesInScope(context: CursorContext): readonly ScopeName[] {
  const tokens = tokensOfDeclaration(context);
  const values = tokens.flatMap((token, index) =>
    isNamed(tokens, index) ? named(token, "value") : [],
  );
  return [...values.toReversed(), ...inputsInScope(context)];
}

/** Behind `as`, between `let` and `=`, or between `parameter` and `:`. */
function isNamed(tokens: readonly ClassifiedToken[], index: number): boolean {
  const before = tokens[index - 1]?.text;
  const after = tokens[index + 1]?.text;
  return (
    before === "as" ||
    (before === "let" && after === "=") ||
    (before === "parameter" && after === ":")
  );
}

export function inputsInScope(context: CursorContext): readonly ScopeName[] {
  return namesBehind("input", context);
}

export function targetsInScope(context: CursorContext): readonly ScopeName[] {
  return namesBehind("target", context);
}

function namesBehind(keyword: "input" | "target", context: CursorContext): readonly ScopeName[] {
  const tokens = tokensOfDeclaration(context);
  return tokens.flatMap((token, index) =>
    tokens[index - 1]?.text === keyword && tokens[index + 1]?.text === ":"
      ? named(token, keyword)
      : [],
  );
}

/** The tokens from the start of the declaration around the cursor up to it. */
function tokensOfDeclaration({ frames, before }: CursorContext): readonly ClassifiedToken[] {
  const first = frames[1]?.header[0];
  return first ? before.slice(before.indexOf(first)) : [];
}

function named(token: ClassifiedToken, kind: ScopeName["kind"]): readonly ScopeName[] {
  return token.kind === "name" ? [{ name: token.text, kind, token }] : [];
}

/** The first word of what a block belongs to: `model`, `for`, `features`. */
export function headWord({ header }: Frame): string {
  return header[0]?.text ?? "";
}
