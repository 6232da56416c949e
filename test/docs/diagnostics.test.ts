import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { diagnosticPages } from "../../scripts/docs/diagnostics.js";

const root = join(import.meta.dirname, "../..");
const pages = await diagnosticPages(join(root, "specs/errors"));

describe("docs/diagnostics is what the catalogue and specs/errors say", () => {
  test.each(Object.entries(pages))("%s", (path, text) => {
    const file = join(root, path);
    if (process.env["NETC_UPDATE_GOLDEN"] === "1") {
      mkdirSync(join(file, ".."), { recursive: true });
      writeFileSync(file, text);
    }
    const written = existsSync(file) ? readFileSync(file, "utf8") : "";
    expect(written, "out of date: `npm run docs` writes it").toBe(text);
  });

  test("no page is left of a code that is gone", () => {
    const files = readdirSync(join(root, "docs/diagnostics")).map(
      (name) => `docs/diagnostics/${name}`,
    );
    expect(files.filter((file) => !(file in pages))).toEqual([]);
  });
});

test("a page has the rule, both examples, the spec and its message", () => {
  const page = pages["docs/diagnostics/NET2002.md"];
  expect(page).toContain("# NET2002: a declared input size does not match");
  expect(page).toContain("[Shapes](README.md#shapes), an error.");
  expect(page).toContain("Wrong:\n\n```net\nlinear(4096, in=9216)");
  expect(page).toContain("Right:\n\n```net\nlinear(4096)");
  expect(page).toMatch(/```text\nerror\[NET2002\]: .*\n {2}--> spec\.net:/);
});
