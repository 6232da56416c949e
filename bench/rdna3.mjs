// What a compiler for a GPU, Mesa's for RDNA3, makes of netc's contractions and of its peers',
// without the GPU:
//
//     node rdna3.mjs --isa PATH/isa.mjs [--family navi31] [--wave32] [--contenders LIST]
//
// LIST: netc,jax-js,tensorflow,onnxruntime
//
// The tool `isa` hands WGSL to Dawn, and Dawn's SPIR-V to RADV's null device; its own header says
// what it needs installed. AlexNet at batch 8: forward pass, input gradient and weight gradient of
// each layer. Results go to results/.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { convolutionsOf, linearsOf, multiplyAdds, NETWORKS } from "./networks.mjs";
import { readResult, saveResult } from "./results.mjs";
import { peakShare } from "./rdna3-report.mjs";
import { writeReport } from "./report.mjs";

const BATCH = 8;
const ORDER = ["netc", "jax-js", "tensorflow", "onnxruntime"];
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const network = NETWORKS.alexnet;
const layers = [...convolutionsOf(network), ...linearsOf(network)];

const { values: options } = parseArgs({
  options: {
    isa: { type: "string" },
    family: { type: "string", default: "navi31" },
    wave32: { type: "boolean", default: false },
    contenders: { type: "string", default: ORDER.join() },
  },
});
if (!options.isa) {
  console.error("say where the tool is: --isa PATH/isa.mjs");
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "rdna3-"));

// netc

/** The kernels of netc's program for GPUs, a row for each dispatch with multiply-adds. */
async function netcRows() {
  const { compile } = await import("netc");
  const spec = readFileSync(new URL(network.spec, import.meta.url), "utf8");
  const { program } = compile(spec, { file: "alexnet.net", target: "gpu" });
  const { kernels, steps } = program;
  return steps.train
    .filter(({ macs, batches }) => macs > 0 && includesBatch(batches))
    .map(({ label, kernel, macs, constants, workgroups: { x, z } }) => {
      const operation = label.match(/forward|input gradient|weight/)[0];
      const { name, wgsl } = kernels[kernel];
      const count = Math.ceil((x.fixed + x.perImage * BATCH) / x.tile) * z;
      return {
        layer: label.split(" ")[0],
        operation: operation === "weight" ? "weight gradient" : operation,
        label,
        kernel: name,
        macs: macs * BATCH,
        splits: constantOf(wgsl, constants, "splits") ?? 1,
        dispatches: [{ code: wgsl, workgroups: [count] }],
      };
    });
}

/** What a dispatch has for one of its kernel's constants. */
function constantOf(wgsl, constants, name) {
  const [, fields] = wgsl.match(/struct Constants \{([^}]*)\}/);
  const names = [...fields.matchAll(/(\w+):/g)].map(([, field]) => field);
  return constants[names.indexOf(name)];
}

const includesBatch = ({ atLeast = 1, atMost = Infinity } = {}) =>
  atLeast <= BATCH && BATCH <= atMost;

/** Rows and columns of an operation's result, of which a kernel's tiles cover at least as many. */
function resultSize(layer, operation) {
  const { weight, input, output } = layer;
  const pixels = (shape) => BATCH * (shape ? shape[1] * shape[2] : 1);
  const [outputs, ...rest] = weight;
  if (operation === "forward") return pixels(output) * outputs;
  if (operation === "input gradient") return pixels(input) * weight[1];
  return rest.reduce((product, size) => product * size, 1) * outputs;
}

/**
 * The share of a kernel's tiles that is result and not padding; undefined where its name tells no
 * tile.
 */
function usefulShare({ layer: name, operation, kernel, workgroups, macs, splits }) {
  const tile = kernel?.match(/_(\d+)x(\d+)(?:_split)?$/);
  const layer = layers.find((candidate) => candidate.name === name);
  if (!tile || !layer) return undefined;
  // A dispatch may compute one piece of a split layer: a piece of the result, or the sum over a
  // piece.
  const piece = operation === "input gradient" ? 1 : macs / (multiplyAdds(layer) * BATCH);
  const size = resultSize(layer, operation) * piece;
  return Math.min(1, size / ((workgroups / splits) * Number(tile[1]) * Number(tile[2])));
}

// Peers

