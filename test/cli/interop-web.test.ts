/** The commands of docs/interop-web.md, on a model that Keras 3 saved. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPage } from "../docs/pages.js";
import { netc, root } from "./netc.js";

const PAGE = readPage("docs/interop-web.md");
const COMMANDS = [...PAGE.matchAll(/^netc ([^\n]+)$/gm)].map(([, command]) => command!);

test.skipIf(!process.env["NETC_TEST_FULL"])(
  "a model of Keras becomes a module for a web page",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "netc-web-"));
    try {
      const model = join(root, "test/fixtures/models/keras-3-keras/small.keras");
      copyFileSync(model, join(folder, "small.keras"));
      expect(COMMANDS.map((command) => command.split(" ")[0])).toEqual(["import", "compile"]);
      for (const command of COMMANDS) {
        const { code, stderr } = await netc(command.split(" "), { cwd: folder });
        expect(code, stderr).toBe(0);
      }
      const [, spec] = /```net\n([^]*?)```/.exec(PAGE)!;
      const written = readFileSync(join(folder, "small.net"), "utf8");
      expect(written.slice(written.indexOf("model"))).toBe(spec);
      const [, name] = /import \{ (\w+) \} from "\.\/small\.js"/.exec(PAGE)!;
      expect(readFileSync(join(folder, "small.js"), "utf8")).toContain(name);
      expect(readFileSync(join(folder, "small.safetensors")).length).toBeGreaterThan(8000);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
