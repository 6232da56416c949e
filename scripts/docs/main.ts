import { writeFileSync } from "node:fs";
import { layersPage } from "./layers.js";

/** Generated pages by path. test/docs compares them with what lies there. */
const pages = { "docs/layers.md": layersPage };

for (const [path, make] of Object.entries(pages)) {
  writeFileSync(path, await make());
  console.log(`wrote ${path}`);
}
