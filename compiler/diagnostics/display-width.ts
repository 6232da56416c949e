import { visible } from "../../program/visible.js";

/** How wide text is on a terminal, so that underlines are below their text. */

export const TAB_WIDTH = 4;

/** Ranges of characters that take two columns: East Asian scripts, full-width forms, emoji. */
const WIDE = new RegExp(
  "[\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\ua4cf\\uac00-\\ud7a3\\uf900-\\ufaff" +
    "\\ufe30-\\ufe6f\\uff00-\\uff60\\uffe0-\\uffe6]|\\p{Emoji_Presentation}",
  "u",
);

/** Characters that take none: combining marks, joiners, the byte order mark. */
const INVISIBLE = /\p{Mn}|\p{Me}|\p{Cf}/u;

/** A character as it is shown, and the columns that it takes. */
export interface Cell {
  readonly text: string;
  readonly width: number;
}

/**
 * One cell for each UTF-16 code unit, as columns of spans count them. Tabs become blanks; control
 * characters, which could do anything to a terminal, become a replacement character.
 */
export function cellsOf(line: string): Cell[] {
  const cells: Cell[] = [];
  let column = 0;
  for (const character of line) {
    const cell = cellOf(character, column);
    column += cell.width;
    cells.push(cell);
    // The second half of a surrogate pair has no cell.
    if (character.length > 1) cells.push({ text: "", width: 0 });
  }
  return cells;
}

function cellOf(character: string, column: number): Cell {
  if (character === "\t") {
    const width = TAB_WIDTH - (column % TAB_WIDTH);
    return { text: " ".repeat(width), width };
  }
  if (character === "\ufeff") return { text: "", width: 0 };
  if (visible(character) !== character) return { text: "\ufffd", width: 1 };
  if (INVISIBLE.test(character)) return { text: character, width: 0 };
  return { text: character, width: WIDE.test(character) ? 2 : 1 };
}

export function totalWidth(cells: readonly Cell[]): number {
  return cells.reduce((sum, { width }) => sum + width, 0);
}
