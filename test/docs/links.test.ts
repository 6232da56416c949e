import { existsSync, readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../../", import.meta.url);
const pages = [
  ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md"],
  ...readdirSync(new URL("docs/", root))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** The anchors that GitHub gives a page's headings. */
function anchorsOf(page: string): readonly string[] {
  const text = page.replace(/^```[^]*?^```/gm, "");
  return [...text.matchAll(/^#+ (.*)$/gm)].map((match) =>
    match[1]!
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

/** Why a link of a page leads nowhere; undefined if it leads somewhere, or out of the repository. */
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
  const text = readFileSync(new URL(page, root), "utf8").replace(/`[^`\n]*`/g, "");
  const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1]!);
  expect(links.flatMap((link) => mistakeOf(link, page) ?? [])).toEqual([]);
});
