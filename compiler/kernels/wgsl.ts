/** What may stand in a hole of a WGSL template. Lists are joined line by line. */
export type Hole = string | number | readonly string[];

/**
 * Template tag for WGSL. Nested snippets of several lines take the indentation of the hole that they fill; numbers must be
 * whole (write `1.5f` as text), so that a shape gone wrong stops the compiler and not the GPU.
 */
export function wgsl(strings: TemplateStringsArray, ...holes: readonly Hole[]): string {
  let text = strings[0]!;
  holes.forEach((hole, index) => {
    text += indented(fill(hole), lastLineIndent(text)) + strings[index + 1]!;
  });
  return trimBlock(text);
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

function lastLineIndent(text: string): string {
  return /(?:^|\n)([ \t]*)[^\n]*$/.exec(text)?.[1] ?? "";
}

function indented(snippet: string, indent: string): string {
  return snippet.replaceAll("\n", `\n${indent}`);
}

/** Removes the first line break and the common indentation, so that templates can be indented like the code around them. */
function trimBlock(text: string): string {
  if (!text.startsWith("\n")) return text;
  const lines = text.slice(1).trimEnd().split("\n");
  const indents = lines.filter((line) => line.trim()).map((line) => /^ */.exec(line)![0].length);
  const common = Math.min(...indents);
  return lines.map((line) => line.slice(common)).join("\n");
}

/** `[f(0), ..., f(count - 1)]`: unrolled code, which Tint never makes from a loop. */
export function times<Result>(count: number, make: (index: number) => Result): Result[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** The lowest f32: where a maximum starts, since WGSL may assume that there are no infinities. */
export const LOWEST = "-0x1.fffffep+127f";
