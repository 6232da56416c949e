/**
 * ONNX's own operator tests (Debian's libonnx-testdata) through `netc import`: a table by operator
 * of what passed, what was refused with a message, and what failed, and nothing may fail.
 *
 *   node scripts/run.mjs scripts/onnx-operators.ts [--write]
 *
 * With `--write` the table goes into docs/interop-operators.md.
 */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { portOf } from "../compiler/ir/graph.js";
import { build } from "../compiler/network/build.js";
import { runGraph } from "../compiler/ops/run-graph.js";
import { forInference } from "../compiler/passes/inference.js";
import { ImportError } from "../interchange/error.js";
import type { ForeignTensor } from "../interchange/foreign-graph.js";
import { importGraph } from "../interchange/import-graph.js";
import { onnx } from "../interchange/onnx/index.js";
import {
  ModelProtoSchema,
  TensorProtoSchema,
  type ModelProto,
  type TensorProto,
} from "../interchange/onnx/onnx_pb.js";
import { readTensor } from "../interchange/onnx/tensor.js";
import { operators } from "../interchange/operators/index.js";

const FOLDER = "/usr/share/libonnx-testdata/data/node";
const PAGE = "docs/interop-operators.md";
const TOLERANCE = 1e-4;

interface Outcome {
  readonly kind: "passed" | "refused" | "failed";
  readonly message: string;
}

const KINDS = ["passed", "refused", "failed"] as const;

/** What the refused tests of an operator ask for that netc cannot say. */
const REASONS: Readonly<Record<string, string>> = {
  Add: "integers; a constant of other sizes than the channels",
  And: "inputs of true and false",
  AveragePool: "1 and 3 axes of space; a padding over half of the kernel",
  BatchNormalization: "normalization by the batch, as in training",
  Cast: "casts between floats alone compute nothing, casts to other types are not floats",
  Clip: "integers; limits that all values are within, which computes nothing",
  Concat: "joins along the batch",
  ConvTranspose: "1 and 3 axes of space; padding by a wanted output size",
  DepthToSpace: "blocks of channels, the mode DCR",
  Div: "integers; a constant of other sizes than the channels",
  Dropout: "a mask as second output; dropout while predicting",
  Equal: "integers; inputs of true and false",
  Expand: "repeats a value",
  Flatten: "flattens the batch, or fewer axes than the example has",
  Gather: "parts of the batch; parts that are not evenly apart; indices as a matrix",
  Gemm: "a transposed input; another bias for each example",
  Greater: "a constant of several numbers",
  GreaterOrEqual: "a constant of several numbers",
  Identity: "computes nothing; sequences of tensors and optional tensors",
  LayerNormalization: "over the batch; in pieces that flatten the batch with other axes",
  Less: "a constant of several numbers",
  LessOrEqual: "a constant of several numbers",
  MatMul: "several matrices for each example",
  Max: "integers",
  MaxPool: "1 and 3 axes of space; dilations; places of maxima; a padding over half of the kernel",
  Min: "integers",
  Mul: "integers; a constant of other sizes than the channels",
  Not: "inputs of true and false",
  Or: "inputs of true and false; a constant of several numbers",
  PRelu: "slopes that differ by pixel",
  Pad: "numbers other than zero; edges and reflections",
  Pow: "integers; exponents that are values or several numbers",
  ReduceLogSumExp: "over all axes, which are the batch's too",
  ReduceMax: "over all axes, which are the batch's too",
  ReduceMean: "over all axes, which are the batch's too",
  ReduceMin: "over all axes, which are the batch's too",
  ReduceSum: "over all axes, which are the batch's too",
  Reshape: "moves elements between the batch and the examples",
  Resize: "cubic; coordinates whose pixels `upsample` does not pick",
  Selu: "1 axis; other constants than the paper's",
  Shape: "gives integers; within a network, shapes are folded",
  Slice: "parts of the batch; 1 and 5 axes; steps below 0",
  Softmax: "over the batch",
  Softsign: "1 axis",
  Split: "1 axis; the batch",
  Squeeze: "drops the batch; axes that the file does not name",
  Sub: "integers; a constant of other sizes than the channels",
  Sum: "one input, which computes nothing",
  Transpose: "moves the batch; the identity, which computes nothing",
  Unsqueeze: "an axis before the batch; more than four axes",
  Where: "conditions that are an input; integers",
};

