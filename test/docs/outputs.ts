/**
 * Outputs in the documentation that a command prints in this form:
 *
 *   <!-- output like: netc doctor -->
 *
 * Numbers and the width of columns may differ; `...` may be anything, also several lines.
 */
import { blocksOf } from "./blocks.js";

export interface Output {
  readonly command: string;
  readonly text: string;
}

/** The outputs of a page whose numbers may differ, from top to bottom. */
export const outputsLike = (page: string): readonly Output[] =>
  blocksOf(page).flatMap(({ note, text }) =>
    note?.startsWith("output like: ") ? [{ command: note.slice(13), text }] : [],
  );

const escape = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** Matches what has the form of a text. */
export function formOf(text: string): RegExp {
  const parts = text.split(/\n*\.{3}\n*/).map((part) =>
    escape(part)
      .replace(/-{3,}/g, "-+")
      .replace(/\d+(\\\.\d+)? s\b/g, "(\\w+ min )?@ s")
      .replace(/\d[\d,]*(\\\.\d+)?(e\\?-?\d+)?/g, "\\d[\\d.,e-]*")
      .replaceAll("@", "\\d[\\d.,]*")
      .replace(/\s+/g, "\\s+"),
  );
  return new RegExp(parts.join("[^]*"));
}
