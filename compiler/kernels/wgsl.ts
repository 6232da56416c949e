/** What may stand in a hole of a WGSL template. Lists are joined line by line. */
export type Hole = string | number | readonly string[];

/**
 * Template tag for WGSL. Nested snippets of several lines take the indentation of the hole that
 * they fill; numbers must be whole (write `1.5f` as text), so that a shape gone wrong stops the
 * compiler and not the GPU.
 */
export function wgsl(strings: TemplateStringsArray, ...holes: readonly Hole[]): string {
  const template = templateOf(strings);
  let text = template[0]!;
  let indent = lastLineIndent(text) ?? "";
  holes.forEach((hole, index) => {
    const filled = indented(fill(hole), indent);
    const after = template[index + 1]!;
    indent = lastLineIndent(after) ?? lastLineIndent(filled) ?? indent;
    text += filled + after;
  });
  return isBlock(strings) ? text.trimEnd() : text;
}

function fill(hole: Hole): string {
  if (typeof hole === "string") return hole;
  if (typeof hole === "number") {
    if (Number.isInteger(hole)) return String(hole);
    throw new Error(`a WGSL template got ${hole} where a whole number belongs`);
  }
  if (Array.isArray(hole)) return hole.map((line: Hole) => fill(line)).join("\n");
  throw new Error(`a WGSL template got ${String(hole)}`);
}

/** The blanks that the last of several lines begins with; undefined of a single line. */
function lastLineIndent(text: string): string | undefined {
  const start = text.lastIndexOf("\n") + 1;
  return start === 0 ? undefined : /^[ \t]*/.exec(text.slice(start))![0];
}

function indented(snippet: string, indent: string): string {
  return indent === "" ? snippet : snippet.replaceAll("\n", `\n${indent}`);
}

const isBlock = ([first]: readonly string[]) => first!.startsWith("\n");

const templates = new WeakMap<TemplateStringsArray, readonly string[]>();

/**
 * A template's text between its holes. Without the first line break and the common indentation, so
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
  const indents = lines.filter((line) => line.trim()).map((line) => /^ */.exec(line)![0].length);
  const common = `\n${" ".repeat(Math.min(...indents))}`;
  return strings.map((part, index) => {
    const moved = part.replaceAll(common, "\n");
    return index === 0 ? moved.slice(1) : moved;
  });
}

/** `[f(0), ..., f(count - 1)]`: unrolled code, which Tint never makes from a loop. */
export function times<Result>(count: number, make: (index: number) => Result): Result[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** The lowest f32: where a maximum starts, since WGSL may assume that there are no infinities. */
export const LOWEST = "-0x1.fffffep+127f";