const sibling = () => Promise.reject(new ImportError("operator tests have no other files"));

/** Operators that treat each element by itself, whatever axes it has. */
const ELEMENTWISE = new Set([
  ...["Relu", "Sigmoid", "Tanh", "Softplus", "HardSwish", "LeakyRelu", "Elu", "HardSigmoid"],
  ...["Clip", "Neg", "Identity", "Add", "Sub", "Mul", "Div", "Sum"],
  ...["Abs", "Exp", "Log", "Sqrt", "Reciprocal", "Pow", "Min", "Max", "IsNaN", "Where"],
  ...["And", "Or", "Not", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"],
]);

/** The same elements as the features of one example: netc has two to four axes. */
function inARow(inputs: readonly TensorProto[]): readonly TensorProto[] {
  const lengthOf = ({ dims }: TensorProto) => dims.reduce((a, b) => a * b, 1n);
  const length = lengthOf(inputs[0]!);
  return inputs.map((tensor) =>
    lengthOf(tensor) === length ? { ...tensor, dims: [1n, length] } : tensor,
  );
}

/** The data are inputs of the network; where that is refused, all but the first are weights. */
async function runTest(name: string): Promise<Outcome & { readonly operator: string }> {
  const model = fromBinary(ModelProtoSchema, readFileSync(join(FOLDER, name, "model.onnx")));
  const operator = operatorOf(name, model);
  try {
    const given = dataOf(name, "input");
    const isAlone = model.graph!.node.length === 1;
    const data = isAlone && ELEMENTWISE.has(operator) ? inARow(given) : given;
    const [expected] = await tensorsOf(dataOf(name, "output"));
    const asInputs = await outcomeOf(model, { data, count: data.length }, expected!);
    if (asInputs.kind !== "refused" || data.length === 1) return { operator, ...asInputs };
    return { operator, ...(await outcomeOf(model, { data, count: 1 }, expected!)) };
  } catch (error) {
    return { operator, ...outcomeOfError(error) };
  }
}

/** What the test is of: a layer normalization in pieces counts as one. */
function operatorOf(name: string, { graph }: ModelProto): string {
  if (name.startsWith("test_layer_normalization")) return "LayerNormalization";
  return graph!.node.at(-1)?.opType ?? "Constant";
}

interface TestData {
  readonly data: readonly TensorProto[];
  /** How many of them are inputs of the network. */
  readonly count: number;
}

/** Of several outputs, the first is compared. */
async function outcomeOf(
  model: ModelProto,
  { data, count }: TestData,
  expected: ForeignTensor,
): Promise<Outcome> {
  try {
    const inputs = await tensorsOf(data.slice(0, count));
    const bytes = toBinary(ModelProtoSchema, withWeights(model, data.slice(count), count));
    const read = await onnx.read({ file: { path: "model.onnx", bytes }, sibling });
    const shaped = read.inputs.map((input, index) => ({ ...input, shape: inputs[index]!.shape }));
    const graph = { ...read, inputs: shaped };
    const { network, tensors } = importGraph(graph, { name: "Test", output: graph.outputs[0]! });
    const forward = forInference(build(network));
    const parameters = new Map(tensors.map((tensor) => [tensor.name, tensor.values]));
    const optimizer = { kind: "sgd", learningRate: 0, momentum: 0, weightDecay: 0 } as never;
    const context = { seed: 0, step: 0, training: false, optimizer };
    const wide = inputs.map(({ values }) => Float64Array.from(values));
    const named = Object.fromEntries(network.inputs.map(({ name }, at) => [name, wide[at]!]));
    const values = runGraph(forward, { images: wide[0]!, given: named, parameters, context });
    return compared(values.get(portOf(forward, "prediction").id)!.data, expected.values);
  } catch (error) {
    return outcomeOfError(error);
  }
}

/**
 * The model with its inputs from one on as initializers. Its opset is that in which its operator
 * got its present meaning: one that netc does not read is raised.
 */
function withWeights(model: ModelProto, data: readonly TensorProto[], from: number): ModelProto {
  const graph = model.graph!;
  const weights = graph.input.slice(from).map(({ name }, at) => ({ ...data[at]!, name }));
  const initializer = [...graph.initializer, ...weights];
  const opsetImport = model.opsetImport.map((opset) => {
    return { ...opset, version: opset.version < 7n ? 7n : opset.version };
  });
  const inputs = graph.input.slice(0, from);
  return { ...model, opsetImport, graph: { ...graph, input: inputs, initializer } };
}

function outcomeOfError(error: unknown): Outcome {
  const { message } = error as Error;
  return { kind: error instanceof ImportError ? "refused" : "failed", message };
}

function compared(got: ArrayLike<number>, expected: ArrayLike<number>): Outcome {
  if (got.length !== expected.length) {
    return { kind: "failed", message: `${got.length} numbers, expected ${expected.length}` };
  }
  let largest = 0;
  for (let index = 0; index < got.length; index++) {
    const difference = Math.abs(got[index]! - expected[index]!);
    largest = Math.max(largest, difference / Math.max(1, Math.abs(expected[index]!)));
  }
  const isRight = largest <= TOLERANCE;
  return { kind: isRight ? "passed" : "failed", message: `differs by ${largest}` };
}

function dataOf(name: string, what: "input" | "output"): readonly TensorProto[] {
  const data = join(FOLDER, name, "test_data_set_0");
  const files = readdirSync(data).filter((file) => file.startsWith(`${what}_`));
  const sorted = files.toSorted((a, b) => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b)));
  return sorted.map((file) => fromBinary(TensorProtoSchema, readFileSync(join(data, file))));
}

