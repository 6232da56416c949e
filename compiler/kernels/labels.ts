/** Labels as numbers, and means over the pixels that have one. */
import { read, written } from "./bindings.js";
import { classTotal, code, frame, lane, startThread, text } from "./code.js";
import { defineKernel } from "./define-kernel.js";
import { CHANNEL, eachChannel, eachPixel, IMAGE, PIXELS, rowStart, X, Y } from "./pixel-logits.js";
import { splitPixel } from "./pixels.js";
import { defineQuads, sizes } from "./quads.js";
import { REDUCE_WORKGROUP, SUM } from "./reduce.js";

/** No channel's number. */
const NO_CHANNEL = text("0xffffffffu");

/** `rows` of an image; a label for each image has one. */
export const oneHot = defineQuads("one_hot", () => ({
  summary: "1 in the channel of each label's class.",
  bindings: { labels: read("u32") },
  constants: { rows: "u32", own_channels: "u32" } as const,
  value: ({ io, k }) => code`
    let label = ${io.labels.load(code`(image * ${k.rows} + y) * ${sizes.width} + x`)};
    let own = select(${NO_CHANNEL}, label, label < ${k.own_channels});
    let channels = vec4u(4u * quad) + vec4u(0u, 1u, 2u, 3u);
    let value = select(vec4f(0), vec4f(1), channels == vec4u(own));`,
}));

const label = code`(${IMAGE} * height + ${Y}) * width + ${X}`;

/** sums: [N, H]. A workgroup a row. */
export const labelMean = defineKernel("label_mean", () => ({
  summary: "Means over channels of the pixels that have a label, summed over rows.",
  bindings: { input: read("f32"), labels: read("u32"), sums: written("f32") },
  constants: { ...PIXELS, classes: "u32", sums: "place" } as const,
  lanes: REDUCE_WORKGROUP,
  declarations: [SUM],
  body: ({ io, k }) => code`
    ${rowStart(k)}
    let height = ${k.height};
    let width = ${k.width};
    var sum = 0f;
    ${eachPixel(k.width)} {
      if (${io.labels.load(label)} < ${k.classes}) {
        let first = ${k.input.at(IMAGE, Y, X)};
        ${eachChannel(k.channels)} {
          sum += ${io.input.load(code`first + ${CHANNEL}`)};
        }
      }
    }
    sum = ${SUM}(sum, ${lane});
    if (${lane} == 0u) {
      let mean = sum / f32(${k.channels});
      ${io.sums.store(code`${k.sums.at(IMAGE, text("0u"), text("0u"))} + ${Y}`, code`mean`)}
    }`,
}));

/** result: [N, K, H, W], 0 at ignored pixels. A thread a pixel; `totals` of the frame. */
export const labelMeanGradient = defineKernel("label_mean_gradient", (totals: number) => ({
  suffix: totals > 4 ? `_of_${totals}_totals` : "",
  summary: "The gradient of a mean over the pixels that have a label.",
  bindings: { labels: read("u32"), result: written("f32") },
  constants: {
    height: "u32",
    width: "u32",
    channels: "u32",
    classes: "u32",
    weight: "f32",
    total: "u32",
    result: "place",
  } as const,
  lanes: REDUCE_WORKGROUP,
  body: ({ io, k }) => code`
    ${startThread(REDUCE_WORKGROUP)}
    let height = ${k.height};
    let width = ${k.width};
    if (thread >= ${frame.batch} * height * width) {
      return;
    }
    ${splitPixel(code`thread`, { pixels: code`(height * width)`, width: code`width` })}
    let share = ${k.weight} / (f32(${k.channels}) * ${classTotal(totals, k.total)});
    let slope = select(0.0, share, ${io.labels.load(label)} < ${k.classes});
    let place = ${k.result.at(IMAGE, Y, X)};
    ${eachChannel(k.channels)} {
      ${io.result.store(code`place + ${CHANNEL}`, code`slope`)}
    }`,
}));
