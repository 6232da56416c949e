/** Colors a text as editors do: by the TextMate grammar of editors/vscode, line by line. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import oniguruma from "vscode-oniguruma";
import textmate from "vscode-textmate";

const grammarFile = new URL("../../editors/vscode/syntaxes/netc.tmLanguage.json", import.meta.url);

/** The grammar as it is written. */
export const grammarText = readFileSync(grammarFile, "utf8");

/** The scope of the whole text. */
const ROOT = "source.netc";

async function loadGrammar(): Promise<textmate.IGrammar> {
  const wasm = createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm");
  await oniguruma.loadWASM(readFileSync(wasm));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner([...patterns]),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: (scope) =>
      Promise.resolve(
        scope === ROOT ? textmate.parseRawGrammar(grammarText, grammarFile.pathname) : null,
      ),
  });
  return (await registry.loadGrammar(ROOT))!;
}

let grammar: Promise<textmate.IGrammar> | undefined;

/** A run of characters that are colored alike. */
export interface ScopedPiece {
  readonly text: string;
  /** 1-based. */
  readonly line: number;
  readonly start: number;
  readonly end: number;
  /** From the outermost to the innermost, the root left out. */
  readonly scopes: readonly string[];
}

/** The pieces of a text, in order; offsets are those of the text. */
export async function scopedPieces(text: string): Promise<readonly ScopedPiece[]> {
  const tokenizer = await (grammar ??= loadGrammar());
  const pieces: ScopedPiece[] = [];
  let state = textmate.INITIAL;
  let offset = 0;
  text.split("\n").forEach((line, index) => {
    const { tokens, ruleStack } = tokenizer.tokenizeLine(line, state);
    for (const { startIndex, endIndex, scopes } of tokens) {
      pieces.push({
        text: line.slice(startIndex, endIndex),
        line: index + 1,
        start: offset + startIndex,
        end: Math.min(offset + endIndex, offset + line.length),
        scopes: scopes.filter((scope) => scope !== ROOT),
      });
    }
    state = ruleStack;
    offset += line.length + 1;
  });
  return pieces;
}