const tensorsOf = (protos: readonly TensorProto[]): Promise<readonly ForeignTensor[]> =>
  Promise.all(protos.map((proto) => readTensor(proto, { sibling })));

const names = readdirSync(FOLDER).filter((name) => existsSync(join(FOLDER, name, "model.onnx")));
const outcomes = [];
for (const name of names) outcomes.push({ name, ...(await runTest(name)) });
const known = outcomes.filter(({ operator }) => Object.hasOwn(operators, operator));
const tested = [...new Set(known.map((each) => each.operator))].sort();
const countOf = (operator: string, kind: Outcome["kind"]) =>
  known.filter((each) => each.operator === operator && each.kind === kind).length;
const rows = tested.map((operator) => {
  const counts = KINDS.map((kind) => countOf(operator, kind));
  const reason = counts[1]! > 0 ? (REASONS[operator] ?? "") : "";
  return `| ${[operator, ...counts, reason].join(" | ")} |`;
});
const others = outcomes.filter((each) => !known.includes(each));
const refusedOthers = others.filter(({ kind }) => kind === "refused").length;
const table = [
  "| operator | passed | refused | failed | refused are |",
  "| -------- | -----: | ------: | -----: | ----------- |",
  ...rows,
  "",
  `The other ${others.length} tests are of operators that netc does not have; ` +
    `${refusedOthers} are refused.`,
].join("\n");
console.log(table);
if (process.argv.includes("--write")) {
  const block = /(<!-- operators -->\n\n)[^]*?(\n\n<!-- end of operators -->)/;
  const text = readFileSync(PAGE, "utf8");
  const filled = text.replace(block, (_, begin: string, end: string) => begin + table + end);
  writeFileSync(PAGE, await format(filled, { ...(await resolveConfig(PAGE)), parser: "markdown" }));
}
const failed = outcomes.filter(({ kind }) => kind === "failed");
for (const { name, message } of failed) console.log(`FAILED ${name}: ${message}`);
if (process.env.NETC_SHOW_REFUSED) {
  for (const { name, kind, message } of known)
    if (kind === "refused") console.log(`${name}: ${message}`);
}
const unexplained = tested.filter((operator) => {
  return countOf(operator, "refused") > 0 && !Object.hasOwn(REASONS, operator);
});
for (const operator of unexplained) console.log(`REFUSED WITHOUT A REASON ${operator}`);
if (failed.length + unexplained.length > 0) process.exitCode = 1;
