import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { diagnosticPages } from "./diagnostics.js";
import { layersPage } from "./layers.js";

/** Generated pages by path. test/docs compares them with what lies there. */
const pages = { "docs/layers.md": await layersPage(), ...(await diagnosticPages("specs/errors")) };

for (const [path, text] of Object.entries(pages)) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
console.log(`wrote ${Object.keys(pages).length} pages`);
