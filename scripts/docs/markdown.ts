import { format } from "prettier";

/** The pieces of a generated page, joined by empty lines. Empty pieces are left out. */
export function page(...pieces: readonly string[]): string {
  return pieces
    .map((piece) => piece.trim())
    .filter((piece) => piece !== "")
    .join("\n\n");
}

/** A table; empty where there are no rows. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const lines = [header, header.map(() => "---"), ...rows.map((row) => row.map(escaped))];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

export const code = (text: string): string => `\`${text}\``;

/** "`a`, `b`, `c`" */
export const codes = (names: readonly string[]): string => names.map(code).join(", ");

/** "Softmax with ...": the first letter as a sentence begins. */
export const sentence = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}.`;

/** As `npm run format` would leave it, with prose in lines of at most 100 characters. */
export const formatted = (markdown: string): Promise<string> =>
  format(markdown, { parser: "markdown", printWidth: 100, proseWrap: "always" });

const escaped = (cell: string) => cell.replaceAll("|", "\\|");
