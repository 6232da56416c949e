/**
 * Weights of PyTorch with the built command: the table, training from them, resuming, evaluation.
 */
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  archiveOf,
  bytesOf,
  global,
  storage,
  tensor,
  text,
  tuple,
} from "../interchange/pytorch-files.js";
import { parseTensors } from "../../runtime/safetensors.js";
import { makeWorkspace, type Workspace } from "./fixtures.js";
import { netc as run } from "./netc.js";

let workspace: Workspace;

const netc = (...args: readonly string[]) => run(args, { cwd: workspace.folder });

const specOf = (classes: number, load: string) => `model Flowers {
  input  x: f32[N, 4]
  target label: u32[N] in 0..${classes}

  linear(4) -> relu -> linear(4) -> relu -> linear(${classes}) as logits

  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
}

data Iris for Flowers {
  train csv("iris.csv", holdout=0.25) { }
  eval  csv("iris.csv", holdout=0.25) { }
}

train Base of Flowers on Iris {
  weights   = load(${load})
  epochs    = 2
  batch     = 8
  optimizer = adam(lr=0.02)
  average   = ema(0.9)
  seed      = 1
}
`;

const floats = (count: number, first: number) =>
  new Uint8Array(Float32Array.from({ length: count }, (_, index) => first + index / 64).buffer);

/** Linear layers as a module of PyTorch saves them. */
function linearLayers(layers: readonly (readonly [name: string, out: number])[]): Uint8Array {
  const storages: Record<string, Uint8Array> = {};
  const entries = layers.flatMap(([name, out], index) => {
    const [weight, bias] = [`${2 * index}`, `${2 * index + 1}`];
    storages[weight] = floats(4 * out, index - 0.5);
    storages[bias] = floats(out, index);
    return [
      bytesOf(text(`${name}.weight`), tensor(storage(weight, 4 * out), [out, 4], [4, 1]), "s"),
      bytesOf(text(`${name}.bias`), tensor(storage(bias, out), [out], [1]), "s"),
    ];
  });
  return archiveOf(bytesOf("}", ...entries), storages);
}

beforeAll(async () => {
  workspace = await makeWorkspace();
  const write = (name: string, content: string | Uint8Array) =>
    writeFile(join(workspace.folder, name), content);
  const rows = Array.from({ length: 48 }, (_, row) => {
    const values = [1, 2, 3, 4].map((column) => Math.sin(row * column).toFixed(3));
    return `${values.join(",")},${["setosa", "versicolor", "virginica"][row % 3]}`;
  });
  await write("iris.csv", `${rows.join("\n")}\n`);
  await write("whole.net", specOf(3, '"whole.pth"'));
  await write("head.net", specOf(3, '"five.pth", except=[logits.*]'));
  await write("shuffled.net", specOf(3, '"shuffled.pth"'));
  await write(
    "renamed.net",
    specOf(3, '"shuffled.pth", rename=[("b.*", "linear1.*"), ("a.*", "linear2.*")]'),
  );
  await write(
    "whole.pth",
    linearLayers([
      ["0", 4],
      ["2", 4],
      ["4", 3],
    ]),
  );
  await write(
    "five.pth",
    linearLayers([
      ["0", 4],
      ["2", 4],
      ["4", 5],
    ]),
  );
  await write(
    "shuffled.pth",
    linearLayers([
      ["head", 3],
      ["a", 4],
      ["b", 4],
    ]),
  );
  const call = bytesOf(global("os", "system"), tuple(text("touch harm")), "R");
  await write("hostile.pth", archiveOf(bytesOf("}", text("w"), call, "s")));
});

afterAll(() => workspace?.remove());

describe("netc weights", () => {
  test("shows which tensor is which, and how sure that is", async () => {
    const { code, stdout } = await netc("weights", "whole.net", "whole.pth");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^linear1\.weight +0\.weight +\[4, 4\] +order +likely$/m);
    expect(stdout).toMatch(/^logits\.bias +4\.bias +\[3\] +order, unique shape +sure$/m);
    expect(stdout).toContain("6 tensors matched (4 by order, 2 by order, unique shape); 4 of them");
  });

  test("asks where nothing tells, and takes the answer", async () => {
    const asked = await netc("weights", "shuffled.net", "shuffled.pth");
    expect(asked.code).toBe(1);
    expect(asked.stdout).toMatch(
      /^linear1\.weight +a\.weight or b\.weight .* several are possible/m,
    );
    expect(asked.stderr).toContain("help: say which is which");
    const answers = ["--rename", "b.*=linear1.*", "--rename", "a.*=linear2.*"];
    const answered = await netc("weights", "shuffled.net", "shuffled.pth", ...answers, "--json");
    expect(answered.code).toBe(0);
    const { matched } = JSON.parse(answered.stdout) as { matched: { own: string; file: string }[] };
    expect(matched.map(({ own, file }) => `${own} ${file}`)).toEqual([
      ...["linear1.weight b.weight", "linear1.bias b.bias"],
      ...["linear2.weight a.weight", "linear2.bias a.bias"],
      ...["logits.weight head.weight", "logits.bias head.bias"],
    ]);
  });

  test.each(["weights", "eval", "train"])("runs no code of a file: %s", async (command) => {
    const file = command === "weights" ? ["hostile.pth"] : ["--weights", "hostile.pth"];
    const { code, stderr } = await netc(command, "whole.net", ...file);
    expect(code).toBe(1);
    expect(stderr).toContain("error: hostile.pth: this file wants `os.system`");
    expect(stderr).not.toContain(" at ");
  });
});

