/**
 * The two streams of a command. Results go to stdout, everything said about the work (progress, notes, errors) to stderr,
 * so that `netc ... --json | jq` and `netc ... > file` hold results alone.
 */
import type { WriteStream } from "node:tty";

type Output = NodeJS.WriteStream | WriteStream;

/** Writes a result, ending it with a new line. */
export function print(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** Rows of numbers stay on one line each: matrices can be read, and their files are small. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(value, undefined, 2);
  print(text.replace(/\[\n[\s\d.,e+-]+\]/g, (row) => row.replace(/\s+/g, "")));
}

/** Says something about the work: progress, notes, warnings. */
export function say(text: string): void {
  process.stderr.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** Whether a stream wants colours: a terminal that has them, unless NO_COLOR is set (https://no-color.org). */
export function wantsColor(stream: Output): boolean {
  if (process.env.NO_COLOR || process.env.TERM === "dumb") return false;
  return stream.isTTY === true;
}

/** Columns of the terminal, or undefined where a stream is none and lines may be as long as they are. */
export function widthOf(stream: Output): number | undefined {
  return stream.isTTY ? stream.columns || 80 : undefined;
}

const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** The text in a style where the stream wants colours, else as it is. */
export function styled(style: keyof typeof styles, text: string, stream: Output): string {
  return wantsColor(stream) ? `\u001b[${styles[style]}m${text}\u001b[0m` : text;
}

/** `netc summary x | head` closes our stdout early: that is the reader's right, not an error. */
export function endQuietlyWhenReaderLeaves(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
}

export function warn(message: string): void {
  say(`${styled("yellow", "warning", process.stderr)}: ${message}`);
}
