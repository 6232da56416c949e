/** Scores of logits [N, C, H, W] against labels of pixels; those of C or more are ignored. */
import { read, type Stored, written } from "./bindings.js";
import {
  classTotal,
  code,
  frame,
  helper,
  lane,
  LOWEST,
  startThread,
  text,
  workgroupArray,
  type Code,
} from "./code.js";
import type { PlaceCode } from "./constants.js";
import { defineKernel } from "./define-kernel.js";
import { isNotFinite } from "./not-a-number.js";
import {
  CHANNEL,
  eachChannel,
  eachPixel,
  exponentials,
  FIRST,
  IMAGE,
  PIXELS,
  pixelStart,
  rowStart,
  X,
  Y,
} from "./pixel-logits.js";
import { splitPixel } from "./pixels.js";
import { REDUCE_LANES, REDUCE_WORKGROUP, SUM } from "./reduce.js";

/** What the pixels of a loss are weighed by; `weightedClasses`: 0 if all classes count equally. */
export interface PixelLossVariant {
  readonly weightedClasses: number;
  /** Whether pixels count more the less probable their label is. */
  readonly isFocal: boolean;
}

const lossConstants = ({ weightedClasses, isFocal }: PixelLossVariant) =>
  ({
    class_weights: weightedClasses > 0 ? { table: weightedClasses } : undefined,
    ...PIXELS,
    smoothing: "f32",
    focus: isFocal ? "f32" : undefined,
  }) as const;

/** What class `channel` counts in the loss of a pixel with a label. */
function targetOf(
  { smoothing, channels }: Readonly<Record<"smoothing" | "channels", Code>>,
  weightOf: ((at: Code) => Code) | undefined,
) {
  const ofLabel = code`select(0.0, 1.0 - ${smoothing}, channel == label)`;
  const given = code`${ofLabel} + ${smoothing} / f32(${channels})`;
  return helper(
    "target_of",
    code`
      fn target_of(channel: u32, label: u32) -> f32 {
        return ${weightOf ? code`${weightOf(CHANNEL)} * (${given})` : given};
      }`,
  );
}

const suffixOf = ({ weightedClasses, isFocal }: PixelLossVariant) =>
  `${isFocal ? "_focal" : ""}${weightedClasses > 0 ? `_weighted${weightedClasses}` : ""}`;

/**
 * Of a pixel's label: `logarithm` of its probability, `rest`, the probability of all others, and
 * `focused`, which is the rest to the power of the focus.
 */
const focused = (channels: Code, logit: Code, focus: Code): Code => code`
  var others = 0f;
  var own = 0f;
  ${eachChannel(channels)} {
    let power = exp(${logit} - most);
    others += select(power, 0.0, channel == label);
    own += select(0.0, ${logit} - most, channel == label);
  }
  let logarithm = own - log(exponentials);
  let rest = others / exponentials;
  let focused = select(0.0, pow(rest, ${focus}), rest > 0.0);`;

/**
 * What the focus makes of a pixel's gradient: the focus depends on the probability, too.
 * log(p) / (1 - p) is -1 - (1 - p) / 2 - ... near p = 1, where the quotient has few digits.
 */
const focusedGradient = (focus: Code): Code => code`
  let ratio = select(logarithm / rest, -1.0 - 0.5 * rest, rest < 0.001);
  let factor = focused * (1.0 - ${focus} * (1.0 - rest) * ratio);`;

/** Adds up the lanes' `sum` of a row, for [N, H]. */
const storeSum = (sums: Stored, place: PlaceCode): Code => code`
  sum = ${SUM}(sum, ${lane});
  if (${lane} == 0u) {
    ${sums.store(code`${place.at(IMAGE, text("0u"), text("0u"))} + ${Y}`, code`sum`)}
  }`;

