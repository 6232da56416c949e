/** Reductions over a workgroup, and kernels of which each workgroup makes one. */
import type { Expression } from "../ir/expression.js";
import { ioOf, read, written, type Binding, type Stored } from "./bindings.js";
import {
  block,
  code,
  frame,
  helper,
  lane,
  lanesNamed,
  local,
  locals,
  LOWEST,
  named,
  offset,
  text,
  times,
  workgroupArray,
  type Code,
  type Declared,
} from "./code.js";
import { constantCode, type PlaceCode } from "./constants.js";
import { defineKernel } from "./define-kernel.js";
import { describe, expressionDeclarations, print } from "./expression.js";
import { gradientSink, type GradientUse } from "./gradient-sink.js";
import { isNotFinite, LARGER, largerOf, nanWhere, OR_NAN } from "./not-a-number.js";
import { placeName, splitPixel } from "./pixels.js";

/** Lanes that share a reduction. */
export const REDUCE_WORKGROUP = 64;

/** The same in WGSL. */
export const REDUCE_LANES = lanesNamed(REDUCE_WORKGROUP);

/**
 * Combines the lanes' values over the workgroup, in the order of the lanes; every lane gets the
 * result. Each lane reads all values, which takes a GPU no longer than the six barriers of a tree,
 * and software adapters compile barriers slowly.
 */
function reduction(
  name: string,
  type: "f32" | "vec4f",
  combine: (a: Code, b: Code) => Code,
): Declared {
  const [own, element] = [text(name), text(type)];
  const partial = workgroupArray(`partial_${name}`, type, REDUCE_WORKGROUP);
  return helper(
    name,
    code`
    fn ${own}(value: ${element}, lane: u32) -> ${element} {
      workgroupBarrier();
      ${partial}[lane] = value;
      workgroupBarrier();
      var result = ${partial}[0];
      for (var other = 1u; other < ${REDUCE_LANES}; other++) {
        result = ${combine(code`result`, code`${partial}[other]`)};
      }
      return result;
    }`,
  );
}

const plus = (a: Code, b: Code): Code => code`${a} + ${b}`;
/** `total(value, lane)`. */
export const SUM = reduction("total", "f32", plus);
/** `total4(value, lane)`. */
export const SUM4 = reduction("total4", "vec4f", plus);
/** `largest(value, lane)`; NaN may be passed over. */
export const MAX = reduction("largest", "f32", (a, b) => code`max(${a}, ${b})`);
/** `largest(value, lane)`, NaN where a value is. */
const MAX_OR_NAN = reduction("largest", "f32", largerOf);

/**
 * Values of a lane that are summed by themselves: of a single sum of all of them, the last digits
 * would be lost.
 */
const PART_TURNS = 64;

/**
 * Bias gradient: the sum over batch and space of each channel. One workgroup a channel quad.
 * Result: [C].
 */
const pixelsOf = ({ pixels }: { readonly pixels: Code }) => code`${frame.batch} * ${pixels}`;

export const channelSum = defineKernel("channel_sum", (use: GradientUse) => {
  const sink = gradientSink(use);
  return {
    suffix: sink.suffix,
    summary: "Sum over batch and space for each channel: the gradient of a bias.",
    bindings: { input: read("vec4f") },
    constants: { pixels: "u32", width: "u32", input: "place" },
    fragments: [sink],
    lanes: REDUCE_WORKGROUP,
    declarations: [SUM4],
    body: ({ io, k }) => code`
      var sum = vec4f(0);
      var part = vec4f(0);
      var turn = 0u;
      for (var pixel = ${lane}; pixel < ${pixelsOf(k)}; pixel += ${REDUCE_LANES}) {
        ${splitPixel(code`pixel`, k)}
        part += ${io.input.load(code`${k.input.at(IMAGE, Y, X)} + ${block}`)};
        turn++;
        if (turn % ${named("PART_TURNS", PART_TURNS)} == 0u) {
          sum += part;
          part = vec4f(0);
        }
      }
      let sums = ${SUM4}(sum + part, ${lane});
      if (${lane} == 0u) {
        ${sink.use(block, code`sums`)}
      }`,
  };
});

const [IMAGE, Y, X] = [code`image`, code`y`, code`x`];

/**
 * Sums over the images of several [N] values, and how many images have one that is not finite. A
 * slice adds its own to the earlier ones'. In sums of shares, what is not finite counts as 0. One
 * workgroup. sums: from `at` on, and the number at `unfit_at`.
 */
