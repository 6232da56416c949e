/**
 * Pages of the documentation followed word by word in an empty folder: the commands that they show,
 * in their order, on generated pictures. With NETC_TEST_FULL.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readPage, root } from "../docs/pages.js";
import { shades, writeFiles } from "../starter/pictures.js";
import { netc, type Outcome } from "./netc.js";

const FILE = /<!-- file: (\S+) -->\n\n```\w+\n([^]*?)```/g;
const BLOCK = /^```(?<language>\w*).*\n(?<text>[^]*?)^```$/gm;

const env = { NETC_ADAPTER: process.env["NETC_ADAPTER"] ?? "embedded" };

let folder: string;

beforeEach(() => {
  // Inside the package, so that Node finds "netc/runtime" as a user's project would.
  mkdirSync(join(root, ".cache"), { recursive: true });
  folder = mkdtempSync(join(root, ".cache", "walk-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The files that a page shows. */
function writePageFiles(page: string): void {
  for (const [, name, text] of readPage(page).matchAll(FILE))
    writeFileSync(join(folder, name!), text!);
}

/** The commands in a page: of `npx netc check x.net  # why` `["netc", "check", "x.net"]`. */
function commandsOf(page: string): readonly (readonly string[])[] {
  return [...readPage(page).matchAll(BLOCK)]
    .filter(({ groups }) => groups!["language"] === "")
    .flatMap(({ groups }) => groups!["text"]!.split("\n"))
    .map((line) =>
      line
        .replace(/\s#.*$/, "")
        .trim()
        .replace(/^npx /, ""),
    )
    .filter((line) => /^(netc|node) /.test(line))
    .map((line) => line.split(/\s+/));
}

async function run([program, ...args]: readonly string[]): Promise<Outcome> {
  if (program === "netc") return netc(args, { cwd: folder, env });
  const options = { cwd: folder, env: { ...process.env, ...env } };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, options);
  return { code: 0, stdout, stderr };
}

/** Runs all commands of a page; each must succeed. */
async function follow(page: string): Promise<Readonly<Record<string, Outcome>>> {
  const outcomes: Record<string, Outcome> = {};
  for (const command of commandsOf(page)) {
    const outcome = await run(command);
    expect(outcome.code, `${command.join(" ")}\n${outcome.stderr}`).toBe(0);
    outcomes[command.slice(0, 2).join(" ")] = outcome;
  }
  return outcomes;
}

const exists = (...names: readonly string[]) => access(join(folder, ...names));

/** Two classes that differ in color. */
async function writePhotos(): Promise<void> {
  const roses = shades("rose", 40, { size: 48, tint: 55 });
  await writeFiles(join(folder, "photos"), { ...shades("daisy", 40, { size: 48 }), ...roses });
  await writeFiles(folder, { "rose.jpg": roses["rose/007.jpg"]! });
}

describe.runIf(process.env["NETC_TEST_FULL"] === "1")("pages work as they are written", () => {
  test("the first network, then JavaScript, then a run that is continued", async () => {
    await writePhotos();
    const first = await follow("docs/start/first-network.md");
    expect(first["netc predict"]!.stdout).toMatch(/rose/);
    for (const name of ["best.safetensors", "weights.safetensors", "report.html", "metrics.jsonl"])
      await exists("runs/flowers", name);
    writePageFiles("docs/deploy/javascript.md");
    const code = await follow("docs/deploy/javascript.md");
    expect(code["node predict.mjs"]!.stdout).toMatch(/^rose \d+\.\d%$/m);
    rmSync(join(folder, "runs"), { recursive: true });
    await follow("docs/guides/resume.md");
  });

  test("fine-tuning: a network of twenty classes starts one of five", async () => {
    writePageFiles("docs/guides/fine-tuning.md");
    const classes = (count: number, pictures: number) =>
      Object.assign(
        {},
        ...Array.from({ length: count }, (_, index) =>
          shades(`class${index}`, pictures, { size: 64, tint: index * 2 }),
        ),
      ) as ReturnType<typeof shades>;
    for (const [name, count] of [
      ["many", 20],
      ["few", 5],
    ] as const) {
      await writeFiles(join(folder, name, "train"), classes(count, 3));
      await writeFiles(join(folder, name, "val"), classes(count, 1));
    }
    const outcomes = await follow("docs/guides/fine-tuning.md");
    expect(outcomes["netc eval"]!.stdout).toContain("examples  5");
  });
});
