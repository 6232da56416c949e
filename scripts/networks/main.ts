/**
 * Networks of torchvision and timm with random weights, in and out: a table of how far each result
 * is from PyTorch's logits, as ||got - expected|| / ||expected|| over two images.
 *
 *   node scripts/run.mjs scripts/networks/main.ts [NETWORK...]
 *
 * - lines: of the spec, without comments, empty lines, data and recipes
 * - netc: the `.pth` through `--weights`, the spec on the adapter that NETC_ADAPTER names
 * - PyTorch: `netc export --to pytorch`, run by PyTorch
 * - ONNX: `netc export --to onnx`, run by onnxruntime
 * - Keras: `netc export --to keras`, run by Keras
 * - same: whether the ONNX file, imported, has the layers and shapes of the spec; empty where it
 *   cannot be imported
 *
 * It needs a built netc and Debian's python3-torchvision, and for timm's networks NETC_TIMM, a
 * Python with timm. NETC_PEERS names a folder whose node_modules have onnxruntime-node, NETC_KERAS
 * a Python with Keras 3; without them their columns are empty.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { compile } from "../../compiler/index.js";
import { build } from "../../compiler/network/build.js";
import { describeLayers } from "../../compiler/network/describe.js";
import type { ResolvedNetwork } from "../../compiler/network/resolved.js";
import { analyze } from "../../compiler/semantics/index.js";
import { loadWeights, readWeights } from "../../cli/weights.js";
import { neededFor } from "../../interchange/export/needed.js";
import { ImportError } from "../../interchange/error.js";
import type { ForeignGraph } from "../../interchange/foreign-graph.js";
import { importGraph } from "../../interchange/import-graph.js";
import { onnx } from "../../interchange/onnx/index.js";
import { parseRenaming } from "../../interchange/weights/rename.js";
import { createNetwork } from "../../runtime/index.js";

const PYTHON = "/usr/bin/python3";
const IMAGES = 2;
const TOLERANCE = 1e-4;

/** Of the repository, and next to this file those that only this table needs. */
const FOLDERS = ["specs", "scripts/networks/specs"];

