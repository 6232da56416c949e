import type { CstElement, CstNode, IToken, TokenType } from "chevrotain";
import type { From, Span } from "./ast.js";
import { endOf, is, spanAfter, spanOf } from "./place.js";
import type { SyntaxProblem } from "./problem.js";
import { insert, problem, replace } from "./problem.js";
import {
  Arrow,
  Block,
  Branch,
  Caret,
  Colon,
  Comma,
  Else,
  Equals,
  Fn,
  Identifier,
  Import,
  LeftBrace,
  LeftBracket,
  LeftParenthesis,
  Minus,
  Plus,
  RightBrace,
  Skip,
  Slash,
  Star,
} from "./tokens.js";
import {
  elementsInOrder,
  firstToken,
  isNode,
  lastToken,
  node,
  spanOfNode,
  textOf,
  token,
} from "./tree.js";
import { describeFound, isReserved, reservedWord } from "./wording.js";

/**
 * What the grammar takes although it is wrong: statements run together, missing commas, skipped
 * text.
 */

/** What the body of each rule may have, for messages about other text. */
const STATEMENTS_OF: Readonly<Record<string, string>> = {
  modelBody: "a layer, a section, `let`, `input`, `target`, `output`, `loss` or `metric`",
  concatBody: "a branch such as `branch { conv(64) }`",
  dataDeclaration: 'a split such as `train folder("DIR") { ... }`',
  split: "a transform",
  trainDeclaration: "a setting such as `epochs = 90`",
  step: "a setting such as `update = discriminator`",
};

interface CheckedStatements {
  readonly problems: readonly SyntaxProblem[];
  /** Statements on lines with a problem, which hides what their names mean. */
  readonly doubtful: ReadonlySet<CstNode>;
}

/** The problems of one body: of statements side by side, and of those that make no sense. */
export function checkStatements(file: string, body: CstNode): CheckedStatements {
  const problems: SyntaxProblem[] = [];
  const doubtful = new Set<CstNode>();
  let previous: CstNode | undefined;
  let isNewLine = true;
  for (const element of elementsInOrder(body)) {
    if (!isNode(element)) {
      isNewLine = true;
      continue;
    }
    const before = isNewLine ? undefined : previous;
    const found = checkStatement(file, body, element, before);
    if (before && (found || doubtful.has(before) || lastToken(before)?.image === "")) {
      doubtful.add(before).add(element);
    }
    // Of lines that make no sense one after another, the first says it all.
    const isRun =
      body.name === "spec" && element.name === "skipped" && previous?.name === "skipped";
    if (found && !isRun) problems.push(found);
    previous = element;
    isNewLine = false;
  }
  return { problems, doubtful };
}

/** @param before the statement before this one on the same line, if any */
function checkStatement(
  file: string,
  body: CstNode,
  statement: CstNode,
  before: CstNode | undefined,
): SyntaxProblem | undefined {
  if (statement.name === "skippedHeader") return undefined;
  if (statement.name === "skipped") return skippedStatement(file, body, statement, before);
  if (before === undefined || STATEMENTS_OF[body.name] === undefined) return undefined;
  const last = lastToken(before);
  const first = firstToken(statement);
  if (!last || !first || isHeader(before)) return undefined;
  // After a block, or what was reported already, nothing is needed between them.
  if (is(last, RightBrace) || last.image === "") return undefined;
  return runTogether(file, before, last, first);
}

/**
 * The source of a split and the model of a train declaration are in a body without being
 * statements of it.
 */
function isHeader(part: CstNode): boolean {
  return part.name === "call" || part.name === "skippedHeader";
}

/** What other languages write. */
const ELSE_IF = /^(?:elif|elseif|elsif)$/;
const OTHER_CONDITION = "another condition begins with `else if`";

