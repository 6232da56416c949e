/**
 * The one place where text that users wrote (names, paths, comments) becomes part of code: a
 * module, its declarations, comments in kernels. Nothing else in emit/ puts such text between
 * quotes or behind `//`.
 */
import { visible } from "../../program/visible.js";

/**
 * Plain data as a JavaScript literal. JSON is one, but for a key: in an object literal,
 * `"__proto__":` sets the prototype.
 *
 * @param indent blanks by which nested values are indented; all on one line if left out
 */
export function literal(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent)
    .replaceAll(/(?<!\\)"__proto__":/g, '["__proto__"]:')
    .replaceAll(/[\u2028\u2029]/g, visible);
}

/** A comment to the end of the line, in JavaScript or WGSL, whatever its text. */
export function lineComment(text: string): string {
  return `// ${visible(text)}`;
}

/** A documentation comment of several lines, whatever they hold. */
export function blockComment(lines: readonly string[]): readonly string[] {
  const texts = lines.flatMap((line) => line.split("\n"));
  return ["/**", ...texts.map((line) => ` * ${insideComment(line)}`.trimEnd()), " */"];
}

const insideComment = (line: string) => visible(line).replaceAll("*/", "*\\/");

/** The text between the backquotes of a template literal. A literal would turn `\r\n` into `\n`. */
export function templateText(text: string): string {
  return text.replaceAll(/\\|`|\$\{|\r/g, (special) => (special === "\r" ? "\\r" : `\\${special}`));
}

/**
 * What a type cannot be called in the declarations: TypeScript's own words, and the names that they
 * import.
 */
const TAKEN = new Set([
  ...["any", "unknown", "never", "void", "object", "string", "number", "boolean", "symbol"],
  ...["bigint", "undefined", "null", "true", "false", "this", "class", "enum", "function", "var"],
  ...["const", "let", "new", "delete", "typeof", "instanceof", "in", "return", "switch", "case"],
  ...["break", "continue", "default", "do", "else", "export", "extends", "finally", "for", "if"],
  ...["import", "super", "throw", "try", "catch", "while", "with", "yield", "await", "static"],
  ...["implements", "interface", "package", "private", "protected", "public", "debugger"],
  ...["Network", "NetworkOptions", "Program", "TrainRecipe", "Labels", "Promise"],
  ...["Float32Array", "intrinsic"],
]);

/** The name of a model's type: its own, unless a type cannot have it. */
export function typeName(model: string): string {
  return TAKEN.has(model) ? `${model}Model` : model;
}
