import { readFile, readdir, truncate, copyFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { get } from "node:http";
import { join } from "node:path";
import sharp from "sharp";
import type { ReportData } from "../../report/data.js";
import { parseTensors, serializeTensors } from "../../runtime/safetensors.js";
import { makeWorkspace, stripe, STRIPES, writeStripes, type Workspace } from "./fixtures.js";
import { netc as run, netcInShell, type Outcome, type RunOptions } from "./netc.js";

let workspace: Workspace;
/** The first run, which the other tests build on. */
let trained: Outcome;

const netc = (args: readonly string[], options: RunOptions = {}) =>
  run(args, { cwd: workspace.folder, ...options });

const WEIGHTS = "runs/stripes/weights.safetensors";

beforeAll(async () => {
  workspace = await makeWorkspace();
  await writeStripes(workspace);
  trained = await netc(["train", "stripes.net", "--log", "log.jsonl"]);
});

afterAll(() => workspace.remove());

/** The status that a server answers to a request that names it otherwise. */
function askAs(host: string, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(address, { headers: { host } }, (response) => resolve(response.resume().statusCode!)).on(
      "error",
      reject,
    );
  });
}

/** What went wrong was said in words. */
function expectPlainError({ stderr }: Outcome, message: RegExp): void {
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at |NET9/);
}

