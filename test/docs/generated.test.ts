import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { apiPages } from "../../scripts/docs/api.js";
import { commandPages } from "../../scripts/docs/commands.js";
import { referencePages } from "../../scripts/docs/reference.js";
import { root } from "./pages.js";

const generated = {
  ...(await referencePages()),
  ...(await commandPages(root)),
  ...(await apiPages(root)),
};

describe("docs/reference is what registries, commands and docstrings say", () => {
  test.each(Object.entries(generated))("%s", (page, text) => {
    const path = join(root, page);
    if (process.env["NETC_UPDATE_GOLDEN"] === "1") writeFileSync(path, text);
    const written = existsSync(path) ? readFileSync(path, "utf8") : "";
    expect(written, "out of date: `npm run docs` writes it").toBe(text);
  });
});

test("the API has every export, and the arguments of a call", () => {
  const { "docs/reference/api/network.md": network, "docs/reference/api/training.md": training } =
    generated;
  expect(network).toContain("| `predict`");
  expect(network).not.toContain("`#");
  expect(training).toContain("options: FitOptions");
});

test("every export of the API says what it is", () => {
  const pages = Object.entries(generated).filter(([page]) => page.includes("reference/api/"));
  const silent = pages.flatMap(([page, text]) =>
    [...text.matchAll(/^## (.*)\n\n(?=\||```|#)/gm)].map((found) => `${page}: ${found[1]}`),
  );
  expect(silent.filter((each) => !each.includes("README"))).toEqual([]);
});
