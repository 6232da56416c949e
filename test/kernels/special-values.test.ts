/**
 * NaN, infinities, zeros, and what is outside a function's domain: every operator, function of
 * formulas and activation, with their slopes, on a device as in PyTorch.
 */
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { selectionOf } from "../../compiler/ir/expression-choice.js";
import { derivative } from "../../compiler/ir/expression-derivative.js";
import {
  binaryFunctions,
  evaluate,
  unaryFunctions,
} from "../../compiler/ir/expression-evaluate.js";
import { contains, mapParts } from "../../compiler/ir/expression-transform.js";
import {
  binary,
  constant,
  operand,
  unary,
  type BinaryOperator,
  type Expression,
  type UnaryOperator,
} from "../../compiler/ir/expression.js";
import { code, text } from "../../compiler/kernels/code.js";
import { print } from "../../compiler/kernels/expression.js";
import { Printer } from "../../compiler/kernels/printer.js";
import { formulaFunctions } from "../../compiler/layers/formula-functions.js";
import { power } from "../../compiler/layers/formula-power.js";
import { layers } from "../../compiler/layers/index.js";
import { analyze } from "../../compiler/semantics/index.js";
import { wgslOf } from "../../program/program.js";
import { predictions } from "../../compiler/ops/builder.js";
import { createNetwork, findAdapter } from "../../runtime/index.js";
import { adapterWithHalves } from "../adapters.js";
import { environment } from "../ir/helpers.js";
import { Chain } from "../passes/chain.js";
import { programsOf } from "./compare.js";

/** As in make_expected.py. The squares of the largest are numbers still. */
const SPECIAL = [
  ...[NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 2.5, -2.5],
  ...[1e-15, -1e-15, 1e15, -1e15, 100, -100, 17, -17],
];
const SECOND = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -2, -2.5, 3];

/** Every pair of both; x varies fastest. */
const PAIRS = SECOND.flatMap((y) => SPECIAL.map((x) => [x, y] as const));

interface Case {
  readonly name: string;
  readonly expression: Expression;
}

const [x, y] = [operand(0), operand(1)];

const formulas: readonly Case[] = [
  ...formulaFunctions
    .filter(({ isOfClasses }) => !isOfClasses)
    .map(({ name, parameters, ...rest }) => {
      const given = [x, y, constant(0.5)].slice(0, parameters.length);
      const names = ["x", "y", "0.5"].slice(0, parameters.length);
      return { name: `${name}(${names.join(", ")})`, expression: rest.build(given) };
    }),
  ...[1.5, -1.5, 0.5, 3, -3, 17, 0.7].map((exponent) => ({
    name: `x ^ ${exponent}`,
    expression: power(x, constant(exponent)),
  })),
  ...[2, 0.5].map((base) => ({ name: `${base} ^ x`, expression: power(constant(base), x) })),
  ...Object.entries({ "+": "add", "-": "subtract", "*": "multiply", "/": "divide" } as const).map(
    ([sign, operator]) => ({ name: `x ${sign} y`, expression: binary(operator, x, y) }),
  ),
  { name: "1 / x", expression: binary("divide", constant(1), x) },
];

/** Layers that make each element of one other, as their first sample of such a kind has them. */
const activations: readonly Case[] = layers.flatMap(({ samples }) =>
  samples.flatMap(({ spec }) => {
    const { selected, diagnostics } = analyze(`model M { input x: f32[N, 4]\n ${spec} }`, "m.net");
    if (diagnostics.some(({ severity }) => severity === "error")) return [];
    const nodes = selected?.model.graph?.nodes ?? [];
    const [node] = nodes;
    if (nodes.length !== 1 || node?.kind !== "pointwise") return [];
    const { expression } = node.attributes;
    return isOfOne(expression) ? [{ name: spec, expression }] : [];
  }),
);

function isOfOne(expression: Expression): boolean {
  const isOther = (part: Expression) =>
    ["channel", "keep", "noise", "batchShare"].includes(part.kind) ||
    (part.kind === "operand" && part.index > 0);
  return contains(expression, (part) => part.kind === "operand") && !contains(expression, isOther);
}

const operators: readonly Case[] = [
  ...(Object.keys(unaryFunctions) as UnaryOperator[]).map((name) => ({
    name,
    expression: unary(name, x),
  })),
  ...(Object.keys(binaryFunctions) as BinaryOperator[]).map((name) => ({
    name,
    expression: binary(name, x, y),
  })),
];

