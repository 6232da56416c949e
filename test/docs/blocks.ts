/** The fenced blocks of pages, and what the comment before a block says about it. */
import { readPage } from "./pages.js";

export interface FencedBlock {
  readonly page: string;
  /** Line of the page, from 1. */
  readonly line: number;
  /** The word after the fence; empty for commands. */
  readonly language: string;
  readonly text: string;
  /** The HTML comment right before the block, without its marks. */
  readonly note: string | undefined;
  /** The paragraph, or heading, before the block. */
  readonly before: string;
}

const FENCE = /^(\s*)(`{3,})(.*)$/;
const NOTE = /^\s*<!-- (.*) -->$/;

/** The blocks of a page, from top to bottom. */
export function blocksOf(page: string): readonly FencedBlock[] {
  const lines = readPage(page).split("\n");
  const blocks: FencedBlock[] = [];
  for (let index = 0; index < lines.length; index++) {
    const fence = FENCE.exec(lines[index]!);
    if (!fence) continue;
    const [, indent, mark, language] = fence;
    const end = lines.indexOf(`${indent}${mark}`, index + 1);
    const text = lines.slice(index + 1, end).map((line) => line.slice(indent!.length));
    blocks.push({
      page,
      line: index + 1,
      language: language!,
      text: text.join("\n"),
      ...textBefore(lines.slice(0, index)),
    });
    index = end;
  }
  return blocks;
}

function textBefore(lines: readonly string[]): Pick<FencedBlock, "note" | "before"> {
  const written = lines.filter((line) => line.trim() !== "");
  const note = NOTE.exec(written.at(-1) ?? "")?.[1];
  return { note, before: written.slice(note === undefined ? -3 : -4).join(" ") };
}