const TORCHVISION = [
  ...["alexnet", "vgg11", "vgg11_bn", "vgg13", "vgg16", "vgg19", "googlenet", "inception_v3"],
  ...["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "wide_resnet50_2"],
  ...["resnext50_32x4d", "resnext101_32x8d", "densenet121", "densenet161", "densenet169"],
  ...["squeezenet1_0", "squeezenet1_1", "mobilenet_v2", "mobilenet_v3_small"],
  ...["mobilenet_v3_large", "mnasnet0_5", "mnasnet1_0", "efficientnet_b0", "efficientnet_b1"],
  ...["efficientnet_v2_s", "regnet_x_400mf", "regnet_y_400mf", "convnext_tiny", "convnext_small"],
  ...["shufflenet_v2_x1_0", "vit_b_16", "swin_t", "maxvit_t"],
];

const TIMM = [
  ...["resnet50d", "seresnet50", "res2net50_26w_4s", "legacy_xception", "darknet53"],
  ...["cspdarknet53", "repvgg_a0", "ese_vovnet19b_dw", "ghostnet_100", "convmixer_768_32"],
  ...["poolformer_s12", "mixer_b16_224", "resmlp_12_224", "deit_tiny_patch16_224"],
];

const affine = (from: string, to: string) => [
  `${from}.alpha=${to}.weight`,
  `${from}.beta=${to}.bias`,
];

/** Where a library defines its tensors in another order than it uses them. */
const RENAMED: Readonly<Record<string, () => readonly string[]>> = {
  resmlp_12_224: () => [
    ...Array.from({ length: 12 }, (_, index) => {
      const [from, to] = [`blocks.${index}`, `layer${index + 1}`];
      return [
        ...affine(`${from}.norm1`, `${to}.scale1`),
        ...affine(`${from}.norm2`, `${to}.scale3`),
        ...[`${from}.ls1=${to}.scale2.weight`, `${from}.ls2=${to}.scale4.weight`],
      ];
    }).flat(),
    ...affine("norm", "scale1"),
  ],
  res2net50_26w_4s: () =>
    [3, 4, 6, 3].flatMap((count, stage) =>
      Array.from({ length: count }, (_, index) => {
        const block = index === 0 ? "separate_parts1" : `parts${index}`;
        const [from, to] = [`layer${stage + 1}.${index}`, `stage${stage + 1}.${block}`];
        return [0, 1, 2].flatMap((part) => [
          `${from}.convs.${part}.*=${to}.conv${part + 1}.*`,
          `${from}.bns.${part}.*=${to}.batchnorm${part + 1}.*`,
        ]);
      }).flat(),
    ),
  convnext_small: () => convnextScales([3, 3, 27, 3]),
};

function convnextScales(counts: readonly number[]): readonly string[] {
  return counts.flatMap((count, stage) =>
    Array.from({ length: count }, (_, layer) => {
      const section = stage === 0 ? "" : `stage${stage}.`;
      const name = `${section}layer${layer + 1}.scale1.weight`;
      return `features.${2 * stage + 1}.${layer}.layer_scale=${name}`;
    }),
  );
}

/** Makes weights, images and what PyTorch gives. Statistics are random, too. */
const MAKE = `
import sys, numpy, torch
name, folder, size, library = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
torch.set_num_threads(1)
torch.manual_seed(1)
if library == "timm":
    import timm
    net = timm.create_model(name).eval()
else:
    import torchvision
    init = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    net = torchvision.models.get_model(name, **init).eval()
for module in net.modules():
    if isinstance(module, torch.nn.BatchNorm2d):
        module.running_mean.normal_(0, 0.1)
        module.running_var.uniform_(0.5, 1.5)
        torch.nn.init.uniform_(module.weight, 0.5, 1.5)
        torch.nn.init.normal_(module.bias, 0, 0.1)
for key, tensor in net.state_dict().items():
    if "layer_scale" in key or key.endswith((".ls1", ".ls2")):
        tensor.uniform_(0.1, 0.5)
    if key.endswith("weight") and not tensor.any():
        tensor.normal_(0, 0.05)  # timm's MLP-Mixer starts with a head of zeros
images = torch.randn(${IMAGES}, 3, size, size)
with torch.no_grad():
    logits = net(images)
torch.save(net.state_dict(), folder + "/weights.pth")
images.numpy().tofile(folder + "/images")
images.permute(0, 2, 3, 1).contiguous().numpy().tofile(folder + "/images_last")
logits.numpy().tofile(folder + "/logits")
`;

const RUN_PYTORCH = `
import sys, numpy, torch
folder, size = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(1)
sys.path.insert(0, folder)
import exported
pixels = numpy.fromfile(folder + "/images", "<f4").reshape(${IMAGES}, 3, size, size)
with torch.no_grad():
    exported.load()(torch.from_numpy(pixels)).numpy().tofile(folder + "/pytorch")
`;

const RUN_KERAS = `
import os, sys
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras, numpy
folder, size = sys.argv[1], int(sys.argv[2])
images = numpy.fromfile(folder + "/images_last", "<f4").reshape(${IMAGES}, size, size, 3)
logits = keras.models.load_model(folder + "/exported.keras")(images, training=False)
keras.ops.convert_to_numpy(logits).astype("<f4").tofile(folder + "/keras")
`;

interface Case {
  readonly name: string;
  readonly spec: string;
  readonly text: string;
  readonly network: ResolvedNetwork;
  readonly size: number;
  /** Of files of this case. */
  readonly folder: string;
}

interface Result {
  readonly lines: number;
  readonly parameters: number;
  readonly netc: number;
  readonly pytorch: number;
  readonly onnx?: number;
  readonly keras?: number;
  /** Undefined where netc's import refuses the file. */
  readonly same?: boolean;
}

async function main(): Promise<void> {
  const chosen = process.argv.slice(3);
  console.log("| network | lines | parameters | netc | PyTorch | ONNX | Keras | same |");
  console.log("| ------- | ----: | ---------: | ---: | ------: | ---: | ----: | ---- |");
  for (const name of chosen.length > 0 ? chosen : [...TORCHVISION, ...TIMM]) {
    const result = await inFolder((folder) => measured(caseOf(name, folder)));
    console.log(rowOf(name, result));
    if (!isFine(result)) process.exitCode = 1;
  }
}

async function inFolder<Made>(use: (folder: string) => Promise<Made>): Promise<Made> {
  const folder = mkdtempSync(join(tmpdir(), "netc-networks-"));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function caseOf(name: string, folder: string): Case {
  const spec = FOLDERS.map((each) => join(each, `${name}.net`)).find((path) => existsSync(path));
  if (!spec) throw new Error(`no folder has ${name}.net: ${FOLDERS.join(", ")}`);
  const text = readFileSync(spec, "utf8");
  const network = analyze(text, spec).selected?.model.network;
  if (!network) throw new Error(`${spec} has no network`);
  const size = Number(network.inputs[0]!.type.shape[2]);
  return { name, spec, text, network, size, folder };
}

async function measured(given: Case): Promise<Result> {
  const { name, folder, size, network } = given;
  const isTimm = TIMM.includes(name);
  const interpreter = isTimm ? process.env.NETC_TIMM : PYTHON;
  if (!interpreter) throw new Error(`${name} needs NETC_TIMM, a Python with timm`);
  python(interpreter, MAKE, name, folder, String(size), isTimm ? "timm" : "torchvision");
  const logits = await netcLogits(given);
  for (const [format, file] of EXPORTS) exportTo(given, format, file);
  python(PYTHON, RUN_PYTORCH, folder, String(size));
  const keras = process.env.NETC_KERAS;
  if (keras) {
    exportTo(given, "keras", "exported.keras");
    python(keras, RUN_KERAS, folder, String(size));
  }
  const errorOf = (got: ArrayLike<number>) => relativeError(got, floatsIn(join(folder, "logits")));
  const fromOnnx = await onnxLogits(given);
  const count = build(network).parameters.filter(({ value }) => !value.name.includes("running_"));
  return {
    lines: linesOf(given.text),
    parameters: count.reduce((sum, { value }) => sum + sizeOf(value.shape), 0),
    netc: errorOf(logits),
    pytorch: errorOf(floatsIn(join(folder, "pytorch"))),
    onnx: fromOnnx && errorOf(fromOnnx),
    keras: keras ? errorOf(floatsIn(join(folder, "keras"))) : undefined,
    same: await isSame(given),
  };
}

const EXPORTS = [
  ["pytorch", "exported.py"],
  ["onnx", "exported.onnx"],
] as const;

function exportTo({ name, spec, folder }: Case, format: string, file: string): void {
  const renames = RENAMED[name]?.().flatMap((pair) => ["--rename", pair]) ?? [];
  const weights = ["--weights", join(folder, "weights.pth"), ...renames];
  const output = ["--to", format, "-o", join(folder, file)];
  execFileSync("node", ["dist/cli/main.js", "export", spec, ...weights, ...output], {
    stdio: "pipe",
  });
}

function python(command: string, program: string, ...args: readonly string[]): void {
  execFileSync(command, ["-c", program, ...args], { stdio: ["ignore", "ignore", "pipe"] });
}

async function netcLogits({ name, spec, text, network, folder }: Case): Promise<Float32Array> {
  const rename = (RENAMED[name]?.() ?? []).flatMap((pair) => parseRenaming(pair) ?? []);
  const own = build(network).parameters.map(({ value }) => {
    return { name: value.name, shape: value.shape.map(Number) };
  });
  const weights = await readWeights(join(folder, "weights.pth"), own, { rename });
  const { programs } = compile(text, { file: basename(spec) });
  const running = await createNetwork(programs, { batch: IMAGES });
  try {
    await loadWeights(running, weights);
    return await running.predict(floatsIn(join(folder, "images")));
  } finally {
    running.destroy();
  }
}

/** As much of onnxruntime as is used here. */
interface OnnxRuntime {
  readonly InferenceSession: {
    create(
      path: string,
      options: object,
    ): Promise<{
      readonly inputNames: readonly string[];
      run(feeds: object): Promise<Readonly<Record<string, { readonly data: Float32Array }>>>;
    }>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, sizes: readonly number[]) => object;
}

async function onnxLogits({ folder, size }: Case): Promise<Float32Array | undefined> {
  const peers = process.env.NETC_PEERS;
  if (!peers) return undefined;
  const runtime = createRequire(`${resolve(peers)}/`)("onnxruntime-node") as OnnxRuntime;
  const options = { intraOpNumThreads: 1, graphOptimizationLevel: "basic" };
  const session = await runtime.InferenceSession.create(join(folder, "exported.onnx"), options);
  const images = floatsIn(join(folder, "images"));
  const input = new runtime.Tensor("float32", images, [IMAGES, 3, size, size]);
  const outputs = await session.run({ [session.inputNames[0]!]: input });
  return Object.values(outputs)[0]!.data;
}

/** Whether the file, imported, has the layers that predictions need; undefined where it cannot. */
async function isSame({ network, folder }: Case): Promise<boolean | undefined> {
  const path = join(folder, "exported.onnx");
  const sibling = () => Promise.reject(new Error("one file"));
  const graph = await onnx.read({ file: { path, bytes: readFileSync(path) }, sibling });
  const back = importedNetwork(graph, network.name);
  if (!back) return undefined;
  const [got, expected] = [summaryOf(back), summaryOf(neededFor(network).network)];
  return got.join("\n") === expected.join("\n");
}

function importedNetwork(graph: ForeignGraph, name: string): ResolvedNetwork | undefined {
  try {
    return importGraph(graph, { name }).network;
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    console.error(error.message);
    return undefined;
  }
}

/** Branches that do not read each other may come in another order. */
function summaryOf({ inputs, layers, groups }: ResolvedNetwork): readonly string[] {
  return describeLayers({ inputs: inputs.map(({ type }) => type), layers, groups })
    .filter(({ kind }) => !["dropout", "identity"].includes(kind))
    .map(({ kind, output, parameters, macs }) => {
      const isWhole = kind === "adaptive_avgpool";
      return JSON.stringify([isWhole ? "global_avgpool" : kind, output, parameters, macs]);
    })
    .sort();
}

/** Without comments and empty lines, and without constants, data and recipes of training. */
function linesOf(text: string): number {
  const network = text.replace(/^(data|train) .*?\n\}/gms, "").replace(/^const rgb_.*/gm, "");
  return network.split("\n").filter((line) => /^\s*[^\s/]/.test(line)).length;
}

const sizeOf = (shape: readonly (number | string)[]) =>
  shape.reduce<number>((product, size) => product * Number(size), 1);

function floatsIn(path: string): Float32Array {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

function relativeError(got: ArrayLike<number>, expected: Float32Array): number {
  if (got.length !== expected.length) return Infinity;
  const norm = (values: ArrayLike<number>) =>
    Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));
  return norm(expected.map((value, index) => got[index]! - value)) / norm(expected);
}

const isFine = ({ netc, pytorch, onnx: fromOnnx = 0, keras = 0, same }: Result) =>
  same !== false && [netc, pytorch, fromOnnx, keras].every((error) => error < TOLERANCE);

function rowOf(name: string, { lines, parameters, same, ...errors }: Result): string {
  const { netc, pytorch, onnx: fromOnnx, keras } = errors;
  const texts = [netc, pytorch, fromOnnx, keras].map((error) => error?.toExponential(1) ?? "");
  const counts = [lines, parameters].map((count) => count.toLocaleString("en"));
  const cells = [name, ...counts, ...texts, same === undefined ? "" : same ? "yes" : "no"];
  return `| ${cells.join(" | ")} |`;
}

await main();
