import type { CallValues } from "../../compiler/calls/signature.js";
import { shapeOf, type Feature, type Known } from "../known.js";
import { axisOf, type NodeContext } from "../node-context.js";
import { scalarOf } from "../tensors.js";
import { overRest } from "./shapes.js";
import { withoutUndefined } from "../../program/without-undefined.js";

type Mapping = (context: NodeContext) => Known;

/** An activation without settings. */
export const plain =
  (kind: string): Mapping =>
  (context) =>
    context.elementwise(kind, [context.feature(0)]);

/** Values whose f32 is the same are the same: files store settings as f32. */
export const isNear = (a: number, b: number) => Math.fround(a) === Math.fround(b);

/** A number of a file as a person would write it: the shortest that has the same f32. */
export function shortest(value: number): number {
  for (let digits = 1; digits <= 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (isNear(text, value)) return text;
  }
  return value;
}

/** `Clip`: relu and relu6 where it is one of them. Bounds are inputs 1 and 2. */
export const clip: Mapping = (context) => {
  const x = context.feature(0);
  const minimum = bound(context, 1, -Infinity);
  const maximum = bound(context, 2, Infinity);
  if (minimum === 0 && maximum === Infinity) return context.elementwise("relu", [x]);
  if (minimum === 0 && maximum === 6) return context.elementwise("relu6", [x]);
  if (minimum === -Infinity && maximum === Infinity) return x;
  const values: CallValues = withoutUndefined({
    min: minimum === -Infinity ? undefined : shortest(minimum),
    max: maximum === Infinity ? undefined : shortest(maximum),
  });
  return context.elementwise("clip", [x], values);
};

/** Bounds beyond f32's largest number do not count. */
function bound(context: NodeContext, index: number, otherwise: number): number {
  const tensor = context.optionalConstant(index, "bound");
  if (!tensor) return otherwise;
  const value = scalarOf(tensor) ?? context.refuse("its bounds differ by element");
  if (Number.isNaN(value)) context.refuse("its bounds are not numbers");
  return Math.abs(value) >= 3.4028234e38 ? Math.sign(value) * Infinity : value;
}

/** `HardSigmoid`: max(0, min(1, alpha * x + beta)), by default 0.2 and 0.5. */
export const hardSigmoid: Mapping = (context) => {
  const slope = context.attributes.number("alpha", 0.2);
  const offset = context.attributes.number("beta", 0.5);
  const values = withoutUndefined({
    slope: isNear(slope, 1 / 6) ? undefined : shortest(slope),
    offset: isNear(offset, 0.5) ? undefined : shortest(offset),
  });
  return context.elementwise("hardsigmoid", [context.feature(0)], values);
};

export const leakyRelu: Mapping = (context) => {
  const slope = shortest(context.attributes.number("alpha", 0.01));
  if (slope < 0) context.refuse(`its slope below zero is ${slope}, and netc's is at least 0`);
  return context.elementwise("leaky_relu", [context.feature(0)], { slope });
};

export const elu: Mapping = (context) => {
  const alpha = shortest(context.attributes.number("alpha", 1));
  return context.elementwise("elu", [context.feature(0)], { alpha });
};

export const celu: Mapping = (context) => {
  const alpha = shortest(context.attributes.number("alpha", 1));
  return context.elementwise("celu", [context.feature(0)], { alpha });
};

const SELU = { alpha: 1.67326319217681884765625, gamma: 1.05070102214813232421875 };

/** `Selu` with the numbers of its paper, which ONNX has by default. */
export const selu: Mapping = (context) => {
  const isPlain = (["alpha", "gamma"] as const).every((name) =>
    isNear(context.attributes.number(name, SELU[name]), SELU[name]),
  );
  if (!isPlain) context.refuse("its alpha and gamma are not those of the paper");
  return context.elementwise("selu", [context.feature(0)]);
};

/** `Gelu`: exact, or by tanh. */
export const gelu: Mapping = (context) => {
  const form = context.attributes.text("approximate", "none");
  const approximate = form === "none" ? "none" : "tanh";
  if (!["none", "tanh"].includes(form)) context.refuse(`approximate=${form} is unknown`);
  return context.elementwise("gelu", [context.feature(0)], { approximate });
};

/**
 * `Softmax` over one axis, which is moved where the channels are; with `flattens`, as before
 * opset 13, over all axes from that one on.
 */
export const softmax: Mapping = (context) => {
  const x = context.feature(0);
  const seen = shapeOf(x);
  const axis = axisOf(context.attributes.number("axis", -1), seen.length);
  const flattens = context.attributes.flag("flattens", false);
  if (!flattens || seen.slice(axis + 1).every((size) => size === 1)) {
    return context.elementwise("softmax", [context.channelsAt(x, axis)]);
  }
  return overRest(context, x, axis, (rows) => context.layer("softmax", [rows]));
};

/** `Identity`: the value itself. */
export const passes: Mapping = (context) => context.inputs[0] ?? context.refuse("it has no input");

/** Numbers of ONNX's floating-point types. */
const FLOATS = [1, 10, 11, 16];

/** `Cast`: netc computes in f32, whatever float a model casts to. */
export const cast: Mapping = (context) => {
  const to = context.attributes.number("to", 1);
  context.attributes.ignore("saturate");
  const input = context.inputs[0];
  if (input?.is === "feature" && !FLOATS.includes(to)) {
    context.refuse("it rounds a value to integers");
  }
  return input ?? context.refuse("it has no input");
};

/** Kept, because training needs it. */
const dropping =
  (settings: { readonly channels?: true }): Mapping =>
  (context) => {
    const { attributes } = context;
    attributes.ignore("seed");
    const ratio = context.optionalConstant(1, "ratio");
    const rate = shortest((ratio && scalarOf(ratio)) ?? attributes.number("ratio", 0.5));
    if (scalarOf(context.optionalConstant(2, "training mode"))) {
      context.refuse("it drops while predicting too", "export the model for inference");
    }
    const x: Feature = context.feature(0);
    return rate > 0 && rate < 1 ? context.elementwise("dropout", [x], { rate, ...settings }) : x;
  };

export const dropout = dropping({});

/** As Keras has it: whole channels. */
export const spatialDropout = dropping({ channels: true });
