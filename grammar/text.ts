import type { SyntaxProblem } from "./problem.js";
import { problem } from "./problem.js";

/** How much of a file is looked at, in characters. */
const SAMPLE_LENGTH = 8192;

/** Longer than any spec: networks of 10,000 layers, written out, take half as much. */
const MOST_CHARACTERS = 1_000_000;

/**
 * Whether a text is text at all: not if it has a NUL, or many characters that only other kinds of
 * file have.
 */
export function checkText(text: string, file: string): SyntaxProblem | undefined {
  const start = { offset: 0, line: 1, column: 1 };
  if (text.length > MOST_CHARACTERS) {
    const most = `a spec has at most ${MOST_CHARACTERS} characters`;
    const message = `${most}; this file has ${text.length}`;
    return problem("NET0015", { file, start, end: start }, message);
  }
  const sample = text.slice(0, SAMPLE_LENGTH);
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const strange = sample.match(/[\u0000-\u0008\u000e-\u001f\u007f\ufffd]/g) ?? [];
  const isText = !sample.includes("\u0000") && strange.length <= sample.length / 50;
  if (isText) return undefined;
  return problem("NET0015", { file, start, end: start }, "this is not a text file in UTF-8", {
    notes: ["specs are plain text, not images, archives or weights files"],
  });
}
