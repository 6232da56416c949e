/**
 * Pages of the documentation followed word by word: a shell runs all commands of a page, in their
 * order, in a folder that has only what the page asks for. With NETC_TEST_FULL.
 *
 * What differs from a user's machine: `npx netc` runs this checkout's `dist/`, pictures are
 * generated and small, and flowers.net trains for 2 epochs instead of 20.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { transform } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { writePageFiles } from "../docs/files.js";
import { formOf, outputsLike } from "../docs/outputs.js";
import { pages, readPage, root } from "../docs/pages.js";
import { PYTHON, pythonHas } from "../interchange/peers.js";
import { shades, writeFiles } from "../starter/pictures.js";
import { ADAPTER, type Outcome } from "./netc.js";

const MINUTES = 60_000;

/**
 * What a page takes for granted: pictures, the spec of the first network, its trained weights, a
 * file of PyTorch's or of Keras.
 */
type Given = "photos" | "flowers.net" | "runs" | "birds" | "alexnet.pth" | "small.keras";

interface Walk {
  readonly page: string;
  readonly given: readonly Given[];
  /** Runs of the page are alternatives: each begins without an earlier one. */
  readonly hasAlternatives?: true;
}

const WALKS: readonly Walk[] = [
  { page: "docs/deploy/browser.md", given: ["photos", "flowers.net", "runs"] },
  { page: "docs/deploy/javascript.md", given: ["photos", "flowers.net", "runs"] },
  { page: "docs/deploy/prediction-only.md", given: ["photos", "flowers.net", "runs"] },
  { page: "docs/deploy/verify.md", given: ["flowers.net"] },
  { page: "docs/deploy/worker.md", given: ["flowers.net"] },
  { page: "docs/guides/cluster.md", given: ["photos", "flowers.net"], hasAlternatives: true },
  { page: "docs/guides/distillation.md", given: ["photos"] },
  { page: "docs/guides/evaluation.md", given: ["photos", "flowers.net", "runs"] },
  { page: "docs/guides/fine-tuning.md", given: [] },
  { page: "docs/guides/inside.md", given: ["photos", "flowers.net", "runs"] },
  { page: "docs/guides/metric-learning.md", given: ["photos"] },
  { page: "docs/guides/out-of-memory.md", given: ["photos", "flowers.net"] },
  { page: "docs/guides/resume.md", given: ["photos", "flowers.net"] },
  { page: "docs/guides/segmentation.md", given: [] },
  { page: "docs/guides/several-inputs.md", given: [] },
  { page: "docs/interop-finetune.md", given: ["birds", "alexnet.pth"] },
  { page: "docs/interop-web.md", given: ["small.keras"] },
  { page: "docs/start/first-network.md", given: ["photos"] },
  { page: "docs/start/gpu.md", given: ["photos", "flowers.net"], hasAlternatives: true },
  { page: "docs/start/install.md", given: [] },
];

/** Commands that are examples, with the reason. */
const EXAMPLES: readonly (readonly [command: RegExp, reason: string])[] = [
  [/^npm install/, "installs from the registry"],
  [/^npx http-server/, "serves until it is stopped; test/browser/documentation.test.ts does it"],
  [/weights='DEFAULT'/, "downloads; the test has random weights of the same network"],
  [/^(sudo|vulkaninfo) /, "changes the system, and asks another program about it"],
  [/^NETC_ADAPTER=nvidia /, "needs such a GPU"],
  [/rank\.sh/, "needs two GPUs"],
  [/--host node1/, "needs several machines"],
  [/^examples\/elastic\.sh|^ +npx netc train flowers\.net --timeout/, "needs several machines"],
  [/predict segment\.net|^ +--masks/, "needs a trained network; test/cli/masks.test.ts does it"],
];

const BLOCK = /^```(.*)\n([^]*?)^```$/gm;

/** The commands of a page, where names in capital letters are those of the first network. */
const commandsOf = (page: string): readonly string[] =>
  [...readPage(page).matchAll(BLOCK)]
    .flatMap(([, language, text]) => (language === "" ? text!.split("\n") : []))
    .filter((line) => line !== "")
    .map((line) => line.replaceAll("SPEC", "flowers.net").replaceAll("NAME", "flowers"));

const isExample = (command: string) => EXAMPLES.some(([example]) => example.test(command));

/** An `npx` that runs this checkout's netc and knows nothing else. */
const NPX = `#!/bin/sh
[ "$1" = netc ] || exit 64
shift
exec "${process.execPath}" "${join(root, "dist", "cli", "main.js")}" "$@"
`;

let tools: string;
let trained: string;
let folder: string;

const newFolder = (name: string) => {
  // Inside the package, so that Node finds "netc/runtime" as a user's project would.
  mkdirSync(join(root, ".cache"), { recursive: true });
  return mkdtempSync(join(root, ".cache", `walk-${name}-`));
};

