/** Outputs that the documentation shows: the command in the comment before a block prints it. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formOf, outputsLike } from "../docs/outputs.js";
import { pages, readPage, root } from "../docs/pages.js";
import { shades, writeFiles } from "../starter/pictures.js";
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

/** Pages of commands, whose outputs have other numbers on another machine. */
const MEASURED = pages.filter(
  (page) => page.startsWith("docs/reference/") && outputsLike(page).length > 0,
);

/** Lines of Dawn about limits of lavapipe. */
const OF_DAWN = /^Warning: max.*\n/gm;
/** Said where a command is run after others of the test: the pages show the first run. */
const OF_EARLIER_RUN = /^warning: the earlier run in .*\n/gm;

const isFull = process.env["NETC_TEST_FULL"] === "1" && process.env["NETC_ADAPTER"] === "lavapipe";

describe.runIf(isFull)("outputs on lavapipe have the form that the documentation shows", () => {
  let folder: string;

  const succeed = async (command: string) => {
    // "auto" chooses lavapipe where there is no GPU, and gives the reason that the pages show.
    const env = { NO_COLOR: "1", COLUMNS: "100", NETC_ADAPTER: "auto" };
    const { code, stdout, stderr } = await netc(command.split(" "), { cwd: folder, env });
    expect(code, `netc ${command}\n${stderr}`).toBe(0);
    const said = stderr.replace(OF_DAWN, "").replace(OF_EARLIER_RUN, "");
    return `$ netc ${command}\n${said}${stdout}`;
  };

  // What the commands of the pages take for granted: two runs, a digit and weights.
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "netc-outputs-"));
    cpSync(join(root, "specs"), join(folder, "specs"), { recursive: true });
    const digit = shades("digit", 1, { size: 8 })["digit/000.jpg"]!;
    await writeFiles(folder, { "digit.png": digit });
    await succeed("train specs/digits.net --lr 0.001 --out runs/slow");
    await succeed("train specs/digits.net --out runs/digits");
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each(MEASURED)("%s", { timeout: 600_000 }, async (page) => {
    for (const { command, text } of outputsLike(page)) {
      const printed = await succeed(command.replace(/^netc /, ""));
      expect(printed).toMatch(formOf(text));
    }
  });
});

describe("the form of an output", () => {
  test("has other numbers, widths and omitted lines", () => {
    const form = formOf("loss  0.08\n----  ----\n...\ndone in 3 s");
    expect("done in 1 min 2.5 s").toMatch(formOf("done in 3 s"));
    expect("loss  12.5e-3\n----  -------\na\nb\ndone in 1,024.5 s").toMatch(form);
  });

  test("has the same words", () => {
    expect("cost  0.08").not.toMatch(formOf("loss  0.08"));
    expect("loss  0.08").not.toMatch(formOf("loss  0.08\n\ntop1  97%"));
  });
});
