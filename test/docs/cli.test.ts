import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commands } from "../../cli/commands/index.js";
import { readPage, root } from "./pages.js";

const FOLDER = "docs/reference/cli";
const text = readdirSync(join(root, FOLDER))
  .map((file) => readPage(`${FOLDER}/${file}`))
  .join("\n");

/** generated.test.ts compares the tables of flags. */
test.each(Object.entries(commands))("docs/reference/cli has netc %s", async (_, load) => {
  const command = await load();
  expect(text).toMatch(new RegExp(`^## ${command.name()}$`, "m"));
  if (command.options.length === 0) return;
  expect(text).toContain(`<!-- flags of ${command.name()} -->`);
  for (const { long } of command.options.filter(({ hidden }) => !hidden)) {
    expect(text).toMatch(new RegExp(`^\\| \`[^\`]*${long}\\b`, "m"));
  }
});