function runTogether(file: string, before: CstNode, last: IToken, first: IToken): SyntaxProblem {
  const at = endOf(last);
  const isChain = before.name === "chain" || before.name === "transforms";
  const isElseIf = ELSE_IF.test(last.image);
  const expected = isChain ? "`->` or a new line" : "a new line";
  const fix = isChain
    ? insert(file, at, " ->", "insert `->`")
    : insert(file, at, "\n", "start a new line");
  const message = `expected ${expected} between \`${last.image}\` and \`${first.image}\``;
  if (isChain && last.image === "return") return returned(file, last, first);
  const note = isElseIf ? OTHER_CONDITION : otherDeclaration(before, last, first);
  return problem("NET0008", spanOf(file, first), message, {
    label: `expected ${expected} before this`,
    notes: note === undefined ? [] : [note],
    fixes: note === undefined ? [fix] : [],
  });
}

/** `return logits` of functions. */
function returned(file: string, word: IToken, first: IToken): SyntaxProblem {
  const meant = `output ${first.image}`;
  const span = spanOf(file, word);
  return problem("NET0008", span, "nothing returns a value: a model or block gives its last one", {
    notes: [`in a model, \`${meant}\` names what it predicts`],
    fixes: is(first, Identifier) ? [replace(span, "output", `write \`${meant}\``)] : [],
  });
}

/** What begins a statement. */
const STATEMENTS: ReadonlySet<string> = new Set(["repeat", "for", "if", "share", "let"]);

const beginsLine = (word: string) => `\`${word}\` begins a line: a chain has layers alone`;

/** What other languages write in two words, neither of them a layer. */
function otherDeclaration(before: CstNode, last: IToken, first: IToken): string | undefined {
  if (before.name === "letStatement" && [last, first].some(({ image }) => image === "if")) {
    return "`where` chooses one of two values: `let y = where(x > 0, x, 0.1 * x)`";
  }
  if (last.image === "parameter" && before.name === "chain") {
    return `a parameter has a shape: \`parameter ${first.image}: f32[197, 768] init normal(0.02)\``;
  }
  if (STATEMENTS.has(last.image) && before.children["Arrow"] !== undefined) {
    return beginsLine(last.image);
  }
  if (last.image === "lambda") {
    return "`fn double(x) = 2 * x`, outside of models, is a layer, too: `-> double`";
  }
  if (last.image === "output") return "an output is a value's name alone: its shape is known";
  if (last.image === "share" && before.children["Arrow"] === undefined) {
    return `shared layers are in a block: \`share ${first.image} { conv(8, kernel=3) -> relu }\``;
  }
  return undefined;
}

function skippedStatement(
  file: string,
  body: CstNode,
  statement: CstNode,
  before: CstNode | undefined,
): SyntaxProblem | undefined {
  const first = firstToken(statement);
  if (!first) return undefined;
  const span = spanOf(file, first);
  if (is(first, Arrow)) {
    return before?.name === "letStatement"
      ? arrowInFormula(file, first)
      : leadingArrow(file, first);
  }
  const misplaced = misplacedWord(first);
  if (misplaced) return problem("NET0011", span, misplaced.message, { notes: misplaced.notes });
  const expected = STATEMENTS_OF[body.name];
  if (is(first, LeftBrace)) {
    return problem("NET0001", span, "expected a name before `{`: each block has one");
  }
  if (expected === undefined) return notADeclaration(file, first);
  const last = before && lastToken(before);
  const message =
    last && last.image !== ""
      ? `expected a new line after \`${last.image}\`, but ${describeFound(first)}`
      : `expected ${expected}, but ${describeFound(first)}`;
  const isList = body.name === "split" && is(first, LeftBracket);
  const note = isList ? TRANSFORMS_IN_A_ROW : before && otherSyntax(before, first);
  return problem("NET0001", span, message, { notes: note === undefined ? [] : [note] });
}

const TRANSFORMS_IN_A_ROW = "transforms follow one another: `random_crop(32, padding=4) -> hflip`";

/** What tensor libraries are called in Python. */
const LIBRARIES = /^(?:torch|F|nn|np|numpy|tf|jnp|math|K)$/;

/** The library of `let y = torch.exp(x)`. */
function libraryOf(before: CstNode): string | undefined {
  const expression = before.name === "letStatement" ? node(before, "expression") : undefined;
  const written = expression ? /^(\w+)\./.exec(textOf(expression))?.[1] : undefined;
  return written !== undefined && LIBRARIES.test(written) ? written : undefined;
}

