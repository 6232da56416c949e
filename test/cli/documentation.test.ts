/** Outputs that the documentation shows: the command in the comment before a block prints it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pages, readPage, root } from "../docs/pages.js";
import { netc } from "./netc.js";

const OUTPUT = /(<!-- output: netc ([^\n]*?) -->\n\n```text\n)([^]*?)(```)/g;

interface Output {
  readonly page: string;
  readonly command: string;
  readonly text: string;
}

const outputs: readonly Output[] = pages.flatMap((page) =>
  [...readPage(page).matchAll(OUTPUT)].map(([, , command, text]) => {
    return { page, command: command!, text: text! };
  }),
);

/** What a terminal of 100 columns shows of a command. */
async function shown(command: string): Promise<string> {
  const env = { NO_COLOR: "1", COLUMNS: "100" };
  const { stdout, stderr } = await netc(command.split(" "), { env });
  const lines = `${stdout}${stderr}`.trimEnd().split("\n");
  return `$ netc ${command}\n${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}

describe("outputs in the documentation are what netc prints", () => {
  test.each(outputs)("$page: netc $command", async ({ page, command, text }) => {
    const actual = await shown(command);
    if (process.env["NETC_UPDATE_GOLDEN"] === "1") {
      const updated = readPage(page).replace(OUTPUT, (block, begin: string, other: string) =>
        other === command ? `${begin}${actual}\`\`\`` : block,
      );
      writeFileSync(join(root, page), updated);
      return;
    }
    expect(text).toBe(actual);
  });

  test("there are some", () => {
    expect(outputs.length).toBeGreaterThan(1);
  });
});

test("the README shows the error that its example gives", async () => {
  const [, spec, , printed] =
    /<!-- file: alexnet.net -->\n\n```net\n([^]*?)```([^]*?)```text\n([^]*?)```/.exec(
      readPage("README.md"),
    )!;
  const wrong = spec!
    .replace("224, 224", "256, 256")
    .replace("linear(4096) as fc6", "linear(4096, in=9216) as fc6");
  const folder = mkdtempSync(join(tmpdir(), "netc-readme-"));
  try {
    writeFileSync(join(folder, "alexnet.net"), wrong);
    const { stderr } = await netc(["check", "alexnet.net"], {
      cwd: folder,
      env: { NO_COLOR: "1", COLUMNS: "120" },
    });
    expect(stderr).toContain(printed!.trimEnd());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