function run(command: string, cwd = folder): Promise<Outcome> {
  const environment = {
    ...process.env,
    ...ADAPTER,
    PATH: `${tools}:${process.env["PATH"]}`,
    // Of mpirun: tests may run as root, and on fewer cores than ranks.
    OMPI_ALLOW_RUN_AS_ROOT: "1",
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
    OMPI_MCA_rmaps_base_oversubscribe: "1",
  };
  const child = spawn("sh", ["-c", command], {
    cwd,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr]: [string[], string[]] = [[], []];
  child.stdout.setEncoding("utf8").on("data", (text: string) => stdout.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr.push(text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({ code, stdout: stdout.join(""), stderr: stderr.join("") }),
    );
  });
}

async function succeed(command: string, cwd?: string): Promise<Outcome> {
  const outcome = await run(command, cwd);
  expect(outcome.code, `${command}\n${outcome.stderr}`).toBe(0);
  return outcome;
}

/** Two classes that differ in color. */
async function writePhotos(at: string): Promise<void> {
  const roses = shades("rose", 40, { size: 48, tint: 55 });
  await writeFiles(join(at, "photos"), { ...shades("daisy", 40, { size: 48 }), ...roses });
  await writeFiles(at, { "rose.jpg": roses["rose/007.jpg"]! });
}

function writeSpec(at: string): void {
  const spec = readFileSync(join(root, "docs/start/flowers.net"), "utf8");
  expect(spec).toContain("epochs    = 20");
  writeFileSync(join(at, "flowers.net"), spec.replace("epochs    = 20", "epochs    = 2"));
}

/** Pictures of the fine-tuning guide: a network of twenty classes starts one of five. */
async function writeManyAndFew(): Promise<void> {
  const classes = (count: number, pictures: number) => {
    const each = Array.from({ length: count }, (_, index) =>
      shades(`class${index}`, pictures, { size: 64, tint: index * 2 }),
    );
    return Object.assign({}, ...each) as ReturnType<typeof shades>;
  };
  for (const [name, count] of [
    ["many", 20],
    ["few", 5],
  ] as const) {
    await writeFiles(join(folder, name, "train"), classes(count, 3));
    await writeFiles(join(folder, name, "val"), classes(count, 1));
  }
}

async function prepare({ page, given }: Walk): Promise<void> {
  if (given.includes("photos")) await writePhotos(folder);
  if (given.includes("flowers.net")) writeSpec(folder);
  if (given.includes("runs"))
    cpSync(join(trained, "runs"), join(folder, "runs"), { recursive: true });
  if (given.includes("birds")) await writeBirds();
  if (given.includes("alexnet.pth")) {
    writeAlexNet();
    // As npm installs it.
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(root, join(folder, "node_modules/netc"));
  }
  if (given.includes("small.keras")) {
    copyFileSync(
      join(root, "test/fixtures/models/keras-3-keras/small.keras"),
      join(folder, "small.keras"),
    );
  }
  writePageFiles(page, folder);
  if (page === "docs/guides/fine-tuning.md") await writeManyAndFew();
}

/** Photographs of the page about AlexNet, one of which it names. */
async function writeBirds(): Promise<void> {
  const { "birds/000.jpg": kite, ...birds } = shades("birds", 10, { size: 256, tint: 60 });
  const photos = { ...birds, "birds/kite.jpg": kite!, ...shades("others", 10, { size: 256 }) };
  await writeFiles(join(folder, "photos"), photos);
}

const ALEXNET =
  "import torch, torchvision.models as m; torch.manual_seed(1);" +
  "torch.save(m.alexnet(weights=None).state_dict(), 'alexnet.pth')";

/** What the page downloads, with random weights. */
const writeAlexNet = () => execFileSync(PYTHON, ["-c", ALEXNET], { cwd: folder });

const exists = (...names: readonly string[]) => access(join(folder, ...names));