/** losses: [N, H]. A workgroup a row. */
export const pixelLoss = defineKernel("pixel_loss", (variant: PixelLossVariant) => ({
  suffix: suffixOf(variant),
  summary: "Cross-entropy of each pixel, summed over rows.",
  bindings: { input: read("f32"), labels: read("u32"), losses: written("f32") },
  constants: { ...lossConstants(variant), losses: "place" } as const,
  lanes: REDUCE_WORKGROUP,
  declarations: [SUM],
  body: ({ io, k }) => {
    const logit = io.input.load(code`${FIRST} + ${CHANNEL}`);
    const target = targetOf(k, k.class_weights);
    const counted = k.focus ? code`focused * ${target}` : target;
    return code`
      ${rowStart(k)}
      var sum = 0f;
      ${eachPixel(k.width)} {
        ${pixelStart(k, io.labels)}
        if (label < ${k.channels}) {
          ${exponentials(k.channels, logit)}
          let scale = log(exponentials);
          ${k.focus && focused(k.channels, logit, k.focus)}
          ${eachChannel(k.channels)} {
            sum += ${counted}(channel, label) * (scale + most - ${logit});
          }
        }
      }
      ${storeSum(io.losses, k.losses)}`;
  },
}));

export interface PixelGradientVariant extends PixelLossVariant {
  /** How many totals the frame has. */
  readonly totals: number;
}

/** result: [N, C, H, W], 0 at ignored pixels. A thread a pixel. */
export const pixelLossGradient = defineKernel(
  "pixel_loss_gradient",
  (variant: PixelGradientVariant) => ({
    suffix: `${suffixOf(variant)}${variant.totals > 4 ? `_of_${variant.totals}_totals` : ""}`,
    summary: "The gradient of the mean cross-entropy of pixels.",
    bindings: { input: read("f32"), labels: read("u32"), result: written("f32") },
    constants: {
      ...lossConstants(variant),
      weight: "f32",
      total: "u32",
      result: "place",
    } as const,
    lanes: REDUCE_WORKGROUP,
    body: ({ io, k }) => {
      const logit = io.input.load(code`${FIRST} + ${CHANNEL}`);
      const target = targetOf(k, k.class_weights);
      const weight = k.focus ? code`factor * ${k.weight}` : k.weight;
      const pixels = code`(${k.width} * ${k.height})`;
      const store = (value: Code) => io.result.store(code`place + ${CHANNEL}`, value);
      return code`
        ${startThread(REDUCE_WORKGROUP)}
        if (thread >= ${frame.batch} * ${pixels}) {
          return;
        }
        ${splitPixel(code`thread`, { pixels, width: k.width })}
        ${pixelStart(k, io.labels)}
        let place = ${k.result.at(IMAGE, Y, X)};
        if (label >= ${k.channels}) {
          ${eachChannel(k.channels)} {
            ${store(code`0.0`)}
          }
          return;
        }
        ${exponentials(k.channels, logit)}
        var mass = 0f;
        ${eachChannel(k.channels)} {
          mass += ${target}(channel, label);
        }
        ${k.focus && [focused(k.channels, logit, k.focus), focusedGradient(k.focus)]}
        let share = ${weight} / ${classTotal(variant.totals, k.total)};
        ${eachChannel(k.channels)} {
          let probability = exp(${logit} - most) / exponentials;
          ${store(code`share * (mass * probability - ${target}(channel, label))`)}
        }`;
    },
  }),
);

/**
 * `predicted`: the class of the largest logit, the first of equal ones; as many as there are
 * classes where a logit is not finite.
 */
const predicted = (channels: Code, logit: Code): Code => code`
  var predicted = 0u;
  var most = ${LOWEST};
  var is_unfit = false;
  ${eachChannel(channels)} {
    let value = ${logit};
    is_unfit = is_unfit || ${isNotFinite(code`value`)};
    if (value > most) {
      most = value;
      predicted = channel;
    }
  }
  predicted = select(predicted, ${channels}, is_unfit);`;