export const batchSums = defineKernel("batch_sums", (values: number) => ({
  suffix: `_${values}`,
  summary: "Sums over the batch: the loss and the metrics.",
  bindings: { ...inputsOf(values), sums: written("f32") },
  constants: { at: "u32", unfit_at: "u32", ...flagsOf(values) },
  lanes: REDUCE_WORKGROUP,
  declarations: [SUM],
  body: ({ io, k }) => {
    const inputs = ioOf(inputsOf(values));
    const flags = constantCode(flagsOf(values));
    const takeIn = (index: number) => {
      const [value, isUnfit] = [local("value", index), local("is_unfit", index)];
      const isShare = flags[`share${index}`]!;
      return code`
        let ${value} = ${inputs[`values${index}`]!.load(code`image`)};
        let ${isUnfit} = ${isNotFinite(value)};
        is_unfit = is_unfit || ${isUnfit};
        ${local("sum", index)} += select(${value}, 0.0, ${isUnfit} && ${isShare} != 0u);`;
    };
    const addUp = addUpTo(io.sums);
    return code`
      var unfit = 0f;
      ${locals("sum", values).map((sum) => code`var ${sum} = 0f;`)}
      for (var image = ${lane}; image < ${frame.batch}; image += ${REDUCE_LANES}) {
        var is_unfit = false;
        ${times(values, takeIn)}
        unfit += select(0.0, 1.0, is_unfit);
      }
      ${locals("sum", values).map((sum, index) => {
        return code`${addUp}(${offset(k.at, index)}, ${sum}, ${lane});`;
      })}
      ${addUp}(${k.unfit_at}, unfit, ${lane});`;
  },
}));

const inputsOf = (values: number) =>
  Object.fromEntries(times(values, (index) => [`values${index}`, read("f32")])) as Readonly<
    Record<`values${number}`, Binding<"read">>
  >;

const flagsOf = (values: number) =>
  Object.fromEntries(times(values, (index) => [`share${index}`, "u32"])) as Readonly<
    Record<`share${number}`, "u32">
  >;

const soFar = (sums: Stored) => code`select(${sums.load(AT)}, 0.0, ${frame.is_first_slice} != 0u)`;

const addUpTo = (sums: Stored) =>
  helper(
    "add_up",
    code`
      fn add_up(at: u32, part: f32, lane: u32) {
        let sum = ${SUM}(part, lane);
        if (lane == 0u) {
          ${sums.store(AT, code`${soFar(sums)} + sum`)}
        }
      }`,
  );

const AT = code`at`;

/** The sums over each example's channels. sums: [N]. A workgroup an example. */
export const exampleSum = defineKernel("example_sum", () => ({
  summary: "The sum of each example's elements.",
  bindings: { input: read("f32"), sums: written("f32") },
  constants: { channels: "u32", input: "place" },
  lanes: REDUCE_WORKGROUP,
  declarations: [SUM],
  body: ({ io, k }) => code`
    if (${block} >= ${frame.batch}) {
      return;
    }
    let first = ${k.input.at(block, code`0u`, code`0u`)};
    var sum = 0f;
    ${channelLoop(k.channels)} {
      sum += ${io.input.load(code`first + channel`)};
    }
    sum = ${SUM}(sum, ${lane});
    if (${lane} == 0u) {
      ${io.sums.store(block, code`sum`)}
    }`,
}));

/**
 * Sums over batch and rows of each channel. A slice adds its own to the earlier ones'. sums: from
 * `at` on. A workgroup a channel.
 */
export const rowSums = defineKernel("row_sums", () => ({
  summary: "Sums over batch and rows of each channel: metrics by class.",
  bindings: { input: read("f32"), sums: written("f32") },
  constants: { rows: "u32", input: "place", at: "u32" },
  lanes: REDUCE_WORKGROUP,
  declarations: [SUM],
  body: ({ io, k }) => code`
    var sum = 0f;
    for (var row = ${lane}; row < ${frame.batch} * ${k.rows}; row += ${REDUCE_LANES}) {
      let image = row / ${k.rows};
      let first = ${k.input.at(IMAGE, code`0u`, code`row % ${k.rows}`)};
      sum += ${io.input.load(code`first + ${block}`)};
    }
    ${addUpTo(io.sums)}(${k.at} + ${block}, sum, ${lane});`,
}));

const ELEMENTS = { pixels: "u32", width: "u32", channels: "u32" } as const;

/**
 * The mean over an example's elements of an expression of prediction and target, NaN where an
 * element of the prediction is not finite. A workgroup an example. losses: [N].
 */
export const elementLoss = defineKernel("loss", (expression: Expression) => ({
  suffix: `_${describe(expression)}`,
  summary: "A loss of each element, averaged over an example's.",
  bindings: { predictions: read("f32"), targets: read("f32"), losses: written("f32") },
  constants: { ...ELEMENTS, predictions: "place", targets: "place" },
  lanes: REDUCE_WORKGROUP,
  declarations: [SUM, ...expressionDeclarations([expression])],
  body: ({ io, k }) => {
    const elements = [
      io.predictions.load(code`${k.predictions.at(IMAGE, Y, X)} + channel`),
      io.targets.load(code`${k.targets.at(IMAGE, Y, X)} + channel`),
    ] as const;
    const store = (mean: Code) => io.losses.store(IMAGE, mean);
    return meanOfElements(expression, { k, elements, store });
  },
}));