/** What must be there, or printed, once a page has been followed. */
const RESULTS: Readonly<Record<string, (outcomes: ReadonlyMap<string, Outcome>) => unknown>> = {
  "docs/deploy/browser.md": () => exists("best.safetensors"),
  "docs/deploy/javascript.md": (outcomes) =>
    expect(last(outcomes).stdout).toMatch(/^(daisy|rose) \d+\.\d%$/m),
  "docs/deploy/verify.md": () => exists("verify.html"),
  "docs/guides/evaluation.md": (outcomes) =>
    expect(outcomes.get("node f1.mjs")!.stdout).toMatch(/^daisy \S+\nrose \S+\n$/),
  "docs/guides/fine-tuning.md": (outcomes) =>
    expect(last(outcomes).stdout).toContain("examples  5"),
  "docs/start/first-network.md": async (outcomes) => {
    const predicted = [...outcomes].find(([command]) => command.includes("predict"))!;
    expect(predicted[1].stdout).toMatch(/rose/);
    for (const name of ["best.safetensors", "weights.safetensors", "report.html", "metrics.jsonl"])
      await exists("runs/flowers", name);
    await exists("flowers.svg");
  },
  "docs/interop-finetune.md": async (outcomes) => {
    const printed = (part: string) => [...outcomes].find(([command]) => command.includes(part))![1];
    expect(printed("netc weights").stdout).toContain("16 tensors matched");
    expect(printed("train").stderr + printed("train").stdout).toContain("14 tensors matched");
    expect(printed("predict").stdout).toMatch(/^ {3}\d+\.\d% {2}(birds|others)$/m);
    await exists("runs/birds/best.safetensors");
  },
  "docs/interop-web.md": (outcomes) => {
    const page = readPage("docs/interop-web.md");
    const [, spec] = /```net\n([^]*?)```/.exec(page)!;
    const written = readFileSync(join(folder, "small.net"), "utf8");
    expect(written.slice(written.indexOf("model"))).toBe(spec);
    const [, name] = /import \{ (\w+) \} from "\.\/small\.js"/.exec(page)!;
    expect(readFileSync(join(folder, "small.js"), "utf8")).toContain(name);
    expect([...outcomes.keys()]).toEqual([
      "npx netc import small.keras --check 2",
      "npx netc compile small.net --standalone",
    ]);
  },
};

const last = (outcomes: ReadonlyMap<string, Outcome>) => [...outcomes.values()].at(-1)!;

const hasMpi = spawnSync("mpirun", ["--version"], { stdio: "ignore" }).status === 0;

const canFollow = ({ page, given }: Walk) =>
  (hasMpi || page !== "docs/guides/cluster.md") &&
  (!given.includes("alexnet.pth") || pythonHas("torchvision"));

/** Pages that are steps from a beginning to an end; others show commands one by one. */
const FOLLOWED = /^docs\/((start|guides|deploy)\/|interop-(finetune|web)\.md)/;

test("every page with commands for users is followed", () => {
  const shown = pages.filter((page) => FOLLOWED.test(page) && commandsOf(page).length > 0);
  expect(shown).toEqual(WALKS.map(({ page }) => page));
});

test("every example is in a page", () => {
  const commands = WALKS.flatMap(({ page }) => commandsOf(page));
  for (const [example] of EXAMPLES) expect(commands.some((each) => example.test(each))).toBe(true);
});

test("the README's commands are those of the first network", () => {
  const [, block] = /## Train on your own pictures[^]*?```\n([^]*?)```/.exec(
    readPage("README.md"),
  )!;
  const plain = (line: string) => line.replace(/\s+#.*/, "");
  const first = commandsOf("docs/start/first-network.md").map(plain);
  expect(first).toEqual(expect.arrayContaining(block!.trim().split("\n").map(plain)));
});

describe.runIf(process.env["NETC_TEST_FULL"] === "1")("pages work as they are written", () => {
  beforeAll(async () => {
    tools = newFolder("tools");
    writeFileSync(join(tools, "npx"), NPX);
    chmodSync(join(tools, "npx"), 0o755);
    trained = newFolder("trained");
    await writePhotos(trained);
    writeSpec(trained);
    await succeed("npx netc train flowers.net", trained);
  }, 10 * MINUTES);

  afterAll(() => {
    for (const each of [tools, trained]) rmSync(each, { recursive: true, force: true });
  });

  beforeEach(() => {
    folder = newFolder("page");
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test.each(WALKS.filter(canFollow))("$page", { timeout: 20 * MINUTES }, async (walk) => {
    await prepare(walk);
    const outcomes = new Map<string, Outcome>();
    for (const command of commandsOf(walk.page).filter((each) => !isExample(each))) {
      outcomes.set(command, await succeed(command));
      if (walk.hasAlternatives) rmSync(join(folder, "runs"), { recursive: true, force: true });
    }
    for (const { command, text } of outputsLike(walk.page)) {
      const { stdout, stderr } = outcomes.get(`npx ${command}`)!;
      expect(stderr + stdout).toMatch(formOf(text));
    }
    await RESULTS[walk.page]?.(outcomes);
  });

  test("docs/deploy/training.md: fit.ts", { timeout: 10 * MINUTES }, async () => {
    writePageFiles("docs/deploy/training.md", folder);
    mkdirSync(join(folder, "data"));
    for (const name of ["digits.net", "data/digits.csv.gz"]) {
      copyFileSync(join(root, "specs", name), join(folder, name));
    }
    await succeed("npx netc compile digits.net");
    const { code } = await transform(readFileSync(join(folder, "fit.ts"), "utf8"), {
      loader: "ts",
    });
    // The page's program does not end: a network keeps its process alive.
    writeFileSync(join(folder, "fit.mjs"), `${code}\nnet.destroy();\n`);
    const { stdout } = await succeed("node fit.mjs");
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("true");
    expect(stdout).toMatch(/^\d+ \{ loss: [\d.]+, top1: 0\.9\d+/m);
  });
});
