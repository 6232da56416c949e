/** Pages of a size that people read: short lines, paragraphs and pages. */
import { describe, expect, test } from "vitest";
import { pages, readPage } from "./pages.js";

const MOST_LINES = 200;
const MOST_LINES_OF_README = 150;
const MOST_COLUMNS = 100;
const MOST_PARAGRAPH_LINES = 6;

/** The changelog grows with every version, and its entries are lists. */
const measured = pages.filter((page) => page !== "CHANGELOG.md");

/** A page's lines of prose with their numbers: no code, tables, comments or headings. */
function proseOf(page: string): readonly (readonly [number, string])[] {
  let fence: string | undefined;
  return page.split("\n").flatMap((line, index): [number, string][] => {
    const mark = /^\s*(`{3,})/.exec(line)?.[1];
    if (mark !== undefined && (fence === undefined || mark === fence)) {
      fence = fence === undefined ? mark : undefined;
      return [];
    }
    return fence !== undefined || /^\s*(\||<|#)/.test(line) ? [] : [[index + 1, line]];
  });
}

/** Without a blank, a link or a text in backticks cannot be broken. */
const canBreak = (line: string) =>
  line
    .trim()
    .replace(/^([-*]|\d+\.) /, "")
    .replace(/`[^`]*`|\]\([^)]*\)/g, "")
    .includes(" ");

function wideLines(page: string): readonly string[] {
  const wide = proseOf(page).filter(([, line]) => line.length > MOST_COLUMNS && canBreak(line));
  return wide.map(([number, line]) => `${number}: ${line}`);
}

/** The first lines of paragraphs that are too long. A list's items are paragraphs. */
function longParagraphs(page: string): readonly number[] {
  let [length, start] = [0, 0];
  return proseOf(page).flatMap(([number, line]) => {
    const isEmpty = line.trim() === "";
    const begins = isEmpty || /^\s*([-*]|\d+\.) /.test(line) || number !== start + length;
    [length, start] = begins ? [isEmpty ? 0 : 1, number] : [length + 1, start];
    return length === MOST_PARAGRAPH_LINES + 1 ? [start] : [];
  });
}

test.each(measured)("%s has short lines, paragraphs and pages", (page) => {
  const text = readPage(page);
  expect(wideLines(text)).toEqual([]);
  expect(longParagraphs(text)).toEqual([]);
  const most = page === "README.md" ? MOST_LINES_OF_README : MOST_LINES;
  // An index has a row for each diagnostic.
  const isIndex = page === "docs/diagnostics/README.md";
  const lines = text
    .trimEnd()
    .split("\n")
    .filter((line) => !isIndex || !line.startsWith("|"));
  expect(lines.length).toBeLessThanOrEqual(most);
});

describe("what is too long is found", () => {
  test("a line", () => {
    expect(wideLines("words ".repeat(20))).toHaveLength(1);
    expect(wideLines(`| ${"cell ".repeat(30)} |`)).toEqual([]);
    expect(wideLines(`- [link](https://example.com/${"a".repeat(100)})`)).toEqual([]);
  });
  test("a paragraph", () => {
    expect(longParagraphs("words\n".repeat(8))).toEqual([1]);
    expect(longParagraphs("- words\n".repeat(8))).toEqual([]);
    expect(longParagraphs("words\n\n".repeat(8))).toEqual([]);
  });
});
