import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { apiPages } from "./api.js";
import { commandPages } from "./commands.js";
import { diagnosticPages } from "./diagnostics.js";
import { referencePages } from "./reference.js";

/** Generated pages by path. test/docs compares them with the files. */
const pages = {
  ...(await referencePages()),
  ...(await commandPages(".")),
  ...(await apiPages(".")),
  ...(await diagnosticPages("specs/errors")),
};

for (const [path, text] of Object.entries(pages)) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
console.log(`wrote ${Object.keys(pages).length} pages`);
