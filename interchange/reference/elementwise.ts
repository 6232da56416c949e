/** References of what treats each element by itself, with broadcasting. */
import { RefusedNode } from "../attributes.js";
import { sizeOf, type ForeignTensor } from "../foreign-graph.js";
import type { Reference, ReferenceCall } from "./reference.js";

/** An input that must be there. */
export function given({ inputs }: ReferenceCall, index: number): ForeignTensor {
  const tensor = inputs[index];
  if (!tensor) throw new RefusedNode(`its input ${index} is left out`);
  return tensor;
}

type Kind = ForeignTensor["kind"];

/** Most elements that one operator makes here: more are a mistake or an attack. */
const MOST_ELEMENTS = 2 ** 28;

export function made(kind: Kind, shape: readonly number[]): ForeignTensor {
  const size = sizeOf(shape);
  if (!(size >= 0 && size <= MOST_ELEMENTS)) {
    throw new RefusedNode(`it makes [${shape.join(", ")}], which is too large`);
  }
  return { kind, shape, values: new Float64Array(size) };
}

function mapped(tensor: ForeignTensor, compute: (x: number) => number, kind = tensor.kind) {
  return { kind, shape: tensor.shape, values: Float64Array.from(tensor.values, compute) };
}

const unary =
  (compute: (x: number) => number): Reference =>
  (call) =>
    mapped(given(call, 0), compute);

/** NumPy's rule. */
export function broadcastShape(a: readonly number[], b: readonly number[]): readonly number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [x = 1, y = 1] = [a[axis - rank + a.length], b[axis - rank + b.length]];
    if (x !== y && x !== 1 && y !== 1) {
      throw new RefusedNode(`[${a.join(", ")}] and [${b.join(", ")}] do not go together`);
    }
    return x === 1 ? y : x;
  });
}

/** The tensor's elements as they are read for an output of this shape. */
export function spread(tensor: ForeignTensor, shape: readonly number[]): ArrayLike<number> {
  if (sizeOf(shape) === tensor.values.length) return tensor.values;
  const result = new Float64Array(sizeOf(shape));
  const offset = shape.length - tensor.shape.length;
  for (let index = 0; index < result.length; index++) {
    let rest = index;
    let place = 0;
    let step = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const at = rest % shape[axis]!;
      rest = (rest - at) / shape[axis]!;
      const size = tensor.shape[axis - offset] ?? 1;
      if (size !== 1) place += at * step;
      step *= size;
    }
    result[index] = tensor.values[place]!;
  }
  return result;
}

function combined(
  a: ForeignTensor,
  b: ForeignTensor,
  compute: (x: number, y: number) => number,
  kind = a.kind,
): ForeignTensor {
  const result = made(kind, broadcastShape(a.shape, b.shape));
  const [x, y] = [spread(a, result.shape), spread(b, result.shape)];
  for (let index = 0; index < result.values.length; index++) {
    result.values[index] = compute(x[index]!, y[index]!);
  }
  return result;
}

const binary =
  (compute: (x: number, y: number) => number, kind?: Kind): Reference =>
  (call) =>
    combined(given(call, 0), given(call, 1), compute, kind);

/** Of any number of inputs. */
const folded =
  (compute: (x: number, y: number) => number): Reference =>
  (call) => {
    const [first, ...others] = call.inputs.map((_, index) => given(call, index));
    if (!first) throw new RefusedNode("it has no inputs");
    return others.reduce((total, other) => combined(total, other, compute), first);
  };

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const clamp = (x: number, least: number, most: number) => Math.min(Math.max(x, least), most);

const divide: Reference = (call) => {
  const isInteger = given(call, 0).kind !== "float";
  return binary((x, y) => (isInteger ? Math.trunc(x / y) : x / y))(call);
};

const clip: Reference = (call) => {
  const least = call.inputs[1]?.values[0] ?? -Infinity;
  const most = call.inputs[2]?.values[0] ?? Infinity;
  return mapped(given(call, 0), (x) => Math.min(Math.max(x, least), most));
};

const hardSigmoid: Reference = (call) => {
  const { attributes } = call;
  const [alpha, beta] = [attributes.number("alpha", 0.2), attributes.number("beta", 0.5)];
  return mapped(given(call, 0), (x) => clamp(alpha * x + beta, 0, 1));
};

const leakyRelu: Reference = (call) => {
  const alpha = call.attributes.number("alpha", 0.01);
  return mapped(given(call, 0), (x) => (x < 0 ? alpha * x : x));
};

const elu: Reference = (call) => {
  const alpha = call.attributes.number("alpha", 1);
  return mapped(given(call, 0), (x) => (x < 0 ? alpha * Math.expm1(x) : x));
};

const celu: Reference = (call) => {
  const alpha = call.attributes.number("alpha", 1);
  return mapped(given(call, 0), (x) => Math.max(0, x) + Math.min(0, alpha * Math.expm1(x / alpha)));
};

const selu: Reference = (call) => {
  const alpha = call.attributes.number("alpha", 1.67326319217681884765625);
  const gamma = call.attributes.number("gamma", 1.05070102214813232421875);
  return mapped(given(call, 0), (x) => gamma * (x > 0 ? x : alpha * Math.expm1(x)));
};

