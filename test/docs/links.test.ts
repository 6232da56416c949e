import { existsSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { pages, readPage, root as folder } from "./pages.js";

const root = pathToFileURL(`${folder}/`);

/** The anchors that GitHub gives a page's headings. */
function anchorsOf(page: string): readonly string[] {
  const text = page.replace(/^(`{3,})[^]*?^\1$/gm, "");
  return [...text.matchAll(/^#+ (.*)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

/**
 * Why a link of a page leads nowhere; undefined if it leads somewhere, or out of the repository.
 */
function mistakeOf(link: string, page: string): string | undefined {
  if (/^\w+:/.test(link)) return undefined;
  const [path = "", anchor] = link.split("#");
  const own = new URL(page, root);
  const file = path === "" ? own : new URL(path, own);
  if (!existsSync(file)) return `${link}: no such file`;
  if (anchor === undefined || anchorsOf(readFileSync(file, "utf8")).includes(anchor)) {
    return undefined;
  }
  return `${link}: no such heading`;
}

test.each(pages)("links of %s lead somewhere", (page) => {
  const text = readPage(page)
    .replace(/^(`{3,})[^]*?^\1$/gm, "")
    .replace(/`[^`\n]*`/g, "");
  const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1]!);
  expect(links.flatMap((link) => mistakeOf(link, page) ?? [])).toEqual([]);
});