/** The same of an expression of the prediction alone. */
export const elementMean = defineKernel("mean_loss", (expression: Expression) => ({
  suffix: `_${describe(expression)}`,
  summary: "A function of each element, averaged over an example's.",
  bindings: { predictions: read("f32"), losses: written("f32") },
  constants: { ...ELEMENTS, predictions: "place" },
  lanes: REDUCE_WORKGROUP,
  declarations: [SUM, ...expressionDeclarations([expression])],
  body: ({ io, k }) => {
    const elements = [
      io.predictions.load(code`${k.predictions.at(IMAGE, Y, X)} + channel`),
    ] as const;
    const store = (mean: Code) => io.losses.store(IMAGE, mean);
    return meanOfElements(expression, { k, elements, store });
  },
}));

interface MeanOfElements {
  readonly k: Readonly<Record<keyof typeof ELEMENTS, Code>>;
  /** Prediction and target at `channel` of `y` and `x`. */
  readonly elements: readonly [prediction: Code, target?: Code];
  readonly store: (mean: Code) => Code;
}

function meanOfElements(expression: Expression, { k, elements, store }: MeanOfElements): Code {
  const value = print(expression, {
    type: "f32",
    operand: (index) => elements[index as 0 | 1]!,
    channel: () => {
      throw new Error("a loss reads no channel operands");
    },
    counter: () => code`0u`,
  });
  return code`
      let image = ${block};
      if (image >= ${frame.batch}) {
        return;
      }
      let elements = ${k.pixels} * ${k.channels};
      var sum = 0f;
      var is_unfit = false;
      for (var element = ${lane}; element < elements; element += ${REDUCE_LANES}) {
        let channel = element % ${k.channels};
        let pixel = element / ${k.channels};
        let y = pixel / ${k.width};
        let x = pixel % ${k.width};
        is_unfit = is_unfit || ${isNotFinite(elements[0])};
        sum += ${value};
      }
      sum = ${SUM}(${nanWhere(code`is_unfit`, code`sum`)}, ${lane});
      if (${lane} == 0u) {
        ${store(code`sum / f32(elements)`)}
      }`;
}

/** The loop over a pixel's channels, as far as its head. */
export const channelLoop = (channels: Code): Code =>
  code`for (var channel = ${lane}; channel < ${channels}; channel += ${REDUCE_LANES})`;

/** Constants of kernels that have a workgroup for each pixel. */
export const ROWS = { pixels: "u32", width: "u32", channels: "u32" } as const;

/**
 * Where a pixel's values begin, at `NAME_place` of each activation. A workgroup a pixel; channels
 * in scalars, since their count need not be a multiple of 4.
 */
export const rowStart = (
  k: Readonly<Record<keyof typeof ROWS, Code>>,
  places: Readonly<Record<string, PlaceCode>>,
): readonly Code[] => [
  code`
    if (${block} >= ${frame.batch} * ${k.pixels}) {
      return;
    }`,
  ...splitPixel(block, k),
  ...Object.entries(places).map(
    ([name, place]) => code`let ${placeName(name)} = 4u * ${place.at(IMAGE, Y, X)};`,
  ),
];

/** Where the channel of a row's activation lies. */
export const channelOf = (name: string): Code => code`${placeName(name)} + channel`;

/** Softmax over channels, with the row's maximum subtracted. */
export const softmax = defineKernel("softmax", () => ({
  summary: "Softmax over channels.",
  bindings: { input: read("f32"), result: written("f32") },
  constants: { ...ROWS, input: "place", result: "place" },
  lanes: REDUCE_WORKGROUP,
  declarations: [OR_NAN, LARGER, MAX_OR_NAN, SUM],
  body: ({ io, k }) => {
    const channels = channelLoop(k.channels);
    const value = io.input.load(channelOf("input"));
    return code`
      ${rowStart(k, { input: k.input, result: k.result })}
      // The largest: less it, no exponential overflows.
      var most = ${LOWEST};
      ${channels} {
        most = ${largerOf(code`most`, value)};
      }
      most = ${MAX_OR_NAN}(most, ${lane});
      var sum = 0f;
      ${channels} {
        sum += exp(${value} - most);
      }
      sum = ${SUM}(sum, ${lane});
      ${channels} {
        ${io.result.store(channelOf("result"), code`exp(${value} - most) / sum`)}
      }`;
  },
}));

/** dx = y * (dy - sum(dy * y)). */
export const softmaxGradient = defineKernel("softmax_gradient", () => ({
  summary: "Softmax, gradient: y * (dy - sum(dy * y)).",
  bindings: { input: read("f32"), gradient: read("f32"), result: written("f32") },
  constants: { ...ROWS, input: "place", gradient: "place", result: "place" },
  lanes: REDUCE_WORKGROUP,
  body: ({ io, k }) => {
    const channels = channelLoop(k.channels);
    const [value, gradient] = [
      io.input.load(channelOf("input")),
      io.gradient.load(channelOf("gradient")),
    ];
    return code`
      ${rowStart(k, { input: k.input, gradient: k.gradient, result: k.result })}
      var sum = 0f;
      ${channels} {
        sum += ${value} * ${gradient};
      }
      sum = ${SUM}(sum, ${lane});
      ${channels} {
        ${io.result.store(channelOf("result"), code`${value} * (${gradient} - sum)`)}
      }`;
  },
}));