function peerRows(name) {
  const file = join(folder, `${name}.json`);
  const script = fileURLToPath(new URL("shaders.mjs", import.meta.url));
  const environment = { ...process.env, NETC_ADAPTER: process.env.NETC_ADAPTER ?? "lavapipe" };
  const { status, stderr } = spawnSync(process.execPath, [script, name, file], {
    env: environment,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`its shaders could not be had: ${stderr.slice(-300)}`);
  return JSON.parse(readFileSync(file, "utf8"));
}

// Machine code

/** Compiles every text once. A map from WGSL to what the tool says of it. */
function analyze(texts) {
  const files = texts.map((text, index) => {
    const file = join(folder, `kernel-${index}.wgsl`);
    writeFileSync(file, text);
    return file;
  });
  const settings = ["--family", options.family, "--robust", "--json"];
  if (options.wave32) settings.push("--wave32");
  const { stdout, stderr } = spawnSync(process.execPath, [options.isa, ...settings, ...files], {
    cwd: ROOT,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  if (stderr) console.error(stderr.slice(0, 1000));
  const { kernels } = JSON.parse(stdout);
  const byIndex = new Map(kernels.map((kernel) => [Number(kernel.kernel.split("-")[1]), kernel]));
  return new Map(texts.map((text, index) => [text, byIndex.get(index)]));
}

const lanes = ({ workgroup }) => workgroup.split("x").reduce((product, size) => product * size, 1);
const product = (numbers) => numbers.reduce((a, b) => a * b, 1);

/**
 * Of a row's dispatches the one with the most multiply-adds a turn, among those the one with the
 * most lanes.
 */
function contraction({ dispatches }, machineCode) {
  const known = dispatches
    .map(({ code, workgroups }) => ({
      code: machineCode.get(code),
      workgroups: product(workgroups),
    }))
    .filter(({ code }) => code?.macs > 0);
  const weight = ({ code, workgroups }) => workgroups * lanes(code);
  return known.toSorted((a, b) => b.code.macs - a.code.macs || weight(b) - weight(a))[0];
}

function measuredRow(row, machineCode) {
  const found = contraction(row, machineCode);
  const { layer, operation, label, kernel, macs, splits } = row;
  if (!found) return { layer, operation, label, macs, failure: "no kernel with multiply-adds" };
  const { vgpr, spill, waves, wave, lds, workgroup } = found.code;
  const perInstruction = found.code["mac/instr"];
  const { workgroups } = found;
  const measured = { layer, operation, label, kernel, macs, splits, workgroup, workgroups, wave };
  const share = usefulShare(measured);
  return { ...measured, vgpr, spill, lds, waves, perInstruction, share: share || undefined };
}

/** ONNX Runtime tells no layers: its kernels with multiply-adds come in the layers' order. */
function withLayers(rows, machineCode) {
  const [{ layer, dispatches }] = rows;
  if (layer) return rows;
  const contractions = dispatches.filter(({ code }) => {
    const found = machineCode.get(code);
    return found?.macs > 0 && found.loop !== "none";
  });
  const exact = contractions.length === layers.length;
  return contractions.map((dispatch, index) => ({
    layer: exact ? layers[index].name : `dispatch ${index + 1}`,
    operation: "forward",
    macs: exact ? multiplyAdds(layers[index]) * BATCH : undefined,
    dispatches: [dispatch],
  }));
}

/** Multiply-adds of all rows by what they take at `rate` a unit, padding counted as not useful. */
function wholeStep(rows, rate) {
  const counted = rows.filter((row) => row.macs && row.perInstruction);
  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
  const taken = counted.map((row) => row.macs / (rate(row) * (row.share ?? 1)));
  return sum(counted.map(({ macs }) => macs)) / sum(taken);
}

async function measure(name) {
  console.error(name);
  try {
    const rows = name === "netc" ? await netcRows() : peerRows(name);
    const texts = new Set(rows.flatMap(({ dispatches }) => dispatches.map(({ code }) => code)));
    const machineCode = analyze([...texts]);
    const measured = withLayers(rows, machineCode).map((row) => measuredRow(row, machineCode));
    return {
      name,
      rows: measured,
      perInstruction: wholeStep(measured, (row) => row.perInstruction),
      ofPeak: wholeStep(measured, peakShare),
    };
  } catch (error) {
    console.error(error.message);
    return { name, failure: error.message };
  }
}

/** The contenders in the order of ORDER; those not measured now as they were. */
async function measureAll(names) {
  const before = (await readResult("rdna3"))?.contenders ?? [];
  const measured = [];
  for (const name of names) measured.push(await measure(name));
  const kept = before.filter(({ name }) => !names.includes(name));
  return [...measured, ...kept].toSorted((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name));
}

const contenders = await measureAll(options.contenders.split(","));
const shown = ["--isa PATH", ...process.argv.slice(2).filter((word) => word === "--wave32")];
await saveResult("rdna3", {
  family: options.family,
  date: new Date().toISOString().slice(0, 10),
  command: `node bench/rdna3.mjs ${shown.join(" ")}`,
  contenders,
});
await writeReport();
