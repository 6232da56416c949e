/** The loss of a grid of boxes: [N, 5 + C, H, W] against [N, M, 5] (ops/detection.ts). */
import { read, written } from "./bindings.js";
import { block, code, frame, helper, lane, startThread, text, type Code } from "./code.js";
import { defineKernel } from "./define-kernel.js";
import { LOWEST } from "./code.js";
import { splitPixel } from "./pixels.js";
import { REDUCE_LANES, REDUCE_WORKGROUP, SUM } from "./reduce.js";

const GRID = {
  width: "u32",
  height: "u32",
  classes: "u32",
  most: "u32",
  coord: "f32",
  noobj: "f32",
  input: "place",
  boxes: "place",
} as const;

const SIGMOID = helper(
  "sigmoid_of",
  code`
  fn sigmoid_of(value: f32) -> f32 {
    return 1.0 / (1.0 + exp(-value));
  }`,
);

/** log(1 + exp(x)), in which nothing overflows. */
const SOFTPLUS = helper(
  "softplus_of",
  code`
  fn softplus_of(value: f32) -> f32 {
    return max(value, 0.0) + log(1.0 + exp(-abs(value)));
  }`,
);

interface Cell {
  readonly k: Readonly<Record<"width" | "height" | "classes" | "most", Code>> & {
    readonly input: { readonly at: (image: Code, y: Code, x: Code) => Code };
    readonly boxes: { readonly at: (image: Code, y: Code, x: Code) => Code };
  };
  readonly input: (at: Code) => Code;
  readonly boxes: (at: Code) => Code;
}

/**
 * Of the cell at `image`, `y` and `x`: `first`, where its numbers begin; whether it `has_box`, the
 * box's `label`, `middle` within the cell, and `size`; and what the softmax of its classes needs.
 */
const cellStart = ({ k, input, boxes }: Cell): Code => code`
  let first = ${k.input.at(text("image"), text("y"), text("x"))};
  var has_box = false;
  var label = 0u;
  var middle = vec2f(0);
  var size = vec2f(0);
  for (var box = 0u; box < ${k.most}; box++) {
    let at = ${k.boxes.at(text("image"), text("0u"), text("box"))};
    let given = ${boxes(code`at`)};
    let place = vec2f(${boxes(code`at + 1u`)}, ${boxes(code`at + 2u`)})
      * vec2f(f32(${k.width}), f32(${k.height}));
    let is_here = all(floor(place) == vec2f(f32(x), f32(y)));
    if (!has_box && given >= 0.0 && is_here) {
      has_box = true;
      label = u32(given);
      middle = place - vec2f(f32(x), f32(y));
      size = vec2f(${boxes(code`at + 3u`)}, ${boxes(code`at + 4u`)});
    }
  }
  let object = ${input(code`first + 4u`)};
  var most = ${LOWEST};
  var exponentials = 0f;
  if (has_box) {
    for (var channel = 0u; channel < ${k.classes}; channel++) {
      most = max(most, ${input(code`first + 5u + channel`)});
    }
    for (var channel = 0u; channel < ${k.classes}; channel++) {
      exponentials += exp(${input(code`first + 5u + channel`)} - most);
    }
  }
  /* A class that there is not makes the loss no number. */
  let known = select(sqrt(-1.0 - f32(label)), 1.0, label < ${k.classes});`;

const pairOf = (input: (at: Code) => Code, first: number): Code => {
  const [one, other] = [input(code`first + ${first}`), input(code`first + ${first + 1}`)];
  return code`vec2f(${SIGMOID}(${one}), ${SIGMOID}(${other}))`;
};

/** losses: [N]. A workgroup an example, a lane a cell at a time. */
export const detectionLoss = defineKernel("detection_loss", () => ({
  summary: "The loss of a grid of boxes, of one example a workgroup.",
  bindings: { input: read("f32"), boxes: read("f32"), losses: written("f32") },
  constants: GRID,
  lanes: REDUCE_WORKGROUP,
  declarations: [SUM],
  body: ({ io, k }) => code`
    if (${block} >= ${frame.batch}) {
      return;
    }
    let image = ${block};
    var sum = 0f;
    for (var cell = ${lane}; cell < ${k.width} * ${k.height}; cell += ${REDUCE_LANES}) {
      let y = cell / ${k.width};
      let x = cell % ${k.width};
      ${cellStart({ k, input: io.input.load, boxes: io.boxes.load })}
      if (has_box) {
        let off = ${pairOf(io.input.load, 0)} - middle;
        let roots = sqrt(${pairOf(io.input.load, 2)}) - sqrt(size);
        let logit = ${io.input.load(code`first + 5u + min(label, ${k.classes} - 1u)`)};
        sum += ${k.coord} * (dot(off, off) + dot(roots, roots)) + ${SOFTPLUS}(-object)
          + known * (log(exponentials) + most - logit);
      } else {
        sum += ${k.noobj} * ${SOFTPLUS}(object);
      }
    }
    sum = ${SUM}(sum, ${lane});
    if (${lane} == 0u) {
      ${io.losses.store(block, code`sum`)}
    }`,
}));

/** result: [N, 5 + C, H, W]. A thread a cell. */
export const detectionLossGradient = defineKernel("detection_loss_gradient", () => ({
  summary: "The gradient of the mean loss of a grid of boxes.",
  bindings: { input: read("f32"), boxes: read("f32"), result: written("f32") },
  constants: { ...GRID, weight: "f32", result: "place" } as const,
  lanes: REDUCE_WORKGROUP,
  body: ({ io, k }) => {
    const cells = code`(${k.width} * ${k.height})`;
    const store = (at: Code, value: Code) => io.result.store(code`place + ${at}`, value);
    return code`
      ${startThread(REDUCE_WORKGROUP)}
      if (thread >= ${frame.batch} * ${cells}) {
        return;
      }
      ${splitPixel(code`thread`, { pixels: cells, width: k.width })}
      ${cellStart({ k, input: io.input.load, boxes: io.boxes.load })}
      let place = ${k.result.at(text("image"), text("y"), text("x"))};
      let share = ${k.weight} / f32(${frame.step_images});
      let probability = ${SIGMOID}(object);
      if (!has_box) {
        for (var channel = 0u; channel < 5u + ${k.classes}; channel++) {
          ${store(text("channel"), code`0.0`)}
        }
        ${store(text("4u"), code`share * ${k.noobj} * probability`)}
        return;
      }
      let at = ${pairOf(io.input.load, 0)};
      let off = 2.0 * ${k.coord} * share * (at - middle) * at * (1.0 - at);
      let extent = ${pairOf(io.input.load, 2)};
      let root = sqrt(extent);
      let grown = ${k.coord} * share * (root - sqrt(size)) * root * (1.0 - extent);
      ${store(text("0u"), code`off.x`)}
      ${store(text("1u"), code`off.y`)}
      ${store(text("2u"), code`grown.x`)}
      ${store(text("3u"), code`grown.y`)}
      ${store(text("4u"), code`share * (probability - 1.0)`)}
      for (var channel = 0u; channel < ${k.classes}; channel++) {
        let logit = ${io.input.load(code`first + 5u + channel`)};
        let target_share = select(0.0, 1.0, channel == label);
        let slope = exp(logit - most) / exponentials - target_share;
        ${store(code`5u + channel`, code`known * share * slope`)}
      }`;
  },
}));
