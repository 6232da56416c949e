import { visibleLines } from "../program/visible.js";

/** Text in pictures: its width without a browser to ask, and its escaping. */

/**
 * Widths of characters in a sans-serif font, in parts of the font's size: rounded up, so that text
 * fits.
 */
const NARROW = 0.34;
const COMMON = 0.57;
const WIDE = 0.88;

function widthOfCharacter(character: string): number {
  if ("iljtfrI.,:;|'()[] ".includes(character)) return NARROW;
  return /[A-Zmw×%@+=]/u.test(character) || character > "\u02ff" ? WIDE : COMMON;
}

/** An upper estimate of a text's width in pixels. */
export function textWidth(
  text: string,
  fontSize: number,
  weight: "normal" | "bold" = "normal",
): number {
  const sum = [...text].reduce((width, character) => width + widthOfCharacter(character), 0);
  return Math.ceil(sum * fontSize * (weight === "bold" ? 1.06 : 1));
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/**
 * Text in XML or HTML, also between double quotes. Control characters, which no XML may hold, are
 * shown as `\\u001b`.
 */
export function escapeXml(text: string): string {
  return visibleLines(text).replace(/[&<>"]/g, (character) => ESCAPES[character]!);
}
