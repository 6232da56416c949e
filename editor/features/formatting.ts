import type { TextEdit } from "vscode-languageserver";
import { formatSpec } from "../../format/index.js";
import type { SpecDocument } from "../document.js";

/** The canonical layout as one edit; none where the text has it already, or does not parse. */
export async function formatting({ text, source, analysis }: SpecDocument): Promise<TextEdit[]> {
  if (analysis.diagnostics.some(({ code }) => code.startsWith("NET0"))) return [];
  const formatted = await formatSpec(text);
  if (formatted === text) return [];
  const range = { start: source.positionAt(0), end: source.positionAt(text.length) };
  return [{ range, newText: formatted }];
}
