import { visible } from "../../program/visible.js";
import type { Span } from "../../grammar/ast.js";
import type { Diagnostic, Label } from "./diagnostic.js";
import type { Cell } from "./display-width.js";
import { cellsOf, totalWidth } from "./display-width.js";
import type { Painter } from "./paint.js";
import { ansiPainter, plainPainter } from "./paint.js";

export interface RenderOptions {
  /** Whether to color the text with ANSI escapes. */
  readonly color?: boolean;
}

/** Lines longer than this are shown in part. */
const LONGEST_LINE = 160;
/** How much of a long line is shown before the first underline. */
const LEAD_BEFORE_UNDERLINE = 40;

/**
 * A diagnostic for people: what is wrong, where, the lines of the spec that matter with underlines,
 * notes and help.
 *
 * @param text the whole text of the spec that the diagnostic is about
 */
export function renderText(
  diagnostic: Diagnostic,
  text: string,
  { color = false }: RenderOptions = {},
): string {
  return new TextRenderer(diagnostic, text, color ? ansiPainter : plainPainter).render();
}

/** An underline on one line of the text: columns from 1, the end exclusive. */
interface Underline {
  readonly line: number;
  readonly from: number;
  /** Undefined for "to the end of the line". */
  readonly to: number | undefined;
  readonly message: string;
  readonly isPrimary: boolean;
}

class TextRenderer {
  private readonly lines: readonly string[];
  private readonly underlines: readonly Underline[];
  private readonly numberWidth: number;

  constructor(
    private readonly diagnostic: Diagnostic,
    text: string,
    private readonly paint: Painter,
  ) {
    this.lines = text.split(/\r\n|\n|\r/);
    this.underlines = this.collectUnderlines();
    const lastLine = Math.max(...this.underlines.map(({ line }) => line), 1);
    this.numberWidth = Math.max(2, String(lastLine).length);
  }

  render(): string {
    return [this.header(), this.location(), ...this.excerpts(), ...this.footer()]
      .map((line) => line.trimEnd())
      .join("\n");
  }

  private header(): string {
    const { severity, code, message } = this.diagnostic;
    const kind = this.paint[severity](`${severity}[${code}]`);
    return kind + this.paint.bold(`: ${visible(message)}`);
  }

  private location(): string {
    return (
      `${" ".repeat(this.numberWidth)}${this.paint.frame("-->")} ` +
      `${placeOf(this.diagnostic.primary.span)}`
    );
  }

  // Excerpts

  private collectUnderlines(): Underline[] {
    const { primary, related } = this.diagnostic;
    if (isWholeFile(primary.span)) return [];
    const here = related.filter(({ span }) => span.file === primary.span.file);
    return [
      ...underlinesOf(primary, true),
      ...here.flatMap((label) => underlinesOf(label, false)),
    ].sort((a, b) => a.line - b.line || a.from - b.from);
  }

  private excerpts(): string[] {
    const lineNumbers = [...new Set(this.underlines.map(({ line }) => line))];
    return lineNumbers.flatMap((line) => this.excerpt(line));
  }

  private excerpt(line: number): string[] {
    const marks = this.underlines.filter((underline) => underline.line === line);
    const cells = cellsOf(this.lines[line - 1] ?? "");
    const start = firstCellShown(cells, marks[0]?.from ?? 1);
    const shown = showCells(cells, start);
    const number = String(line).padStart(this.numberWidth);
    return [
      `${this.paint.frame(`${number} |`)} ${shown}`,
      ...marks.map((mark) => `${this.gutter("|")} ${this.underline(mark, cells, start)}`),
    ];
  }

  private underline(mark: Underline, cells: readonly Cell[], start: number): string {
    const lead = start > 0 ? ELLIPSIS.length : 0;
    const indent = lead + totalWidth(cells.slice(start, mark.from - 1)) + cellsMissing(cells, mark);
    const to = Math.min(mark.to ?? cells.length + 1, start + LONGEST_LINE);
    const width = Math.max(1, totalWidth(cells.slice(mark.from - 1, to - 1)));
    const drawn = (mark.isPrimary ? "^" : "-").repeat(width);
    const words = mark.message === "" ? drawn : `${drawn} ${visible(mark.message)}`;
    const color = mark.isPrimary ? this.paint[this.diagnostic.severity] : this.paint.frame;
    return `${" ".repeat(indent)}${color(words)}`;
  }

  private gutter(sign: string): string {
    return `${" ".repeat(this.numberWidth + 1)}${this.paint.frame(sign)}`;
  }

  // Notes

  private footer(): string[] {
    const { primary, related, notes, fixes } = this.diagnostic;
    const elsewhere = related.filter(({ span }) => span.file !== primary.span.file);
    return [
      ...elsewhere.flatMap(({ span, message }) =>
        this.remark("note", `${placeOf(span)}: ${message}`),
      ),
      ...notes.flatMap((note) => this.remark("note", note)),
      ...fixes.flatMap(({ title }) => this.remark("help", title)),
    ];
  }

  private remark(kind: "note" | "help", text: string): string[] {
    const [first = "", ...rest] = text.split("\n").map(visible);
    const indent = " ".repeat(this.numberWidth + 1 + `= ${kind}: `.length);
    return [
      `${this.gutter("=")} ${this.paint.bold(`${kind}:`)} ${first}`,
      ...rest.map((line) => `${indent}${line}`),
    ];
  }
}

const ELLIPSIS = "...";

function placeOf({ file, start }: Span): string {
  return `${visible(file)}:${start.line}:${start.column}`;
}

/**
 * An empty span at the very start says something about the file, and nothing about its first line.
 */
function isWholeFile({ start, end }: Span): boolean {
  return start.offset === 0 && end.offset === 0;
}

/**
 * A label on one line gives one underline; on several, one each for the first and the last line.
 */
function underlinesOf({ span, message }: Label, isPrimary: boolean): Underline[] {
  const { start, end } = span;
  if (start.line === end.line) {
    return [{ line: start.line, from: start.column, to: end.column, message, isPrimary }];
  }
  return [
    { line: start.line, from: start.column, to: undefined, message: "from here", isPrimary },
    { line: end.line, from: Math.max(1, end.column - 1), to: end.column, message, isPrimary },
  ];
}

function firstCellShown(cells: readonly Cell[], column: number): number {
  if (totalWidth(cells) <= LONGEST_LINE) return 0;
  return Math.max(0, column - 1 - LEAD_BEFORE_UNDERLINE);
}

function showCells(cells: readonly Cell[], start: number): string {
  const shown =
    totalWidth(cells) <= LONGEST_LINE ? cells : cells.slice(start, start + LONGEST_LINE);
  const text = shown.map((cell) => cell.text).join("");
  const isCut = start + shown.length < cells.length;
  return `${start > 0 ? ELLIPSIS : ""}${text}${isCut ? ELLIPSIS : ""}`;
}

/** How far an underline extends beyond the end of its line. */
function cellsMissing(cells: readonly Cell[], { from }: Underline): number {
  return Math.max(0, from - 1 - cells.length);
}
