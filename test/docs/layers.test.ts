import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { layersPage } from "../../scripts/docs/layers.js";

test("docs/layers.md is what the registries say", async () => {
  const path = fileURLToPath(new URL("../../docs/layers.md", import.meta.url));
  const page = await layersPage();
  if (process.env["NETC_UPDATE_GOLDEN"] === "1") writeFileSync(path, page);
  const written = existsSync(path) ? readFileSync(path, "utf8") : "";
  expect(written, "out of date: `npm run docs` writes it").toBe(page);
});
