/**
 * WGSL as it is written: statements are text, and every name in them that others must know is
 * an object. Text is printed last, by a `Printer`, which learns what the text needs.
 */
import { FRAME, type FrameWord } from "../../program/frame.js";
import type { Printer } from "./printer.js";

/** A piece of WGSL that can be printed. */
export class Code {
  constructor(readonly print: (printer: Printer) => string) {}
}

/** What a hole of a template takes. Lists are joined line by line, without nothing. */
export type Hole = Code | number | undefined | false | readonly Hole[];

/**
 * Template tag for WGSL. Holes take code, whole numbers, which are printed as u32 (`4u`), lists, or
 * nothing; no strings. Code of several lines takes the indentation of the hole that it fills.
 */
export function code(strings: TemplateStringsArray, ...holes: readonly Hole[]): Code {
  return new Code((printer) => {
    const template = templateOf(strings);
    let text = template[0]!;
    let indent = lastLineIndent(text) ?? "";
    holes.forEach((hole, index) => {
      const filled = indented(fill(hole, printer), indent);
      const after = template[index + 1]!;
      indent = lastLineIndent(after) ?? lastLineIndent(filled) ?? indent;
      const isLineWithoutText = filled === "" && isAlone(text, after);
      text = isLineWithoutText ? withoutLine(text, after) : text + filled + after;
    });
    return isBlock(strings) ? text.trimEnd() : text;
  });
}

/** Whether a hole between these texts is alone in its line. */
const isAlone = (before: string, after: string) =>
  before.slice(before.lastIndexOf("\n") + 1).trim() === "" && (after === "" || after[0] === "\n");

/** Both texts, without the line in which they meet. */
function withoutLine(before: string, after: string): string {
  const start = before.lastIndexOf("\n");
  return start < 0 ? after.slice(1) : before.slice(0, start) + after;
}

function fill(hole: Hole, printer: Printer): string {
  if (hole instanceof Code) return hole.print(printer);
  if (typeof hole === "number") return `${whole(hole)}u`;
  if (Array.isArray(hole))
    return linesOf(hole)
      .map((each) => fill(each, printer))
      .join("\n");
  if (isNothing(hole)) return "";
  throw new Error(`a WGSL template got ${JSON.stringify(hole)}`);
}

const isNothing = (hole: Hole) => hole === undefined || hole === false;

const linesOf = (holes: readonly Hole[]) => holes.filter((hole) => !isNothing(hole));

/** A shape that went wrong stops the compiler and not the GPU. */
function whole(value: number): number {
  if (Number.isInteger(value) && value >= 0) return value;
  throw new Error(`a WGSL template got ${value} where a whole number belongs`);
}

/** The blanks that the last of several lines begins with; undefined for a single line. */
function lastLineIndent(text: string): string | undefined {
  const start = text.lastIndexOf("\n") + 1;
  if (start === 0) return undefined;
  const line = text.slice(start);
  return line.slice(0, line.length - line.trimStart().length);
}

function indented(snippet: string, indent: string): string {
  return indent === "" ? snippet : snippet.replaceAll("\n", `\n${indent}`);
}

const isBlock = ([first]: readonly string[]) => first!.startsWith("\n");

const templates = new WeakMap<TemplateStringsArray, readonly string[]>();

/**
 * A template's text between its holes, without the first line break and the common indentation, so
 * that templates can be indented like the code around them.
 */
function templateOf(strings: TemplateStringsArray): readonly string[] {
  const known = templates.get(strings);
  if (known) return known;
  const made = isBlock(strings) ? withoutIndent(strings) : strings;
  templates.set(strings, made);
  return made;
}

function withoutIndent(strings: TemplateStringsArray): readonly string[] {
  const lines = strings.join("hole").split("\n");
  const indents = lines
    .filter((line) => line.trim())
    .map((line) => line.length - line.trimStart().length);
  const common = `\n${" ".repeat(Math.min(...indents))}`;
  return strings.map((part, index) => {
    const moved = part.replaceAll(common, "\n");
    return index === 0 ? moved.slice(1) : moved;
  });
}

/** A name that is made, not written. Statements belong into templates. */
export const text = (printed: string): Code => new Code(() => printed);

/** A variable of the kernel's own with a number in its name: `local("sum", 2)` is `sum2`. */
export const local = (name: string, number: number | "" = ""): Code => text(`${name}${number}`);

/** Variables of the kernel's own: `sum0`, `sum1`, ... */
export const locals = (prefix: string, count: number): readonly Code[] =>
  times(count, (index) => local(prefix, index));