describe("train", () => {
  test("learns, and says where everything is", () => {
    expect(trained.code, trained.stderr).toBe(0);
    expect(trained.stdout).toMatch(/test accuracy: top1 100.0%, loss [\d.e-]+ on 16 images/);
    expect(trained.stdout).toMatch(/ on 16 images \(epoch \d, best top1\)$/m);
    expect(trained.stdout).toContain(
      "npx netc eval stripes.net --weights runs/stripes/best.safetensors",
    );
    expect(trained.stdout).toContain("runs/stripes/report.html");
  });

  test("a pipe gets plain lines, one an epoch, and no escapes", () => {
    expect(trained.stderr).toMatch(/^epoch 1: training loss .*; evaluation loss .*top1/m);
    expect(trained.stderr).not.toContain("\u001b");
    expect(trained.stderr).not.toContain("\r");
  });

  test("writes weights, checkpoints, metrics and a report, and no temporary files", async () => {
    expect((await readdir(workspace.path("runs/stripes"))).sort()).toEqual([
      "best.safetensors",
      "last.safetensors",
      "metrics.jsonl",
      "predictions.csv",
      "previous.safetensors",
      "report.html",
      "run.json",
      "weights.safetensors",
    ]);
  });

  test("the log has a line a step and a line an evaluation", async () => {
    const text = await readFile(workspace.path("log.jsonl"), "utf8");
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.filter((line) => "loss" in line)).toHaveLength(16);
    expect(lines[0]).toMatchObject({
      step: 1,
      epoch: 1,
      loss: expect.any(Number),
      lr: 0.02,
      examplesPerSecond: expect.any(Number),
    });
    const evaluations = lines.filter((line) => "eval" in line);
    expect(evaluations).toHaveLength(4);
    expect(evaluations[3]).toEqual({
      step: 16,
      epoch: 4,
      eval: { loss: expect.any(Number), top1: 1 },
      train: { loss: expect.any(Number), top1: expect.any(Number) },
      recall: { above: 1, below: 1 },
      seconds: expect.any(Number),
    });
  });

  test("--open serves the report on this machine during the run", async () => {
    const answers: Promise<readonly [number, string, number]>[] = [];
    const ask = async (address: string) => {
      const page = await fetch(address);
      const foreign = await askAs("evil.example", address);
      const state = (await (await fetch(`${address}state?from=2`)).json()) as ReportData;
      expect(await page.text()).toContain('id="data"');
      // What the network predicts after an epoch, and what its first layer sees.
      const { lookedAt, examination, samples, filters } = state;
      expect(lookedAt).toBeGreaterThanOrEqual(1);
      const counts = examination!.confusion.flat();
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(examination!.of);
      expect(samples).toHaveLength(8);
      expect(samples![0]!.picture).toMatch(/^data:image\/png/);
      expect(samples!.every(({ probability }) => probability! >= 0.5)).toBe(true);
      expect(filters).toMatchObject({ width: 3, height: 3 });
      return [foreign, state.status, state.records[0]!.step] as const;
    };
    const args = ["train", "stripes.net", "--out", "open", "--epochs", "30", "--lr", "0.001"];
    const { code, stderr } = await netc([...args, "--open", "--tensorboard"], {
      env: { DISPLAY: "", WAYLAND_DISPLAY: "" },
      onStderr: (text) => {
        const address = /live report: (http:\S+)/.exec(text)?.[1];
        if (address && answers.length === 0 && text.includes("epoch 2:"))
          answers.push(ask(address));
      },
    });
    expect(code, stderr).toBe(0);
    expect(await answers[0]).toEqual([403, "running", 3]);
    const events = await readdir(workspace.path("open/tensorboard"));
    expect(events).toEqual([expect.stringMatching(/^events\.out\.tfevents\.\d+\./)]);
  });

  test(
    "a recipe starts from a file, but for what it excepts, " +
      "and ends early where nothing gets better",
    async () => {
      await workspace.write(
        "again.net",
        `${STRIPES}
train Again of Stripes on Pictures {
  weights   = load("${WEIGHTS}", except=[logits])
  freeze    = [features.*]
  stop      = early_stopping(patience=1, min_delta=100)
  epochs    = 4
  batch     = 8
  optimizer = sgd(lr=0.01)
}`,
      );
      const { code, stdout, stderr } = await netc(["train", "again.net", "--train", "Again"]);
      expect(stderr).not.toContain("warning");
      expect(code, stderr).toBe(0);
      // The first evaluation is the best so far, the second no better by a hundred.
      expect(stdout).toContain("trained 8 steps");
      expect(stdout).toContain("stopped early: loss did not improve in 1 evaluation\n");
      const tensorsOf = async (path: string) =>
        parseTensors(await readFile(workspace.path(path))).tensors;
      const [before, after] = [
        await tensorsOf(WEIGHTS),
        await tensorsOf("runs/again-Again/weights.safetensors"),
      ];
      const name = "features.conv1.weight";
      expect(after.get(name)!.values).toEqual(before.get(name)!.values);
      // Initial weights that were trained for 8 steps are not those that were trained for 16.
      expect(after.get("logits.weight")!.values).not.toEqual(before.get("logits.weight")!.values);
    },
  );

  test("flags override the recipe", async () => {
    const args = ["train", "stripes.net", "--out", "short", "--steps", "3", "--lr", "0.5"];
    const { code } = await netc([...args, "--batch", "4", "--seed", "9"]);
    expect(code).toBe(0);
    const text = await readFile(workspace.path("short/metrics.jsonl"), "utf8");
    const lines = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.filter((line) => "loss" in line)).toHaveLength(3);
    expect(lines[0].lr).toBe(0.5);
  });

  test("Ctrl-C saves, and --resume ends with the bits of an uninterrupted run", async () => {
    const args = ["train", "stripes.net", "--epochs", "16", "--lr", "0.001", "--seed", "3"];
    const whole = await netc([...args, "--out", "whole"]);
    expect(whole.code).toBe(0);
    let asked = false;
    const stopped = await netc([...args, "--out", "halves"], {
      onStderr: (text, kill) => {
        if (asked || !text.includes("epoch 2:")) return;
        asked = true;
        kill("SIGINT");
      },
    });
    expect(stopped.code).toBe(0);
    expect(stopped.stdout).toMatch(/stopped after \d+ steps/);
    expect(stopped.stdout).toContain(
      "npx netc train stripes.net --epochs 16 --lr 0.001 --seed 3 --out halves --resume",
    );
    const resumed = await netc([...args, "--out", "halves", "--resume"]);
    expect(resumed.code).toBe(0);
    const [a, b] = await Promise.all(
      ["whole", "halves"].map((folder) => readFile(workspace.path(folder, "weights.safetensors"))),
    );
    expect(b!.equals(a!)).toBe(true);
  });
});

