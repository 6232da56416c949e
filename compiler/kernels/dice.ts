/** The soft Dice loss of logits [N, C, H, W] and labels of pixels; C or more are ignored. */
import { read, written } from "./bindings.js";
import { block, code, frame, lane, startThread, text, workgroupArray, type Code } from "./code.js";
import { defineKernel } from "./define-kernel.js";
import {
  CHANNEL,
  eachChannel,
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

const LABELS = workgroupArray("row_labels", "f32", REDUCE_WORKGROUP);
const MOST = workgroupArray("row_most", "f32", REDUCE_WORKGROUP);
const SCALES = workgroupArray("row_scales", "f32", REDUCE_WORKGROUP);
const FIRSTS = workgroupArray("row_firsts", "u32", REDUCE_WORKGROUP);

/**
 * sums: [N, H, 2 C]. A workgroup a row: its lanes take the softmax of as many pixels at a time, and
 * then each sums its own classes, so that no two write to one place.
 */
export const diceSums = defineKernel("dice_sums", () => ({
  summary: "By row and class, probabilities of its pixels, and of all pixels with their number.",
  bindings: { input: read("f32"), labels: read("u32"), sums: written("f32") },
  constants: { ...PIXELS, sums: "place" } as const,
  lanes: REDUCE_WORKGROUP,
  body: ({ io, k }) => {
    const own = code`place + channel`;
    const all = code`place + ${k.channels} + channel`;
    const soFar = (at: Code) => code`select(${io.sums.load(at)}, 0.0, start == 0u)`;
    const logit = io.input.load(code`${FIRST} + ${CHANNEL}`);
    return code`
      ${rowStart(k)}
      let place = ${k.sums.at(IMAGE, text("0u"), Y)};
      for (var start = 0u; start < ${k.width}; start += ${REDUCE_LANES}) {
        let x = start + ${lane};
        workgroupBarrier();
        ${LABELS}[${lane}] = -1.0;
        if (x < ${k.width}) {
          ${pixelStart(k, io.labels)}
          if (label < ${k.channels}) {
            ${exponentials(k.channels, logit)}
            ${LABELS}[${lane}] = f32(label);
            ${MOST}[${lane}] = most;
            ${SCALES}[${lane}] = 1.0 / exponentials;
            ${FIRSTS}[${lane}] = ${FIRST};
          }
        }
        workgroupBarrier();
        for (var channel = ${lane}; channel < ${k.channels}; channel += ${REDUCE_LANES}) {
          var both = 0f;
          var either = 0f;
          for (var other = 0u; other < ${REDUCE_LANES}; other++) {
            if (${LABELS}[other] < 0.0) {
              continue;
            }
            let value = ${io.input.load(code`${FIRSTS}[other] + ${CHANNEL}`)};
            let probability = exp(value - ${MOST}[other]) * ${SCALES}[other];
            let is_label = select(0.0, 1.0, ${LABELS}[other] == f32(channel));
            both += is_label * probability;
            either += is_label + probability;
          }
          ${io.sums.store(own, code`${soFar(own)} + both`)}
          ${io.sums.store(all, code`${soFar(all)} + either`)}
        }
      }`;
  },
}));

/** result: [N, C, H, W], 0 at ignored pixels. A thread a pixel. */
export const diceSumsGradient = defineKernel("dice_sums_gradient", () => ({
  summary: "What the gradient of such sums makes of the logits.",
  bindings: {
    input: read("f32"),
    labels: read("u32"),
    slopes: read("f32"),
    result: written("f32"),
  },
  constants: { ...PIXELS, slopes: "place", result: "place" } as const,
  lanes: REDUCE_WORKGROUP,
  body: ({ io, k }) => {
    const logit = io.input.load(code`${FIRST} + ${CHANNEL}`);
    const pixels = code`(${k.width} * ${k.height})`;
    const store = (value: Code) => io.result.store(code`place + ${CHANNEL}`, value);
    const slope = code`
      select(0.0, ${io.slopes.load(code`row + ${CHANNEL}`)}, channel == label)
        + ${io.slopes.load(code`row + ${k.channels} + ${CHANNEL}`)}`;
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
      let row = ${k.slopes.at(IMAGE, text("0u"), Y)};
      var mean = 0f;
      ${eachChannel(k.channels)} {
        mean += exp(${logit} - most) / exponentials * (${slope});
      }
      ${eachChannel(k.channels)} {
        let probability = exp(${logit} - most) / exponentials;
        ${store(code`probability * (${slope} - mean)`)}
      }`;
  },
}));

const SUMS = { rows: "u32", classes: "u32", smoothness: "f32", sums: "place" } as const;

/** `both` and `either` of a class over the rows of an image. */
const classSums = (
  k: Readonly<Record<"rows" | "classes", Code>> & {
    readonly sums: { readonly at: (image: Code, y: Code, x: Code) => Code };
  },
  load: (at: Code) => Code,
): Code => code`
  var both = 0f;
  var either = 0f;
  for (var row = 0u; row < ${k.rows}; row++) {
    let at = ${k.sums.at(block, text("0u"), text("row"))};
    both += ${load(code`at + class_index`)};
    either += ${load(code`at + ${k.classes} + class_index`)};
  }`;

const eachClass = (classes: Code): Code =>
  code`for (var class_index = ${lane}; class_index < ${classes}; class_index += ${REDUCE_LANES})`;

/** losses: [N]. A workgroup an example. */
export const dice = defineKernel("dice", () => ({
  summary: "One minus the mean overlap of the classes, of one example a workgroup.",
  bindings: { sums: read("f32"), losses: written("f32") },
  constants: SUMS,
  lanes: REDUCE_WORKGROUP,
  declarations: [SUM],
  body: ({ io, k }) => code`
    if (${block} >= ${frame.batch}) {
      return;
    }
    var sum = 0f;
    ${eachClass(k.classes)} {
      ${classSums(k, io.sums.load)}
      sum += (2.0 * both + ${k.smoothness}) / (either + ${k.smoothness});
    }
    sum = ${SUM}(sum, ${lane});
    if (${lane} == 0u) {
      ${io.losses.store(block, code`1.0 - sum / f32(${k.classes})`)}
    }`,
}));

/** result: [N, H, 2 C], the same in each row. A workgroup an example. */
export const diceGradient = defineKernel("dice_gradient", () => ({
  summary: "The gradient of the mean Dice loss with regard to its sums.",
  bindings: { sums: read("f32"), result: written("f32") },
  constants: { ...SUMS, weight: "f32", result: "place" } as const,
  lanes: REDUCE_WORKGROUP,
  body: ({ io, k }) => code`
    if (${block} >= ${frame.batch}) {
      return;
    }
    let share = ${k.weight} / f32(${frame.step_images} * ${k.classes});
    ${eachClass(k.classes)} {
      ${classSums(k, io.sums.load)}
      let scale = share / (either + ${k.smoothness});
      let overlap = (2.0 * both + ${k.smoothness}) / (either + ${k.smoothness});
      for (var row = 0u; row < ${k.rows}; row++) {
        let place = ${k.result.at(block, text("0u"), text("row"))};
        ${io.result.store(code`place + class_index`, code`-2.0 * scale`)}
        ${io.result.store(code`place + ${k.classes} + class_index`, code`scale * overlap`)}
      }
    }`,
}));