const gelu: Reference = (call) => {
  const isTanh = call.attributes.text("approximate", "none") === "tanh";
  const cubic = (x: number) => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
  const share = (x: number) => (isTanh ? Math.tanh(cubic(x)) : erf(x / Math.SQRT2));
  return mapped(given(call, 0), (x) => (x * (1 + share(x))) / 2);
};

/** By its series near 0, and by the continued fraction of its complement elsewhere. */
export function erf(x: number): number {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x);
  if (z < 2) {
    let term = z;
    let sum = z;
    for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction));
}

const cast: Reference = (call) => {
  const to = call.attributes.number("to", 1);
  const kind: Kind = to === 9 ? "bool" : [2, 3, 4, 5, 6, 7, 12, 13].includes(to) ? "int" : "float";
  const compute = (x: number) =>
    kind === "bool" ? Number(x !== 0) : kind === "int" ? Math.trunc(x) : x;
  return mapped(given(call, 0), compute, kind);
};

const where: Reference = (call) => {
  const [test, yes, no] = [0, 1, 2].map((index) => given(call, index)) as [
    ForeignTensor,
    ForeignTensor,
    ForeignTensor,
  ];
  const shape = broadcastShape(broadcastShape(test.shape, yes.shape), no.shape);
  const [t, y, n] = [test, yes, no].map((tensor) => spread(tensor, shape));
  const result = made(yes.kind, shape);
  result.values.forEach((_, index) => {
    result.values[index] = t![index]! !== 0 ? y![index]! : n![index]!;
  });
  return result;
};

/** value = (q - zero point) * scale, for each slice along `axis` or for all. */
const dequantize: Reference = (call) => {
  const [quantized, scale, zero] = [given(call, 0), given(call, 1), call.inputs[2]];
  const rank = quantized.shape.length;
  const named = call.attributes.number("axis", 1);
  const axis = named < 0 ? named + rank : named;
  if (call.attributes.number("block_size", 0) !== 0) {
    throw new RefusedNode("it is quantized in blocks");
  }
  const size = scale.values.length === 1 ? 1 : quantized.shape[axis];
  if (size !== scale.values.length || (zero && zero.values.length !== size)) {
    throw new RefusedNode("its scale does not fit its weights");
  }
  const inner = size === 1 ? 1 : sizeOf(quantized.shape.slice(axis + 1));
  const values = Float32Array.from(quantized.values, (q, index) => {
    const slice = size === 1 ? 0 : Math.floor(index / inner) % size;
    return (q - (zero?.values[slice] ?? 0)) * scale.values[slice]!;
  });
  return { kind: "float", shape: quantized.shape, values };
};

export const elementwise: Readonly<Record<string, Reference>> = {
  Abs: unary(Math.abs),
  Add: binary((x, y) => x + y),
  And: binary((x, y) => Number(x !== 0 && y !== 0), "bool"),
  Cast: cast,
  Ceil: unary(Math.ceil),
  Celu: celu,
  Clip: clip,
  DequantizeLinear: dequantize,
  Div: divide,
  Dropout: (call) => given(call, 0),
  SpatialDropout: (call) => given(call, 0),
  Elu: elu,
  Equal: binary((x, y) => Number(x === y), "bool"),
  Erf: unary(erf),
  Exp: unary(Math.exp),
  Floor: unary(Math.floor),
  Gelu: gelu,
  IsNaN: (call) => mapped(given(call, 0), (x) => Number(Number.isNaN(x)), "bool"),
  Greater: binary((x, y) => Number(x > y), "bool"),
  HardSigmoid: hardSigmoid,
  HardSwish: unary((x) => x * clamp(x / 6 + 0.5, 0, 1)),
  Identity: (call) => given(call, 0),
  LeakyRelu: leakyRelu,
  Less: binary((x, y) => Number(x < y), "bool"),
  LessOrEqual: binary((x, y) => Number(x <= y), "bool"),
  Log: unary(Math.log),
  Max: folded(Math.max),
  Min: folded(Math.min),
  Mish: unary((x) => x * Math.tanh(softplus(x))),
  Mul: binary((x, y) => x * y),
  Neg: unary((x) => -x),
  Not: unary((x) => Number(x === 0)),
  PRelu: binary((x, slope) => (x < 0 ? slope * x : x)),
  Or: binary((x, y) => Number(x !== 0 || y !== 0), "bool"),
  Pow: binary((x, y) => x ** y),
  Reciprocal: unary((x) => 1 / x),
  Relu: unary((x) => Math.max(x, 0)),
  Selu: selu,
  Sigmoid: unary(sigmoid),
  Silu: unary((x) => x * sigmoid(x)),
  Softplus: unary(softplus),
  Softsign: unary((x) => x / (1 + Math.abs(x))),
  Sqrt: unary(Math.sqrt),
  Sub: binary((x, y) => x - y),
  Sum: folded((x, y) => x + y),
  Tanh: unary(Math.tanh),
  Where: where,
};