describe("eval", () => {
  test("JSON has the numbers, for each class too", async () => {
    const args = ["eval", "stripes.net", "--weights", WEIGHTS, "--json"];
    const { code, stdout } = await netc(args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      examples: 16,
      loss: expect.any(Number),
      top1: 1,
      calibration: { error: expect.any(Number), bins: expect.any(Array) },
      classes: [
        { name: "above", support: 8, precision: 1, recall: 1 },
        { name: "below", support: 8, precision: 1, recall: 1 },
      ],
      confusion: [
        [8, 0],
        [0, 8],
      ],
      mistakes: [],
    });
  });

  test("ten crops, here the image and its mirror image, change nothing for stripes", async () => {
    const args = ["eval", "stripes.net", "--weights", WEIGHTS, "--ten-crop", "--json"];
    const { code, stdout } = await netc(args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ examples: 16, top1: 1, loss: expect.any(Number) });
  });

  test("text has them as a table", async () => {
    const { code, stdout } = await netc(["eval", "stripes.net", "--weights", WEIGHTS]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^top1 +100.0%$/m);
    expect(stdout).toMatch(/^above +8 +100.0% +100.0%$/m);
    expect(stdout).toMatch(/^predicted +abo +bel\n[- ]+\nabove +8 +·\nbelow +· +8$/m);
  });
});

