import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { formatSpec } from "../../format/index.js";

const folder = join(import.meta.dirname, "../../specs");
const specs = readdirSync(folder).filter((name) => name.endsWith(".net"));

test.each(specs)("%s formats to itself", async (name) => {
  const text = readFileSync(join(folder, name), "utf8");
  expect(await formatSpec(text)).toBe(text);
});
