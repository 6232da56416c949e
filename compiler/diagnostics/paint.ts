import type { Severity } from "./diagnostic.js";

type Paint = (text: string) => string;

/** How the parts of a message are colored. */
export interface Painter extends Readonly<Record<Severity, Paint>> {
  readonly bold: Paint;
  /** Line numbers, arrows and the underlines of related places. */
  readonly frame: Paint;
}

const unchanged: Paint = (text) => text;

export const plainPainter: Painter = {
  error: unchanged,
  warning: unchanged,
  bold: unchanged,
  frame: unchanged,
};

function ansi(...codes: readonly number[]): Paint {
  return (text) => `\u001b[${codes.join(";")}m${text}\u001b[0m`;
}

export const ansiPainter: Painter = {
  error: ansi(1, 31),
  warning: ansi(1, 33),
  bold: ansi(1),
  frame: ansi(1, 34),
};
