/** What the language server says that names mean, to compare colors with. */
import { TextDocument } from "vscode-languageserver-textdocument";
import { SpecDocument } from "../../editor/document.js";
import { semanticTokens, semanticTokensLegend } from "../../editor/features/semantic-tokens.js";

export interface Meaning {
  /** A name of the server's legend: `function`, `parameter`. */
  readonly type: string;
  readonly text: string;
  /** 1-based. */
  readonly line: number;
  /** Offset in the text. */
  readonly start: number;
}

/** The semantic tokens of a spec that imports nothing. */
export function meaningsIn(text: string): readonly Meaning[] {
  const source = TextDocument.create("file:///a.net", "netc", 1, text);
  const { data } = semanticTokens(new SpecDocument(source, () => undefined));
  const meanings: Meaning[] = [];
  let [line, character] = [0, 0];
  for (let at = 0; at < data.length; at += 5) {
    const [down, right, length, type] = data.slice(at, at + 4) as [number, number, number, number];
    character = down > 0 ? right : character + right;
    line += down;
    const start = source.offsetAt({ line, character });
    meanings.push({
      type: semanticTokensLegend.tokenTypes[type]!,
      text: text.slice(start, start + length),
      line: line + 1,
      start,
    });
  }
  return meanings;
}