const cases = [...operators, ...formulas, ...activations];
const slopesOf = (expression: Expression) =>
  [0, 1].map((index) => derivative(expression, { kind: "operand", index }));

/** An expression of operands, each step rounded to 32 bits as on a device. */
function evaluate32(expression: Expression, operands: readonly number[]): number {
  const selection = expression.kind === "binary" ? selectionOf(expression) : undefined;
  if (selection) {
    const isChosen = evaluate32(selection.condition, operands) > 0;
    return isChosen ? evaluate32(selection.value, operands) : 0;
  }
  const computed = mapParts(expression, (part) => constant(evaluate32(part, operands)));
  return Math.fround(evaluate(computed, environment(operands)));
}

type ElementType = "vec4f" | "f32";

const LANES = { vec4f: 4, f32: 1 } as const;

/** Pairs of each expression's results: whole quads. */
const STRIDE = 4 * Math.ceil(PAIRS.length / 4);

/** Every expression at every pair, as one shader: adapters compile one sooner than many. */
async function runOnDevice(expressions: readonly Expression[], type: ElementType) {
  const printer = new Printer();
  const count = STRIDE / LANES[type];
  const leaves = {
    type,
    operand: (index: number) => text("xy"[index]!),
    channel: () => code`0`,
    counter: () => code`0u`,
  };
  const body = expressions
    .map((expression, index) => {
      const value = print(expression, leaves).print(printer);
      return `results[${index * count}u + id.x] = ${value};`;
    })
    .join("\n");
  const shader = `
    @group(0) @binding(0) var<storage, read> values: array<${type}>;
    @group(0) @binding(1) var<storage, read_write> results: array<${type}>;
    ${wgslOf([...printer.declarations("constant"), ...printer.declarations("functions")])}
    @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {
      let x = values[id.x];
      let y = values[${count}u + id.x];
      ${body}
    }`;
  const given = Float32Array.from(
    [0, 1].flatMap((side) => padded(PAIRS.map((pair) => pair[side]!))),
  );
  return dispatch(shader, given, 4 * expressions.length * STRIDE, count);
}

const padded = (values: readonly number[]) => [
  ...values,
  ...new Array<number>(STRIDE - values.length).fill(1),
];

const halves = await adapterWithHalves();
const { adapter } = await findAdapter(process.env["NETC_ADAPTER"]);
const device = await adapter.requestDevice();
afterAll(() => device.destroy());

const [STORAGE, COPY_SRC, COPY_DST, MAP_READ] = [128, 4, 8, 1] as const;

async function dispatch(shader: string, given: Float32Array, bytes: number, groups: number) {
  const module = device.createShaderModule({ code: shader });
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module, entryPoint: "main" },
  });
  const buffer = (size: number, usage: number) => device.createBuffer({ size, usage });
  const values = buffer(given.byteLength, STORAGE | COPY_DST);
  const results = buffer(bytes, STORAGE | COPY_SRC);
  const staging = buffer(bytes, MAP_READ | COPY_DST);
  device.queue.writeBuffer(values, 0, given as Float32Array<ArrayBuffer>);
  const entries = [values, results].map((each, binding) => ({
    binding,
    resource: { buffer: each },
  }));
  const layout = pipeline.getBindGroupLayout(0);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
  pass.dispatchWorkgroups(groups);
  pass.end();
  encoder.copyBufferToBuffer(results, 0, staging, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  return new Float32Array(staging.getMappedRange().slice(0));
}

/** Powers of devices have fewer digits, and what is tiny may be 0: the kind of number counts. */
const isSame = (found: number, expected: number, least = 1e-30) =>
  Number.isFinite(expected)
    ? Math.abs(found - expected) <= 1e-4 * Math.abs(expected) + least
    : Object.is(found, expected);

/** Slopes that have something to compute. */
const slopes = cases.flatMap(({ name, expression }) =>
  slopesOf(expression).flatMap((slope, index) =>
    slope.kind === "constant"
      ? []
      : [{ name: `slope of ${name} by ${"xy"[index]}`, expression: slope }],
  ),
);

const distinct = (all: readonly Case[]) => [
  ...new Map(all.map((each) => [JSON.stringify(each.expression), each])).values(),
];