/** `[f(0), ..., f(count - 1)]`: unrolled code, which Tint never makes from a loop. */
export function times<Result>(count: number, make: (index: number) => Result): Result[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** Code joined by something else than line breaks. */
export const joined = (parts: readonly Code[], separator: string): Code =>
  new Code((printer) => parts.map((part) => part.print(printer)).join(separator));

/** `at + count`, or `at` itself where that is the same. */
export const offset = (at: Code, count: Code | number): Code =>
  count === 0 ? at : code`${at} + ${count}`;

/** `at + count * stride`, without a factor of 1 or a sum with 0. */
export const stepped = (at: Code, count: number, stride: Code): Code =>
  count <= 1 ? offset(at, count && stride) : code`${at} + ${count} * ${stride}`;

/** `at * factor`, or `at` itself where that is the same. */
export const scaled = (at: Code, factor: number): Code =>
  factor === 1 ? at : code`${at} * ${factor}`;

/** An f32 literal. */
export function float(value: number): Code {
  if (!Number.isFinite(value)) throw new Error(`no WGSL literal for ${value}`);
  const printed = String(value);
  const isFloat = printed.includes(".") || printed.includes("e");
  return text(isFloat ? printed : `${printed}.0`);
}

/** A component of a vec4. */
export const component = (vector: Code, index: number): Code => code`${vector}.${XYZW[index]}`;

const XYZW = ["x", "y", "z", "w"].map(text);

// What every kernel may read.

/** Words of the frame. */
export const frame = Object.fromEntries(
  Object.keys(FRAME).map((word) => [word, frameWord(word as FrameWord)]),
) as Readonly<Record<FrameWord, Code>>;

function frameWord(word: FrameWord): Code {
  return new Code((printer) => {
    printer.readFrame(word);
    return `frame.${word}`;
  });
}

/** One of the frame's totals, which follow its words; `totals` is their number. */
export const classTotal = (totals: number, at: Code): Code =>
  new Code((printer) => {
    printer.readTotals(totals);
    return code`frame.totals[${at} / 4u][${at} % 4u]`.print(printer);
  });

/** The workgroup's number in x, folded into y where there are many. */
export const block = text("block");

/** The lane's number in its workgroup. */
export const lane = text("lane");

/** The workgroup's number in z. A dispatch may be a part of them. */
export const plane = new Code((printer) => {
  printer.readPlane();
  return "plane";
});

/** The lane's number in its subgroup. */
export const subgroupLane = new Code((printer) => {
  printer.useSubgroups();
  return "subgroup_lane";
});

/** The thread's number over all workgroups of `lanes` lanes, as a variable. */
export const startThread = (lanes: number, name = "thread"): Code =>
  code`let ${text(name)} = ${block} * ${lanesNamed(lanes)} + ${lane};`;

// What is declared before the entry point.

/**
 * What a module declares once, and only where something reads it: functions with what they need,
 * or constants and variables, a line each, which come before all functions.
 */
export class Declaration {
  constructor(
    readonly code: Code,
    readonly kind: "functions" | "variable" | "constant" = "functions",
    readonly workgroupBytes = 0,
  ) {}
}

/** A name that a declaration makes. */
export class Declared extends Code {
  constructor(
    name: string,
    readonly declaration: Declaration,
  ) {
    super((printer) => {
      printer.declare(declaration, name);
      return name;
    });
  }
}

/** A function by its name; its text is the whole declaration. */
export const helper = (name: string, declaration: Code | Declaration): Declared =>
  new Declared(
    name,
    declaration instanceof Declaration ? declaration : new Declaration(declaration),
  );

/** A number with a name, as a constant of the module. */
export const named = (name: string, value: Code | number): Declared =>
  helper(name, new Declaration(code`const ${text(name)} = ${value};`, "constant"));

/** The lowest f32: where a maximum starts, since WGSL may assume that there are no infinities. */
export const LOWEST = named("LOWEST", text("-0x1.fffffep+127f"));

/** Invocations of a workgroup. */
export const lanesNamed = (lanes: number): Declared => named("LANES", lanes);

const ELEMENT_BYTES = { f32: 4, u32: 4, vec4f: 16, vec4u: 16 } as const;

/** An array in workgroup memory. */
export function workgroupArray(
  name: string,
  element: keyof typeof ELEMENT_BYTES,
  length: number,
): Declared {
  const line = text(`var<workgroup> ${name}: array<${element}, ${whole(length)}>;`);
  return new Declared(name, new Declaration(line, "variable", ELEMENT_BYTES[element] * length));
}

/** A variable that all functions of an invocation see. */
export const privateVariable = (name: string, type: "f32" | "vec4f"): Declared =>
  helper(name, new Declaration(text(`var<private> ${name}: ${type};`), "variable"));
