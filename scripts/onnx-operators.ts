/**
 * ONNX's own operator tests (Debian's libonnx-testdata) through `netc import`: a table by operator
 * of what passed, what was refused with a message, and what failed, and nothing may fail.
 *
 *   node scripts/run.mjs scripts/onnx-operators.ts [--write]
 *
 * With `--write` the table goes into docs/interop-operators.md.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { portOf } from "../compiler/ir/graph.js";
import { build } from "../compiler/network/build.js";
import { runGraph } from "../compiler/ops/run-graph.js";
import { forInference } from "../compiler/passes/inference.js";
import { ImportError } from "../interchange/error.js";
import type { ForeignTensor } from "../interchange/foreign-graph.js";
import { importGraph } from "../interchange/import-graph.js";
import { onnx } from "../interchange/onnx/index.js";
import { TensorProtoSchema } from "../interchange/onnx/onnx_pb.js";
import { readTensor } from "../interchange/onnx/tensor.js";
import { operators } from "../interchange/operators/index.js";

const FOLDER = "/usr/share/libonnx-testdata/data/node";
const PAGE = "docs/interop-operators.md";
const TOLERANCE = 1e-4;

interface Outcome {
  readonly kind: "passed" | "refused" | "failed";
  readonly message: string;
}

const sibling = () => Promise.reject(new ImportError("operator tests have no other files"));

/** Operators that treat each element by itself, whatever axes it has. */
const ELEMENTWISE = new Set([
  ...["Relu", "Sigmoid", "Tanh", "Softplus", "HardSwish", "LeakyRelu", "Elu", "HardSigmoid"],
  ...["Clip", "Neg", "Identity", "Add", "Sub", "Mul", "Div"],
]);

/** The same elements as the features of one example: netc has features and images alone. */
function inARow(inputs: readonly ForeignTensor[]): readonly ForeignTensor[] {
  const length = inputs[0]?.values.length;
  return inputs.map((tensor) =>
    tensor.values.length === length ? { ...tensor, shape: [1, length] } : tensor,
  );
}

/** Inputs after the first become weights where the test gives them as data. */
async function runTest(name: string): Promise<Outcome & { readonly operator: string }> {
  const path = join(FOLDER, name, "model.onnx");
  let operator = "?";
  try {
    const graph = await onnx.read({ file: { path, bytes: readFileSync(path) }, sibling });
    operator = graph.nodes.at(-1)?.operator ?? "Constant";
    const given = await dataOf(name, "input");
    const inputs = ELEMENTWISE.has(operator) ? inARow(given) : given;
    const constants = new Map(graph.constants);
    graph.inputs.slice(1).forEach((input, index) => constants.set(input.name, inputs[index + 1]!));
    const one = { ...graph, inputs: graph.inputs.slice(0, 1), constants };
    const [first] = inputs;
    const sizes = first?.shape.slice(1) ?? [];
    const { network, tensors } = importGraph(one, { name: "Test", input: sizes });
    const forward = forInference(build(network));
    const parameters = new Map(tensors.map((tensor) => [tensor.name, tensor.values]));
    const optimizer = { kind: "sgd", learningRate: 0, momentum: 0, weightDecay: 0 } as never;
    const context = { seed: 0, step: 0, training: false, optimizer };
    const values = runGraph(forward, {
      images: Float64Array.from(first!.values),
      parameters,
      context,
    });
    const got = values.get(portOf(forward, "prediction").id)!.data;
    const [expected] = await dataOf(name, "output");
    return { operator, ...compared(got, expected!.values) };
  } catch (error) {
    const message = (error as Error).message;
    return { operator, kind: error instanceof ImportError ? "refused" : "failed", message };
  }
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

async function dataOf(name: string, what: "input" | "output") {
  const data = join(FOLDER, name, "test_data_set_0");
  const files = readdirSync(data).filter((file) => file.startsWith(`${what}_`));
  const sorted = files.toSorted((a, b) => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b)));
  const tensors = sorted.map((file) =>
    fromBinary(TensorProtoSchema, readFileSync(join(data, file))),
  );
  return Promise.all(tensors.map((tensor) => readTensor(tensor, { sibling })));
}

const names = readdirSync(FOLDER).filter((name) => existsSync(join(FOLDER, name, "model.onnx")));
const outcomes = [];
for (const name of names) outcomes.push({ name, ...(await runTest(name)) });
const known = outcomes.filter(({ operator }) => Object.hasOwn(operators, operator));
const rows = [...new Set(known.map((each) => each.operator))].sort().map((operator) => {
  const of = known.filter((each) => each.operator === operator);
  const counts = (["passed", "refused", "failed"] as const).map((kind) =>
    String(of.filter((each) => each.kind === kind).length).padStart(7),
  );
  return `| ${operator.padEnd(18)} | ${counts.join(" | ")} |`;
});
const others = outcomes.filter((each) => !known.includes(each));
const refusedOthers = others.filter(({ kind }) => kind === "refused").length;
const table = [
  `| operator           |  passed | refused |  failed |`,
  `| ------------------ | ------: | ------: | ------: |`,
  ...rows,
  "",
  `The other ${others.length} tests are of operators that netc does not have; ` +
    `${refusedOthers} are refused.`,
].join("\n");
console.log(table);
if (process.argv.includes("--write")) {
  const block = /(<!-- operators -->\n\n)[^]*?(\n\n<!-- end of operators -->)/;
  const text = readFileSync(PAGE, "utf8");
  writeFileSync(
    PAGE,
    text.replace(block, (_, begin: string, end: string) => begin + table + end),
  );
}
const failed = outcomes.filter(({ kind }) => kind === "failed");
for (const { name, message } of failed) console.log(`FAILED ${name}: ${message}`);
if (process.env.NETC_SHOW_REFUSED) {
  for (const { name, kind, message } of known)
    if (kind === "refused") console.log(`${name}: ${message}`);
}
if (failed.length > 0) process.exitCode = 1;
