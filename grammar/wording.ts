import type { IRecognitionException, IToken } from "chevrotain";
import { EOF } from "chevrotain";
import { is, spanAfter, spanOf } from "./place.js";
import type { SyntaxProblem } from "./problem.js";
import { insert, problem, replace } from "./problem.js";
import {
  And,
  Arrow,
  As,
  Const,
  False,
  For,
  LeftBrace,
  MisplacedWord,
  Model,
  NewLine,
  Not,
  Or,
  RightBrace,
  True,
} from "./tokens.js";

/**
 * What an exception of the parser means, in words. Its message names what was expected: see
 * `expectation.ts`.
 */
export function explainException(file: string, exception: IRecognitionException): SyntaxProblem {
  const previous = previousOf(exception);
  const { token, message: expected } = exception;
  if (is(previous, Arrow) && (is(token, Arrow) || endsLine(token))) {
    return danglingArrow(file, previous as IToken, token);
  }
  if (expected === "a name" && isReserved(token)) return reservedWord(file, token);
  return somethingElse(file, exception, previous);
}

function previousOf(exception: IRecognitionException): IToken | undefined {
  const { previousToken } = exception as IRecognitionException & { previousToken?: IToken };
  // Before the first token there is a made-up one without a place.
  return previousToken && Number.isFinite(previousToken.startOffset) ? previousToken : undefined;
}

function danglingArrow(file: string, arrow: IToken, token: IToken): SyntaxProblem {
  const span = spanOf(file, arrow);
  if (!is(token, Arrow)) {
    return problem("NET0010", span, "`->` needs a layer after it", {
      fixes: [replace(span, "", "remove `->`")],
    });
  }
  return problem(
    "NET0010",
    spanOf(file, token),
    "`->` needs a layer between it and the `->` before",
    {
      related: [{ span, message: "the arrow before" }],
      fixes: [replace(span, "", "remove one `->`")],
    },
  );
}

export function isReserved(token: IToken): boolean {
  return is(token, Const, Model, MisplacedWord, As, For, True, False, And, Or, Not);
}

export function reservedWord(file: string, token: IToken): SyntaxProblem {
  const message = `\`${token.image}\` is a reserved word and cannot be a name`;
  return problem("NET0012", spanOf(file, token), message, { label: "expected a name" });
}

function somethingElse(
  file: string,
  { token, message, context }: IRecognitionException,
  previous: IToken | undefined,
): SyntaxProblem {
  const expected = widened(message, context.ruleStack.at(-1));
  const span = endsLine(token) ? spanAfter(file, previous) : spanOf(file, token);
  const after =
    previous && previous.image !== "" && !is(previous, NewLine)
      ? ` after \`${previous.image}\``
      : "";
  const text = `expected ${expected}${after}, but ${describeFound(token)}`;
  const image = /^`(.+)`$/.exec(message)?.[1];
  const canInsert = image !== undefined && previous !== undefined && expected === message;
  const at = spanAfter(file, previous).end;
  const note = otherLanguage(context.ruleStack, token);
  const isMeant = canInsert && note === undefined;
  const fixes = isMeant ? [insert(file, at, ` ${image}`, `insert \`${image}\``)] : [];
  const notes = note === undefined ? [] : [note];
  return problem("NET0001", span, text, { label: `expected ${expected}`, notes, fixes });
}

const FORMULA = "a formula is a separate statement: `let y = 0.5 * x`";

/** What is written otherwise in Python, by the rule of the grammar and the sign that it met. */
const OTHERWISE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  letStatement: {
    ",":
      "a formula gives one value: layers take parts of a value, " +
      "`from x -> slice(channels, 0, 8) as a`, and `split { branch { } branch { } }` all",
  },
  loop: {
    ",": "several names are in parentheses: `for (width, stride) in [(16, 1), (32, 2)] { ... }`",
  },
  functionDeclaration: { "{": "a function is one formula: `fn swish(x) = x * sigmoid(x)`" },
  inputDeclaration: { ",": "each input has a line: `input left: f32[N, 3, 32, 32]`" },
  targetDeclaration: { ",": "each target has a line: `target label: u32[N] in 0..10`" },
  chainElement: {
    ...Object.fromEntries(["*", "/", "+", "-", "^"].map((sign) => [sign, FORMULA])),
    for: "`for` begins a line: a chain has layers alone",
  },
  split: { "=": 'the source of a split follows it: `train folder("DIR") { ... }`' },
};

function otherLanguage(rules: readonly string[], { image }: IToken): string | undefined {
  const [outer, rule] = rules.slice(-2);
  const notes = OTHERWISE[(rule === "call" ? outer : rule) ?? ""];
  return notes && Object.hasOwn(notes, image) ? notes[image] : undefined;
}

/** Where a bracket could be closed, something else is allowed as well. */
function widened(expected: string, rule: string | undefined): string {
  if (expected === "`)`" && rule === "arguments") return "an argument or `)`";
  if (expected === "`)`" && rule === "parameters") return "a parameter or `)`";
  if (expected === "`]`") return "a value or `]`";
  return expected;
}

function endsLine(token: IToken): boolean {
  return is(token, EOF, NewLine, RightBrace) || token.image === "";
}

/** "the line ends", "found `)`". */
export function describeFound(token: IToken): string {
  if (is(token, EOF)) return "the file ends";
  if (is(token, NewLine)) return "the line ends";
  if (is(token, RightBrace)) return "the block ends";
  if (is(token, LeftBrace)) return "a block starts";
  return `found \`${token.image}\``;
}