/** What does not come before its values as a function. */
const METHODS: Readonly<Record<string, string>> = {
  cat: "`concat` is a layer: `from x -> concat(y)`",
  stack: "`concat` is a layer: `from x -> concat(y)`",
  chunk: "`split` is a layer, and `slice(channels, 0, 16)` takes one part",
  split: "`split` is a layer, and `slice(channels, 0, 16)` takes one part",
  detach: "`stop(x)` keeps gradients from what makes x",
  stop_gradient: "`stop(x)` keeps gradients from what makes x",
  view: "`reshape` is a layer: `from x -> reshape([8, 36])`",
  reshape: "`reshape` is a layer: `from x -> reshape([8, 36])`",
  flatten: "`flatten` is a layer: `from x -> flatten`",
  permute: "`permute` is a layer: `from x -> permute([0, 2, 1])`",
  transpose: "`transpose` is a layer: `from x -> transpose(1, 2)`",
  size: "sizes are numbers of the spec: write the number, or a `const`",
  shape: "sizes are numbers of the spec: write the number, or a `const`",
};

const isLoss = ({ name }: CstNode): boolean => name === "lossDeclaration";

/** `split(2) as a`, before the `, b` of Python. */
function endsWithAlias(part: CstNode): boolean {
  const last = elementsInOrder(part).at(-1);
  return last !== undefined && isNode(last) && (last.name === "alias" || endsWithAlias(last));
}

const NAMES_FOLLOW =
  "a name follows what it names: `conv(8, kernel=3) as x`, `share tower { ... }`; " +
  "a formula is `let y = 0.5 * x`";
const ONE_OUTPUT =
  "a layer has one output: `slice(channels, 0, 8)` takes a part of it, " +
  "and `split { branch { } branch { } }` all";

/** What a tensor library writes here, and how a spec says it. */
function otherSyntax(before: CstNode, first: IToken): string | undefined {
  const { name } = before;
  if (ELSE_IF.test(lastToken(before)?.image ?? "")) return OTHER_CONDITION;
  const method = name === "letStatement" ? METHODS[lastToken(before)?.image ?? ""] : undefined;
  if (method) return method;
  const prefix = libraryOf(before);
  if (prefix) return `write the function alone, without \`${prefix}.\``;
  if (name === "chain" && is(first, Plus, Minus, Star, Slash, Caret)) {
    return "a formula is a separate statement: `let y = 0.5 * x`";
  }
  if (isLoss(before) && first.image === ".") {
    return "losses are means over the batch: `cross_entropy(logits, label)` is one number";
  }
  if (name === "chain" && is(first, Equals)) {
    return NAMES_FOLLOW;
  }
  if (name === "chain" && is(first, Comma) && endsWithAlias(before)) return ONE_OUTPUT;
  if (name === "weight" && is(first, Equals)) {
    return "initial values follow `init`: `init normal(0.02)`";
  }
  const word = lastToken(before)?.image ?? "";
  if (STATEMENTS.has(word) && before.children["Arrow"] !== undefined) return beginsLine(word);
  if (word === "while") {
    return "`repeat 3 { ... }` and `for i in 0..3 { ... }` are loops";
  }
  if (isLoss(before) && is(first, LeftParenthesis)) {
    return "losses and metrics are called once: `cross_entropy(logits, label)`";
  }
  if (name === "letStatement" && is(first, LeftParenthesis)) {
    return "functions come before their values: `sigmoid(x)`, `mean(x, over=channels)`";
  }
  if ((name === "chain" || name === "letStatement") && is(first, LeftBracket)) {
    return "layers take parts of a value: `slice(channels, 0, 16)`, `token(0)`";
  }
  return undefined;
}

