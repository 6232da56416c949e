/** Files that users name are opened in one place, which refuses pipes and devices. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

/** What opens files to read them, or could. */
const OPENING = /\b(readFile|readFileSync|open|openSync|createReadStream|asyncBufferFromFile)\b/;

/** These open files of netc's own, of /proc, files to write, or are the one place. */
const ALLOWED = [
  "cli/commands/compile.ts",
  "cli/package.ts",
  "cli/plugin/index.ts",
  "runtime/node/append-file.ts",
  "runtime/node/embedded.ts",
  "runtime/node/mpi/late.ts",
  "runtime/node/read-file.ts",
  "runtime/node/write-file.ts",
];

test("no other file imports what opens files", () => {
  const sources = ["runtime", "cli", "editor"].flatMap((part) =>
    readdirSync(join(root, part), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => `${part}/${name}`),
  );
  expect(sources.length).toBeGreaterThan(150);
  const opening = sources.filter((name) => {
    const text = readFileSync(join(root, name), "utf8");
    const imports = text.matchAll(
      /import \{([^}]*)\} from "(?:node:fs(?:\/promises)?|hyparquet)"/g,
    );
    return [...imports].some(([, names]) => OPENING.test(names!));
  });
  expect(opening.sort()).toEqual(ALLOWED);
});
