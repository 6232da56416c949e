/**
 * The two streams of a command. Results go to stdout, everything said about the work (progress,
 * notes, errors) to stderr, so that `netc ... --json | jq` and `netc ... > file` hold results
 * alone.
 */
import type { WriteStream } from "node:tty";
import { visibleLines } from "../program/visible.js";

type Output = NodeJS.WriteStream | WriteStream;

/** The name under which this process speaks, of errors alone, where it is not the first rank. */
let rankName: string | undefined;

/** The end of what a rank did not say. */
let muted = "";

const MUTED_LENGTH = 16384;

/** From now on this process says nothing but what is its own, with its name before each line. */
export function speakAsRank(name: string): void {
  rankName = name;
}

/**
 * Says what only this process knows, an error above all: also where it is not the first rank, with
 * its name.
 */
export function sayOwn(text: string): void {
  if (rankName === undefined) return say(text);
  const lines = forTerminal(text).trimEnd().split("\n");
  process.stderr.write(lines.map((line) => `${rankName}: ${line}\n`).join(""));
}

/** Says the last of what a rank kept to itself: diagnostics that ended it. */
export function sayWhatWasMuted(): void {
  if (muted !== "") sayOwn(muted);
  muted = "";
}

/**
 * Writes a result, ending it with a new line: as it is into files and pipes, without control
 * characters on a terminal.
 */
export function print(text: string): void {
  if (rankName !== undefined) return;
  const shown = process.stdout.isTTY ? forTerminal(text) : text;
  process.stdout.write(shown.endsWith("\n") ? shown : `${shown}\n`);
}

/** netc's own styles. */
// eslint-disable-next-line no-control-regex -- styles are control characters
const STYLE = /(\u001b\[(?:0|1|2|3[1-46]|1;3[134])m)/;

/**
 * A text with its control characters shown as `\\u001b`: names of files, messages of drivers and
 * the like could steer the terminal. netc's own styles stay.
 */
export function forTerminal(text: string): string {
  const parts = text.split(STYLE);
  return parts.map((part, index) => (index % 2 === 1 ? part : visibleLines(part))).join("");
}

/** Rows of numbers stay on one line each: matrices can be read, and their files are small. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(value, undefined, 2);
  print(text.replace(/\[\n[\s\d.,e+-]+\]/g, (row) => row.replace(/\s+/g, "")));
}

/** Says something about the work: progress, notes, warnings. */
export function say(text: string): void {
  if (rankName !== undefined) {
    muted = `${muted}${text.trimEnd()}\n`.slice(-MUTED_LENGTH);
    return;
  }
  const shown = forTerminal(text);
  process.stderr.write(shown.endsWith("\n") ? shown : `${shown}\n`);
}

/**
 * Whether a stream wants colors: a terminal that has them, unless NO_COLOR is set
 * (https://no-color.org).
 */
export function wantsColor(stream: Output): boolean {
  if (process.env.NO_COLOR || process.env.TERM === "dumb") return false;
  return stream.isTTY === true;
}

/**
 * Columns of the terminal, or undefined where a stream is not a terminal and lines may be as long
 * as they are.
 */
export function widthOf(stream: Output): number | undefined {
  return stream.isTTY ? stream.columns || 80 : undefined;
}

const STYLES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** The text in a style where the stream wants colors, else as it is. */
export function styled(style: keyof typeof STYLES, text: string, stream: Output): string {
  return wantsColor(stream) ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text;
}

/** Why results could not be written; undefined while they can. */
let lost: NodeJS.ErrnoException | undefined;

/**
 * Lets commands, runs above all, continue after their output is closed: `netc train x | head`
 * closes our stdout early, a terminal is closed, the disk of a redirection is full.
 */
export function outliveStreams(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => (lost ??= error));
  process.stderr.on("error", () => {});
}

/**
 * Settles once all results are written. Why some could not be; that a reader left is its right, not
 * an error.
 */
export async function lostResults(): Promise<string | undefined> {
  await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
  // Streams tell of an error after the write that met it.
  await new Promise((resolve) => setImmediate(resolve));
  return lost === undefined || lost.code === "EPIPE" ? undefined : lost.message;
}

export function warn(message: string): void {
  say(describeWarning(message));
}

/** Warns of what only this process knows. */
export function warnOwn(message: string): void {
  sayOwn(describeWarning(message));
}

const describeWarning = (message: string) =>
  `${styled("yellow", "warning", process.stderr)}: ${message}`;