/** Words that belong elsewhere: where. */
const places: readonly (readonly [word: TokenType, place: string, example: string])[] = [
  [
    Branch,
    "directly into `concat { ... }` or `split { ... }`",
    "concat { branch { conv(64) } branch { maxpool(3) } }",
  ],
  [Skip, "right behind the block of `residual`", "residual { conv(64) } skip auto"],
  [Else, "right behind the block of `if`", "if stride > 1 { avgpool(2) } else { conv(64) }"],
  [Block, "outside of models", "block basic(out: int) { conv(out) -> relu }"],
  [Fn, "outside of models", "fn swish(x, beta: float = 1) = x * sigmoid(beta * x)"],
  [Import, "outside of models", 'import { basic } from "./blocks.net"'],
];

function misplacedWord(first: IToken) {
  const found = places.find(([word]) => is(first, word));
  if (!found) return undefined;
  const message = `\`${first.image}\` belongs ${found[1]}`;
  return { message, notes: [`for instance \`${found[2]}\``] };
}

/** `let y = conv(8, 3) -> relu`. */
function arrowInFormula(file: string, arrow: IToken): SyntaxProblem {
  return problem("NET0010", spanOf(file, arrow), "a formula cannot continue with layers", {
    label: "the formula ends before this",
    notes: ["`as` names what layers make: `conv(8, kernel=3) -> relu as y`"],
  });
}

function leadingArrow(file: string, arrow: IToken): SyntaxProblem {
  const span = spanOf(file, arrow);
  return problem("NET0010", span, "`->` needs a layer before it", {
    notes: ["what follows a section or the input continues from its value without an arrow"],
    fixes: [replace(span, "", "remove `->`")],
  });
}

/** How other languages begin functions and networks. */
const DEFINITIONS = /^(?:def|class|function|func|lambda)$/;

function notADeclaration(file: string, first: IToken): SyntaxProblem {
  const message =
    `expected \`model\`, \`block\`, \`const\`, \`import\`, \`data\` or \`train\`, but ` +
    `${describeFound(first)}`;
  return problem("NET0013", spanOf(file, first), message, {
    notes: [
      DEFINITIONS.test(first.image)
        ? "`fn swish(x) = x * sigmoid(x)` declares a function, `block unit { ... }` layers"
        : "layers belong in a model: look for an extra `}` above",
    ],
  });
}

/** The last part of a header: `on Digits`, `for LeNet`, and what is between it and the body. */
export function checkHeader(
  file: string,
  declaration: CstNode,
  preposition: "on" | "for",
): SyntaxProblem[] {
  const word = token(declaration, preposition === "on" ? "On" : "For");
  const name = token(declaration, "Name", 1);
  const skipped = node(declaration, "skippedHeader");
  const junk = skipped && firstToken(skipped);
  if (word && !name) return [missingNameAfter(file, word, junk)];
  if (!word && name) return [missingPreposition(file, preposition, name)];
  if (!junk) return [];
  const found = unexpectedInHeader(file, junk);
  const isSecondModel = declaration.name === "trainDeclaration" && is(junk, Comma);
  return [isSecondModel ? { ...found, notes: [ONE_MODEL] } : found];
}

const ONE_MODEL =
  "a recipe trains one model, of which `step d { update = critic }` updates a section";

function missingNameAfter(file: string, word: IToken, junk: IToken | undefined): SyntaxProblem {
  if (junk && isReserved(junk)) return reservedWord(file, junk);
  const span = junk ? spanOf(file, junk) : spanAfter(file, word);
  const found = junk ? describeFound(junk) : "a block starts";
  return problem("NET0001", span, `expected a name after \`${word.image}\`, but ${found}`, {
    label: "expected a name",
  });
}

function missingPreposition(file: string, preposition: string, name: IToken): SyntaxProblem {
  const span = spanOf(file, name);
  const message = `expected \`${preposition}\` before \`${name.image}\``;
  const fix = insert(file, span.start, `${preposition} `, `insert \`${preposition}\``);
  return problem("NET0001", span, message, { label: `expected \`${preposition}\``, fixes: [fix] });
}