describe("netc import of a spec", () => {
  test("writes the weights under the spec's names, next to a copy of the spec", async () => {
    const imported = await netc("import", "whole.net", "whole.pth", "-o", "models");
    expect(imported.code).toBe(0);
    expect(imported.stdout).toBe("wrote models/whole.safetensors and models/whole.net\n");
    const spec = await readFile(join(workspace.folder, "models", "whole.net"), "utf8");
    expect(spec).toBe(await readFile(join(workspace.folder, "whole.net"), "utf8"));
    const weights = "models/whole.safetensors";
    const { stdout } = await netc("weights", "whole.net", weights);
    expect(stdout).toContain("6 tensors matched (6 by same name)");
    const losses = ["whole.pth", weights].map(async (file) => {
      const evaluated = await netc("eval", "whole.net", "--weights", file, "--json");
      return JSON.parse(evaluated.stdout) as unknown;
    });
    const [before, after] = await Promise.all(losses);
    expect(after).toEqual(before);
    const again = await netc("import", "whole.net", "whole.pth", "-o", "models");
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("already exist");
  });

  test("writes nothing where a tensor has no match, or a flag has no meaning", async () => {
    const wrong = await netc("import", "whole.net", "five.pth", "-o", "none");
    expect(wrong.code).toBe(1);
    expect(existsSync(join(workspace.folder, "none"))).toBe(false);
    const usages = [
      ["whole.net"],
      ["whole.net", "whole.pth", "--check", "2"],
      ["a.onnx", "--key", "b"],
    ];
    for (const usage of usages) expect((await netc("import", ...usage)).code).toBe(2);
  });
});

describe("recipes that load a PyTorch file", () => {
  test("are checked against the spec's lines", async () => {
    await writeFile(join(workspace.folder, "wrong.net"), specOf(3, '"five.pth"'));
    const wrong = await netc("check", "wrong.net");
    expect(wrong.stderr).toContain("`logits.weight` is [5, 4] there, not [3, 4]");
    expect(wrong.stderr).toContain("add `except=[logits.*]`");
    const asked = await netc("check", "shuffled.net");
    expect(asked.stderr).toContain(
      "`linear1.weight` of shape [4, 4] could be `a.weight`, `b.weight`",
    );
    const { code } = await netc("check", "renamed.net", "head.net", "whole.net");
    expect(code).toBe(0);
  });

  test("train, resume without the file, and leave a file with classes", async () => {
    const first = await netc("train", "head.net", "--out", "run", "--steps", "3");
    expect(first.stderr).toContain("five.pth: 4 tensors matched");
    expect(first.code).toBe(0);
    const renamed = await netc("train", "renamed.net", "--out", "other", "--steps", "2");
    expect(renamed.code).toBe(0);
    const resumed = await netc("train", "head.net", "--out", "run", "--resume", "--steps", "5");
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).not.toContain("five.pth");
    const weights = await readFile(join(workspace.folder, "run", "weights.safetensors"), "latin1");
    expect(weights).toContain("virginica");
  });

  test("eval and train take the file by --weights", async () => {
    const evaluated = await netc("eval", "whole.net", "--weights", "whole.pth", "--json");
    expect(evaluated.code).toBe(0);
    expect(evaluated.stderr).toContain("4 of these matches are likely, not sure: check them");
    const refused = await netc("eval", "whole.net", "--weights", "five.pth");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("`4.weight` in its place is [5, 4]");
    const missing = await netc("eval", "whole.net", "--weights", "none.pth");
    expect(missing.stderr).toContain("cannot find the weights file none.pth");
    // Instead of the recipe's file, and with rates that leave the weights as they are.
    const still = ["--out", "still", "--steps", "1", "--lr", "1e-30"];
    const trained = await netc("train", "head.net", "--weights", "whole.pth", ...still);
    expect(trained.code).toBe(0);
    expect(trained.stderr).not.toContain("five.pth");
    const { tensors } = parseTensors(
      await readFile(join(workspace.folder, "still", "weights.safetensors")),
    );
    const last = tensors.get("logits.weight")!.values;
    expect(new Uint8Array(last.buffer, last.byteOffset, last.byteLength)).toEqual(floats(12, 1.5));
  });
});
