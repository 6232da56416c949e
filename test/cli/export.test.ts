/** `netc export` with the built command: files, refusals, and the way back. */
import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { roundToHalf } from "../../program/half.js";
import { parseTensors, serializeTensors } from "../../runtime/safetensors.js";
import { exportModel } from "../interchange/export-cases.js";
import { netc as run, root } from "./netc.js";

let folder: string;
const spec = join(root, "specs", "digits.net");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "netc-export-"));
  const { tensors } = exportModel(readFileSync(spec, "utf8"));
  const named = [...tensors].map(([name, tensor]) => ({ name, ...tensor }));
  const classes = JSON.stringify([..."0123456789"]);
  await writeFile(join(folder, "w.safetensors"), serializeTensors(named, { classes }));
  await copyFile(spec, join(folder, "digits.net"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const netc = (...args: readonly string[]) => run(args, { cwd: folder });

const exported = (...args: readonly string[]) =>
  netc("export", "digits.net", "--weights", "w.safetensors", ...args);

test("an ONNX file that netc reads back as the same network", async () => {
  const outcome = await exported("--to", "onnx", "-o", "out.onnx");
  expect(outcome.stderr).toBe("");
  expect(outcome.code).toBe(0);
  expect(outcome.stdout).toContain("wrote out.onnx");
  expect(outcome.stdout).toContain(
    "left out: dropout (2); loss and metrics (cross_entropy, top1); recipe Base",
  );
  const back = await netc("import", "out.onnx", "-o", "back", "--check", "1");
  expect(back.stderr).toContain("largest difference from the model on 1 random input");
  expect(back.code).toBe(0);
  const refused = await exported("--to", "onnx", "-o", "out.onnx");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("out.onnx already exists");
  expect((await exported("--to", "onnx", "-o", "out.onnx", "--overwrite")).code).toBe(0);
});

test("without -o it is named after the spec; --json says what was written", async () => {
  const flags = ["--softmax", "--with-preprocessing", "--as", "i8", "--json"];
  const { code, stdout } = await exported("--to", "onnx", ...flags);
  expect(code).toBe(0);
  const report = JSON.parse(stdout) as { files: readonly { path: string; bytes: number }[] };
  expect(report).toMatchObject({ format: "onnx", files: [{ path: "digits.onnx" }] });
  expect(readFileSync(join(folder, "digits.onnx")).length).toBe(report.files[0]!.bytes);
});

test("wrong names, missing data and foreign weights: a message, and no file", async () => {
  const name = await exported("--to", "onnx", "-o", "model.pb");
  expect(name.code).toBe(2);
  expect(name.stderr).toContain("a file of ONNX ends in .onnx");
  const caffe = await exported("--to", "caffe");
  expect(caffe.code).toBe(2);
  expect(caffe.stderr).toContain("Expected one of onnx, pytorch, keras, tfjs");
  await writeFile(join(folder, "bare.net"), "model M {\n  input x: f32[N, 4]\n  linear(2)\n}\n");
  const weights = await netc("export", "bare.net", "--weights", "w.safetensors", "--to", "onnx");
  expect(weights.code).toBe(1);
  expect(weights.stderr).toContain("w.safetensors: ");
  const own = [
    { name: "linear1.weight", shape: [2, 4], values: new Float32Array(8) },
    { name: "linear1.bias", shape: [2], values: new Float32Array(2) },
  ];
  await writeFile(join(folder, "bare.safetensors"), serializeTensors(own));
  const data = await netc(
    ...["export", "bare.net", "--weights", "bare.safetensors", "--to", "onnx"],
    "--with-preprocessing",
  );
  expect(data.code).toBe(1);
  expect(data.stderr).toContain("declares no data for evaluation");
  expect(existsSync(join(folder, "bare.onnx"))).toBe(false);
});

test("a Python file with its weights; what only ONNX has is refused", async () => {
  const outcome = await exported("--to", "pytorch", "-o", "python/digits.py");
  expect(outcome.code).toBe(0);
  expect(outcome.stdout).toContain("wrote python/digits.pth");
  expect(outcome.stdout).not.toContain("dropout");
  const source = readFileSync(join(folder, "python", "digits.py"), "utf8");
  expect(source).toContain('"digits.pth"');
  expect(source).toContain('CLASSES = ["0", "1"');
  const summary = await netc("weights", "digits.net", "python/digits.pth");
  expect(summary.stdout).toContain("10 tensors matched");
  const refused = await exported("--to", "pytorch", "--as", "f16");
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("--as is for --to onnx, not for --to pytorch");
});

test("of a checkpoint the optimizer's state is a separate file for PyTorch", async () => {
  const { tensors } = exportModel(readFileSync(spec, "utf8"));
  const all = [...tensors].flatMap(([name, { shape, values }]) => [
    { name, shape, values },
    { name: `optimizer.velocity.${name}`, shape, values: values.map((value) => value / 2) },
  ]);
  await writeFile(join(folder, "state.safetensors"), serializeTensors(all, { step: "7" }));
  const flags = ["--weights", "state.safetensors", "--to", "pytorch", "-o", "state/digits.py"];
  const { code, stdout } = await netc("export", "digits.net", ...flags);
  expect(code).toBe(0);
  expect(stdout).toContain("wrote state/digits.optimizer.pth");
  expect(readFileSync(join(folder, "state", "digits.py"), "utf8")).toContain("torch.optim.SGD(");
  const states = readFileSync(join(folder, "state", "digits.optimizer.pth"));
  for (const { name, values } of all.filter(({ name }) => name.startsWith("optimizer."))) {
    const { buffer, byteOffset, byteLength } = values;
    expect(states.includes(Buffer.from(buffer, byteOffset, byteLength)), name).toBe(true);
  }
});

test("an ONNX file whose weights have 16 bits is imported as the network that it is", async () => {
  expect((await exported("--to", "onnx", "--as", "f16", "-o", "half.onnx")).code).toBe(0);
  const { code, stderr } = await netc("import", "half.onnx", "-o", "half", "--check", "1");
  expect(stderr).toContain("largest difference from the model on 1 random input");
  expect(code).toBe(0);
  const weightsIn = (...path: readonly string[]) =>
    parseTensors(readFileSync(join(folder, ...path))).tensors.get("features.conv2.weight")!.values;
  const [given, got] = [weightsIn("w.safetensors"), weightsIn("half", "half.safetensors")];
  expect(got).toEqual(given.map(roundToHalf));
  expect(got).not.toEqual(given);
});

test("of a checkpoint its averages are exported, where the recipe keeps them", async () => {
  const averaged = readFileSync(spec, "utf8").replace("seed      = 1", "average = ema(0.9)");
  await writeFile(join(folder, "averaged.net"), averaged);
  const { tensors } = exportModel(averaged);
  const all = [...tensors].flatMap(([name, { shape, values }]) => [
    { name, shape, values: values.map(() => 1) },
    { name: `average.${name}`, shape, values },
    { name: `optimizer.velocity.${name}`, shape, values },
  ]);
  await writeFile(join(folder, "checkpoint.safetensors"), serializeTensors(all));
  const flags = ["--weights", "checkpoint.safetensors", "--to", "onnx"];
  const { code, stdout } = await netc("export", "averaged.net", ...flags, "-o", "a.onnx");
  expect(code).toBe(0);
  expect(stdout).toContain("left out: the optimizer's state");
  expect((await exported("--to", "onnx", "-o", "b.onnx")).code).toBe(0);
  const weightsIn = async (name: string) => {
    expect((await netc("import", `${name}.onnx`, "-o", name)).code).toBe(0);
    return readFileSync(join(folder, name, `${name}.safetensors`));
  };
  expect((await weightsIn("a")).equals(await weightsIn("b"))).toBe(true);
});

test("a model of Keras that netc reads back as the same network", async () => {
  const outcome = await exported("--to", "keras", "-o", "keras/digits.keras");
  expect(outcome.stderr).toBe("");
  expect(outcome.stdout).toContain("Keras: ");
  const back = await netc("import", "keras/digits.keras", "-o", "keras", "--check", "1");
  expect(back.stderr).toContain("largest difference from the model on 1 random input");
  expect(back.code).toBe(0);
});

test("a model of TensorFlow.js, and the line of a layer that it cannot have", async () => {
  const outcome = await exported("--to", "tfjs", "-o", "web/model.json");
  expect(outcome.code).toBe(0);
  expect(outcome.stdout).toContain("wrote web/group1-shard1of1.bin");
  const back = await netc("import", "web/model.json", "-o", "web", "--check", "1");
  expect(back.stderr).toContain("largest difference from the model on 1 random input");
  expect(back.code).toBe(0);
  const text = readFileSync(spec, "utf8").replace("-> maxpool(2)", "-> lrn(5) -> maxpool(2)");
  await writeFile(join(folder, "lrn.net"), text);
  const flags = ["--weights", "w.safetensors", "--to", "tfjs"];
  const refused = await netc("export", "lrn.net", ...flags, "-o", "lrn.json");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("error[NET5001]: lrn `features.lrn1` has no form");
  expect(refused.stderr).toMatch(/--> lrn\.net:8:\d+/);
  expect(existsSync(join(folder, "lrn.json"))).toBe(false);
});