/** `conv(64) -> from stem`. @param before the element before it in its chain */
export function lateFrom(before: Span, { span, path }: From): SyntaxProblem {
  const name = path.map((part) => part.name).join(".");
  const message = `\`from ${name}\` starts a chain, and cannot continue one`;
  return problem("NET0017", span, message, {
    label: "begin a new line here",
    notes: [`the layer before the arrow already has a value; \`from\` goes back to \`${name}\``],
    fixes: [replace({ ...span, start: before.end, end: span.start }, "\n", "start a new line")],
  });
}

/** `residual { ... } skip conv(64)`. */
export function skipWithoutBlock(span: Span): SyntaxProblem {
  const start = { ...span, end: span.start };
  const end = { ...span, start: span.end };
  return problem("NET0018", span, "`skip` takes `auto` or a block of layers", {
    label: "expected `auto` or `{ ... }`",
    fixes: [
      {
        title: "put it into a block",
        edits: [
          { span: start, newText: "{ " },
          { span: end, newText: " }" },
        ],
      },
      replace(span, "auto", "write `auto`"),
    ],
  });
}

export function unexpectedInHeader(file: string, junk: IToken): SyntaxProblem {
  const message = `expected \`{\`, but ${describeFound(junk)}`;
  const notes: string[] = [];
  // Only headers of `if` have a value before it.
  if (is(junk, Equals)) notes.push("`==` compares: `if stride == 1 { ... }`");
  if (is(junk, Colon)) notes.push("what follows is in a block: `for i in 0..3 { relu }`");
  return problem("NET0001", spanOf(file, junk), message, { label: "expected `{`", notes });
}

/** The `nn.` of `nn.Linear`. */
export function layerPrefix(file: string, prefix: CstNode): SyntaxProblem {
  const span = spanOfNode(file, prefix);
  const text = elementsInOrder(prefix)
    .map((element) => (isNode(element) ? "" : element.image))
    .join("");
  return problem(
    "NET0011",
    span,
    `\`${text}\` is not allowed before a layer: write the layer's name alone`,
    {
      fixes: [replace(span, "", `drop \`${text}\``)],
    },
  );
}

/** `0 < x < 1`. */
export function chainOfComparisons(
  file: string,
  signs: readonly IToken[],
  operands: readonly CstNode[],
): SyntaxProblem {
  const second = spanOf(file, signs[1]!);
  // Each operand between two signs is written once more, behind the first of them.
  const edits = operands.slice(1, signs.length).map((operand) => {
    const { end } = spanOfNode(file, operand);
    return { span: { file, start: end, end }, newText: ` and ${textOf(operand)}` };
  });
  return problem("NET0001", second, "comparisons do not chain: `and` joins two of them", {
    label: "a second comparison",
    fixes: [{ title: "join them with `and`", edits }],
  });
}

/** The commas of arguments, parameters or a list: one between two items, none before the first. */
export function checkCommas(file: string, items: CstNode): SyntaxProblem[] {
  const problems: SyntaxProblem[] = [];
  let previous: CstElement | undefined;
  for (const element of elementsInOrder(items)) {
    const found = checkSeparator(file, previous, element);
    if (found) problems.push(found);
    previous = element;
  }
  return problems;
}

function checkSeparator(
  file: string,
  previous: CstElement | undefined,
  element: CstElement,
): SyntaxProblem | undefined {
  if (!previous) return undefined;
  if (!isNode(element)) {
    return is(element, Comma) && !isNode(previous) ? commaTooMany(file, element) : undefined;
  }
  if (!isNode(previous)) return undefined;
  const [last, next] = [lastToken(previous), firstToken(element)];
  return last && next && missingComma(file, last, next);
}

function missingComma(file: string, previous: IToken, next: IToken): SyntaxProblem {
  const span = spanAfter(file, previous);
  return problem(
    "NET0009",
    span,
    `expected \`,\` between \`${previous.image}\` and \`${next.image}\``,
    {
      label: "expected `,`",
      fixes: [insert(file, span.start, ",", "insert `,`")],
    },
  );
}

function commaTooMany(file: string, comma: IToken): SyntaxProblem {
  const span = spanOf(file, comma);
  return problem("NET0009", span, "this `,` separates nothing", {
    fixes: [replace(span, "", "remove `,`")],
  });
}