describe("weights that do not name their classes", () => {
  const nameless = "nameless.safetensors";

  beforeAll(async () => {
    const { tensors } = parseTensors(await readFile(workspace.path(WEIGHTS)));
    await workspace.write(nameless, serializeTensors([...tensors.values()]));
    for (let index = 0; index < 4; index++) {
      const name = `partial/val/below/${index}.png`;
      await workspace.write(name, await stripe("below", index));
    }
    const elsewhere = STRIPES.replace("data/train", "nowhere").replace("data/val", "partial/val");
    await workspace.write("elsewhere.net", elsewhere);
  });

  test("follow the train split where the eval split lacks a class, which is said", async () => {
    const args = ["eval", "stripes.net", "--weights", nameless, "--data", "partial", "--json"];
    const { code, stdout, stderr } = await netc(args);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("partial/val has no examples of a class: above");
    expect(JSON.parse(stdout)).toMatchObject({
      examples: 4,
      top1: 1,
      confusion: [
        [0, 0],
        [0, 4],
      ],
    });
  });

  test("are refused where nothing says which number each class has", async () => {
    const outcome = await netc(["eval", "elsewhere.net", "--weights", nameless]);
    expect(outcome.code).toBe(1);
    expectPlainError(outcome, /has 1 class \(below\), the network has 2, .*unknown\n/);
    const named = await netc(["eval", "elsewhere.net", "--weights", WEIGHTS, "--json"]);
    expect(JSON.parse(named.stdout)).toMatchObject({ examples: 4, top1: 1 });
  });

  test("are named by the train split in predictions", async () => {
    const args = ["predict", "stripes.net", "--weights", nameless, "data/val/below/0.png"];
    const { stdout } = await netc([...args, "--top", "1", "--json"]);
    expect(JSON.parse(stdout)[0].classes[0]).toMatchObject({ index: 1, name: "below" });
  });

  test("a run that starts from named weights keeps their numbers", async () => {
    for (const [split, count] of [
      ["train", 8],
      ["val", 4],
    ] as const) {
      for (let index = 0; index < count; index++) {
        const name = `half/${split}/below/${index}.png`;
        await workspace.write(name, await stripe("below", index));
      }
    }
    const args = ["train", "stripes.net", "--weights", WEIGHTS, "--data", "half", "--epochs", "1"];
    const { code, stdout, stderr } = await netc([...args, "--out", "half-run"]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("top1 100.0%");
    const { metadata } = parseTensors(await readFile(workspace.path("half-run/best.safetensors")));
    expect(JSON.parse(metadata["classes"]!)).toEqual(["above", "below"]);
    const resumed = await netc(
      ["train", "stripes.net", "--data", "half", "--epochs", "2"].concat([
        "--out",
        "half-run",
        "--resume",
      ]),
    );
    expect(resumed.code, resumed.stderr).toBe(0);
  });
});

test("flags are checked like the spec", async () => {
  const planned = STRIPES.replace("seed", "accumulate = 3\n  schedule = warmup(2 epochs)\n  seed");
  await workspace.write("planned.net", planned);
  const train = (...flags: string[]) =>
    netc(["train", "planned.net", "--out", "planned", "--overwrite", ...flags]);
  const short = await train("--epochs", "1");
  expect(short.code, short.stderr).toBe(0);
  expect(short.stderr).toContain(
    "warning[NET3012]: `warmup` acts after 2 epochs, but the run has only 1",
  );
  const steps = await train("--steps", "5");
  expect(steps.stderr).toContain(
    "NET3012: `warmup` acts after 2 epochs, which are 8 steps here, but `--steps` ends the run",
  );
  const small = await train("--batch", "2");
  expect(small.code).toBe(1);
  expectPlainError(small, /error\[NET3058\]: a batch of 2 cannot be trained in 3 slices/);
});

describe("predict", () => {
  const images = ["data/val/below/0.png", "data/val/above/0.png"];

  test("names the classes", async () => {
    const args = ["predict", "stripes.net", "--weights", WEIGHTS, ...images];
    const { code, stdout } = await netc([...args, "--top", "1", "--json"]);
    expect(code).toBe(0);
    const predictions = JSON.parse(stdout);
    expect(predictions).toEqual([
      { image: images[0], classes: [{ index: 1, name: "below", probability: expect.any(Number) }] },
      { image: images[1], classes: [{ index: 0, name: "above", probability: expect.any(Number) }] },
    ]);
    expect(predictions[0].classes[0].probability).toBeGreaterThan(0.5);
  });

  test("takes folders, patterns and standard input, and annotates copies", async () => {
    await workspace.write("mixed/deep/a.png", await stripe("below", 3));
    await workspace.write("mixed/b.PNG", await stripe("above", 3));
    await workspace.write("mixed/broken.png", "no image");
    const flags = ["--weights", WEIGHTS, "--json"];
    const places = ["mixed", "data/val/above/*.png", "-", "data/val/../val/below/0.png"];
    const line = '"$@" < data/val/below/1.png';
    const outcome = await netcInShell(
      line,
      ["predict", "stripes.net", ...places, ...flags, "--annotate", "named"],
      { cwd: workspace.folder },
    );
    expect(outcome.code, outcome.stderr).toBe(0);
    expectPlainError(outcome, /warning: mixed\/broken\.png cannot be read as an image/);
    const predictions = JSON.parse(outcome.stdout) as {
      image: string;
      classes: { name: string }[];
    }[];
    expect(predictions.map(({ image, classes }) => [image, classes[0]!.name])).toEqual([
      ["mixed/b.PNG", "above"],
      ["mixed/deep/a.png", "below"],
      ...Array.from({ length: 8 }, (_, index) => [`data/val/above/${index}.png`, "above"]),
      ["-", "below"],
      ["data/val/../val/below/0.png", "below"],
    ]);
    const copies = await readdir(workspace.path("named"), { recursive: true });
    expect(copies).toContain(join("data", "val", "below", "0.png"));
    expect(copies).toContain("stdin.png");
    const copy = await sharp(workspace.path("named/deep/a.png")).metadata();
    expect(copy).toMatchObject({ format: "png", width: 256 });
    expect(copy.height).toBeGreaterThan(256 + 2 * 20);
  });

  test("an empty folder and a pattern without matches are named", async () => {
    await workspace.write("empty/notes.txt", "");
    for (const place of ["empty", "none/*.jpg"]) {
      const outcome = await netc(["predict", "stripes.net", "--weights", WEIGHTS, place]);
      expect(outcome.code).toBe(1);
      expectPlainError(
        outcome,
        /empty holds no images: files that end in \.jpg, .*|no file matches none/,
      );
    }
  });

  test("probabilities sum to 1", async () => {
    const args = ["predict", "stripes.net", "--weights", WEIGHTS, images[0]!];
    const { stdout } = await netc([...args, "--json"]);
    const [{ classes }] = JSON.parse(stdout) as [{ classes: { probability: number }[] }];
    expect(classes.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
  });
});

describe("wrong input ends with 1 and says what is wrong", () => {
  test("an image that cannot be read is named and skipped", async () => {
    const broken = await makeWorkspace();
    await writeStripes(broken);
    await broken.write("data/train/above/broken.png", "no image");
    const outcome = await netc(["train", "stripes.net", "--epochs", "1"], { cwd: broken.folder });
    expect(outcome.code).toBe(0);
    expectPlainError(outcome, /warning: skipped .*broken\.png: it is not an image/);
    expect(outcome.stderr).toMatch(/1 image that could not be read was left out/);
    const log = await readFile(join(broken.folder, "runs/stripes/metrics.jsonl"), "utf8");
    const [first] = log.split("\n");
    expect(JSON.parse(first!)).toMatchObject({ dataWait: expect.any(Number) });
    await broken.remove();
  });

  test("an image to predict", async () => {
    await workspace.write("broken.png", "no image");
    const outcome = await netc(["predict", "stripes.net", "--weights", WEIGHTS, "broken.png"]);
    expect(outcome.code).toBe(1);
    expectPlainError(outcome, /broken\.png cannot be read as an image/);
  });

  test("classes of a model that does not say what its output holds", async () => {
    const model = "model Bare { input image: f32[N, 3, 8, 8]\n flatten -> linear(2) }";
    await workspace.write("bare.net", model);
    const outcome = await netc(["predict", "bare.net", "--weights", WEIGHTS, "a.png"]);
    expect(outcome.code).toBe(1);
    expectPlainError(outcome, /does not say whether its output holds scores of classes/);
    expect(outcome.stderr).toMatch(/add a target and `loss cross_entropy/);
  });

  test("missing data", async () => {
    const outcome = await netc(["train", "stripes.net", "--data", "nowhere"]);
    expect(outcome.code).toBe(1);
    expectPlainError(outcome, /nowhere/);
  });

  test("a weights file of the recipe that does not fit, or is missing", async () => {
    const settings = `  weights   = load("${WEIGHTS}")\n  epochs    = 4`;
    const loading = STRIPES.replace("  epochs    = 4", settings);
    await workspace.write("loading.net", loading.replace("conv(4", "conv(6"));
    const wrong = await netc(["train", "loading.net"]);
    expect(wrong.code).toBe(1);
    expectPlainError(
      wrong,
      /NET3050.*`features\.conv1\.weight` is \[4, 1, 3, 3\] there, not \[6, /,
    );
    expect(wrong.stderr).toContain("loading.net:");
    await workspace.write("missing.net", loading.replace("weights.safe", "waits.safe"));
    const missing = await netc(["train", "missing.net"]);
    expect(missing.code).toBe(1);
    expectPlainError(missing, /missing\.net:\d+:\d+: there is no weights file runs/);
    const checked = await netc(["check", "missing.net"]);
    expect(checked.code).toBe(0);
    expect(checked.stderr).toContain("warning[NET3051]");
  });

  test("a truncated weights file", async () => {
    await copyFile(workspace.path(WEIGHTS), workspace.path("cut.safetensors"));
    await truncate(workspace.path("cut.safetensors"), 700);
    const outcome = await netc(["eval", "stripes.net", "--weights", "cut.safetensors"]);
    expect(outcome.code).toBe(1);
    expectPlainError(outcome, /cut\.safetensors: .*truncated/);
  });

  test("missing weights", async () => {
    const outcome = await netc(["eval", "stripes.net", "--weights", "none.safetensors"]);
    expect(outcome.code).toBe(1);
    expectPlainError(outcome, /cannot find the weights file none\.safetensors/);
  });

  test("weights of another network", async () => {
    await workspace.write("other.net", STRIPES.replace("conv(4", "conv(6"));
    const outcome = await netc(["eval", "other.net", "--weights", WEIGHTS]);
    expect(outcome.code).toBe(1);
    expectPlainError(outcome, /features\.conv1\.weight.*\[4, 1, 3, 3\].*\[6, 1, 3, 3\]/);
    expect(outcome.stderr).toContain("other.net:");
  });

  test("labels out of range", async () => {
    const pixels = Array.from({ length: 64 }, () => 1).join(",");
    await workspace.write("labels.csv", [0, 1, 5].map((label) => `${pixels},${label}`).join("\n"));
    const csv = STRIPES.replace('folder("data/train")', 'csv("labels.csv")');
    await workspace.write("labels.net", csv);
    const outcome = await netc(["train", "labels.net"]);
    expect(outcome.code).toBe(1);
    expectPlainError(outcome, /label|classes/);
  });

  test("a batch larger than the data is all of them", async () => {
    const args = ["--out", "huge", "--batch", "100000000", "--steps", "1"];
    const { code, stderr } = await netc(["train", "stripes.net", ...args]);
    expect(stderr).toContain("1 step of 32 images");
    expect(code).toBe(0);
  });

  test("a checkpoint of another run", async () => {
    const args = ["train", "stripes.net", "--out", "runs/stripes", "--resume", "--seed", "77"];
    const outcome = await netc(args);
    expect(outcome.code).toBe(1);
    expectPlainError(outcome, /cannot be resumed: its run had seed 1, this one has 77/);
  });

  test("no checkpoint to resume", async () => {
    const outcome = await netc(["train", "stripes.net", "--out", "fresh", "--resume"]);
    expect(outcome.code).toBe(1);
    expectPlainError(outcome, /there is no checkpoint/);
  });
});

describe("other ends", () => {
  test("no GPU of that name ends with 3", async () => {
    const outcome = await netc(["train", "stripes.net", "--out", "none", "--adapter", "Voodoo 2"]);
    expect(outcome.code).toBe(3);
    expectPlainError(outcome, /no GPU adapter for `Voodoo 2`/);
  });

  test("a loss that is not finite ends with 4", async () => {
    const outcome = await netc(["train", "stripes.net", "--out", "wild", "--lr", "1e30"]);
    expect(outcome.code).toBe(4);
    expectPlainError(outcome, /the run has diverged/);
  });

  test("a full disk ends with 4 and leaves nothing half-written", async (context) => {
    const probe = await netcInShell("unshare --user --map-root-user --mount true", []);
    context.skip(probe.code !== 0, "this system has no user name spaces");
    const mount =
      'mkdir -p small && mount -t tmpfs -o size=12k tmpfs small && "$@"; ' +
      "code=$?; ls -A small; exit $code";
    const line = `unshare --user --map-root-user --mount sh -c '${mount}' sh "$@"`;
    const outcome = await netcInShell(line, ["train", "stripes.net", "--out", "small"], {
      cwd: workspace.folder,
    });
    expect(outcome.code).toBe(4);
    expectPlainError(outcome, /the disk is full/);
    expect(outcome.stdout).not.toContain("partial");
  });

  test("doctor names the adapter and why", async () => {
    const { code, stdout } = await netc(["doctor", "--json"]);
    expect(code).toBe(0);
    const report = JSON.parse(stdout);
    expect(report.chosen.reason).toEqual(expect.any(String));
    expect(report.limits.maxStorageBufferBindingSize).toBeGreaterThan(0);
  });
});