test.each([
  ["vec4f", distinct([...cases, ...slopes])],
  ["f32", operators],
] as const)("on a device as by the reference: %s", async (type, all) => {
  const found = await runOnDevice(
    all.map(({ expression }) => expression),
    type,
  );
  const wrong = all.flatMap(({ name, expression }, index) =>
    PAIRS.flatMap((pair, at) => {
      const [actual, expected] = [found[index * STRIDE + at]!, evaluate32(expression, pair)];
      return isSame(actual, expected)
        ? []
        : [`${name} at ${pair.join(", ")}: ${actual}, expected ${expected}`];
    }),
  );
  expect(wrong).toEqual([]);
});

describe.skipIf(!halves)("as 16-bit floats", () => {
  test.each(operators.filter(({ expression }) => expression.kind === "unary"))(
    "$name",
    async ({ expression }) => {
      // Networks take finite numbers, and these are whole in 16 bits.
      const inRange = SPECIAL.filter((each) => each === 0 || /^-?[\d.]{1,4}$/.test(String(each)));
      const { builder, value } = new Chain(["N", inRange.length]).pointwise(expression);
      const graph = builder.finish({ outputs: predictions(value), metrics: [] });
      const precision = { kind: "f16", lossScale: { kind: "static", scale: 1 } } as const;
      const network = await createNetwork(programsOf(graph, { precision }), {
        batch: 1,
        adapter: halves!.source,
      });
      try {
        expect(network.program.precision).toBe("f16");
        const found = await network.predict(Float32Array.from(inRange));
        const wrong = inRange.filter((each, index) => {
          const expected = evaluate32(expression, [each]);
          return !isSame(found[index]!, expected, 1e-3 * Math.max(1, Math.abs(expected)));
        });
        expect(wrong).toEqual([]);
      } finally {
        network.destroy();
      }
    },
  );
});

/** Of PyTorch: values, and slopes by x and y. Functions of x alone have no pairs. */
const ORACLE = JSON.parse(
  readFileSync(new URL("../oracle/expected/special-values.json", import.meta.url), "utf8"),
) as Readonly<Record<string, readonly string[]>>;

const NUMBERS: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, "-inf": -Infinity };

/** PyTorch's exponentials less 1 and slopes of sigmoids lose what is below a rounding of 1. */
const ROUNDING = 1e-7;

const ROWS = ["value", "slope by x", "slope by y"];

test.each([...formulas, ...activations])("by the reference as in PyTorch: $name", (each) => {
  const rows = ORACLE[each.name];
  expect(rows, "needs a line in special_cases of test/oracle/make_expected.py").toBeDefined();
  const [value, ...slopes] = [each.expression, ...slopesOf(each.expression)];
  const wrong = rows!.flatMap((row, number) =>
    row.split(" ").flatMap((word, at) => {
      const pair = PAIRS[at]!.slice(0, rows!.length - 1);
      const expected = NUMBERS[word] ?? Number(word);
      const check = number === 0 ? valueIsRight : slopeIsRight(number - 1);
      const expression = number === 0 ? value : slopes[number - 1]!;
      if (check(expression, pair, expected)) return [];
      const found = evaluate32(expression, pair);
      return [`${ROWS[number]} at ${pair.join(", ")}: ${found}, expected ${expected}`];
    }),
  );
  expect(wrong).toEqual([]);
});

const valueIsRight = (expression: Expression, at: readonly number[], expected: number) =>
  isSame(evaluate32(expression, at), expected, ROUNDING);

/**
 * Slopes at NaN and infinity are left to the reference: there the value gives itself away. So does
 * a slope that is infinite or NaN. At an edge, slopes between those of both sides are right.
 */
const slopeIsRight =
  (by: number) =>
  (slope: Expression, at: readonly number[], expected: number): boolean => {
    if (!at.every(Number.isFinite)) return true;
    const found = evaluate32(slope, at);
    if (!Number.isFinite(expected)) return !Number.isFinite(found);
    const sides = [-1e-3, 1e-3].map((step) =>
      evaluate32(
        slope,
        at.map((each, index) => (index === by ? each + step : each)),
      ),
    );
    const isBetween = found >= Math.min(...sides) && found <= Math.max(...sides);
    return isBetween || isSame(found, expected, ROUNDING);
  };