/** hits: [N, H]. A workgroup a row. */
export const pixelHits = defineKernel("pixel_hits", () => ({
  summary: "Pixels whose label has the largest logit, counted by row.",
  bindings: { input: read("f32"), labels: read("u32"), hits: written("f32") },
  constants: { ...PIXELS, hits: "place" } as const,
  lanes: REDUCE_WORKGROUP,
  declarations: [SUM],
  body: ({ io, k }) => code`
    ${rowStart(k)}
    var sum = 0f;
    ${eachPixel(k.width)} {
      ${pixelStart(k, io.labels)}
      ${predicted(k.channels, io.input.load(code`${FIRST} + ${CHANNEL}`))}
      sum += select(0.0, 1.0, label < ${k.channels} && label == predicted);
    }
    ${storeSum(io.hits, k.hits)}`,
}));

/** hits: [N, H]. A workgroup a row. Equal logits count in the order of their classes. */
export const pixelTopHits = defineKernel("pixel_top_hits", () => ({
  summary: "Pixels whose label is among the k largest logits, counted by row.",
  bindings: { input: read("f32"), labels: read("u32"), hits: written("f32") },
  constants: { ...PIXELS, k: "u32", hits: "place" } as const,
  lanes: REDUCE_WORKGROUP,
  declarations: [SUM],
  body: ({ io, k }) => {
    const logit = io.input.load(code`${FIRST} + ${CHANNEL}`);
    return code`
      ${rowStart(k)}
      var sum = 0f;
      ${eachPixel(k.width)} {
        ${pixelStart(k, io.labels)}
        if (label < ${k.channels}) {
          let own = ${io.input.load(code`${FIRST} + label`)};
          var before = 0u;
          var is_unfit = false;
          ${eachChannel(k.channels)} {
            let value = ${logit};
            is_unfit = is_unfit || ${isNotFinite(code`value`)};
            before += u32(value > own || (value == own && channel < label));
          }
          sum += select(0.0, 1.0, before < ${k.k} && !is_unfit);
        }
      }
      ${storeSum(io.hits, k.hits)}`;
  },
}));

const LABELS = workgroupArray("row_labels", "f32", REDUCE_WORKGROUP);
const PREDICTED = workgroupArray("row_predicted", "f32", REDUCE_WORKGROUP);

/**
 * overlaps: [N, H, 2 C]. A workgroup a row: its lanes predict as many pixels at a time, and then
 * each counts its own classes, so that no two write to one place.
 */
export const pixelOverlaps = defineKernel("pixel_overlaps", () => ({
  summary: "By row and class, pixels with a class as label and prediction, and as either.",
  bindings: { input: read("f32"), labels: read("u32"), overlaps: written("f32") },
  constants: { ...PIXELS, overlaps: "place" } as const,
  lanes: REDUCE_WORKGROUP,
  body: ({ io, k }) => {
    const own = code`place + channel`;
    const union = code`place + ${k.channels} + channel`;
    const soFar = (at: Code) => code`select(${io.overlaps.load(at)}, 0.0, start == 0u)`;
    return code`
      ${rowStart(k)}
      let place = ${k.overlaps.at(IMAGE, text("0u"), Y)};
      for (var start = 0u; start < ${k.width}; start += ${REDUCE_LANES}) {
        let x = start + ${lane};
        workgroupBarrier();
        ${LABELS}[${lane}] = -1.0;
        ${PREDICTED}[${lane}] = -1.0;
        if (x < ${k.width}) {
          ${pixelStart(k, io.labels)}
          if (label < ${k.channels}) {
            ${predicted(k.channels, io.input.load(code`${FIRST} + ${CHANNEL}`))}
            ${LABELS}[${lane}] = f32(label);
            ${PREDICTED}[${lane}] = f32(predicted);
          }
        }
        workgroupBarrier();
        for (var channel = ${lane}; channel < ${k.channels}; channel += ${REDUCE_LANES}) {
          var both = 0f;
          var either = 0f;
          for (var other = 0u; other < ${REDUCE_LANES}; other++) {
            let is_label = ${LABELS}[other] == f32(channel);
            let is_predicted = ${PREDICTED}[other] == f32(channel);
            both += select(0.0, 1.0, is_label && is_predicted);
            either += select(0.0, 1.0, is_label || is_predicted);
          }
          ${io.overlaps.store(own, code`${soFar(own)} + both`)}
          ${io.overlaps.store(union, code`${soFar(union)} + either`)}
        }
      }`;
  },
}));
