/**
 * A batch of images from staged bytes and what was drawn for each (program.ts, Preparation). A
 * thread finds the pixel of the staged image that its own comes from by going through the
 * transforms backwards, and then takes its colour through them forwards. Coordinates before and
 * after a transform are those of torchvision's images before and after it.
 */
import { DECISIONS, JITTER_PARTS, type PreparedKind } from "../../program/transforms.js";
import { PREPARE_COLORS, type ColorFunction } from "./prepare-colors.js";
import { assemble, type Kernel } from "./kernel.js";
import { REDUCE_WORKGROUP, SUM } from "./reduce.js";
import { times, wgsl } from "./wgsl.js";

export const PREPARE_WORKGROUP = REDUCE_WORKGROUP;

/** What distinguishes a transform's code from others'; its numbers are constants. */
export interface PreparedStep {
  readonly kind: PreparedKind;
  /** Place among a view's words. */
  readonly firstWord: number;
  /** Of color_jitter: the parts that change anything. */
  readonly parts?: readonly (typeof JITTER_PARTS)[number][];
  /** Of a color_jitter with contrast: its place among a view's means. */
  readonly mean?: number;
}

export interface PrepareProblem {
  readonly steps: readonly PreparedStep[];
  readonly isGrey: boolean;
  readonly views: 1 | 2;
  /** Means that each view has, one for each step with contrast. */
  readonly means: number;
}

/** Staged bytes and draws to NCHW floats; a thread a pixel of the batch. */
export function prepareImages(problem: PrepareProblem): Kernel {
  const steps = problem.steps.filter(({ kind }) => !MIXERS[kind]);
  const mixer = problem.steps.find(({ kind }) => MIXERS[kind]);
  const uses = usedFunctions(problem.steps);
  return assemble({
    name: "prepare_images",
    summary: "Images of the network's input from bytes, transformed as it was drawn for each.",
    storage: [
      { name: "staged", access: "read", element: "u32" },
      { name: "draws", access: "read", element: "u32" },
      ...meansStorage(problem, "read"),
      { name: "images", access: "read_write", element: "f32" },
    ],
    constants: [...SHARED_CONSTANTS, "width", "height", ...steps.flatMap(stepConstants)],
    workgroupSize: PREPARE_WORKGROUP,
    declarations: declarations(problem, uses, preparedFunction(problem, steps)),
    body: wgsl`
      let thread = block * ${PREPARE_WORKGROUP}u + lane;
      let pixels = constants.width * constants.height;
      let image = thread / pixels;
      if (image >= frame.batch) {
        return;
      }
      let x = i32(thread % constants.width);
      let y = i32(thread % pixels / constants.width);
      let view = image * ${problem.views}u;
      var color = prepared(view, x, y);
      ${mixer ? MIXERS[mixer.kind]!(mixer) : ""}
      for (var channel = 0u; channel < constants.channels; channel++) {
        images[(image * constants.channels + channel) * pixels + thread % pixels] = color[channel];
      }`,
  });
}

/** Mean luma of each view where a color_jitter changes its contrast; a workgroup a view. */
export function prepareMean(problem: PrepareProblem, step: PreparedStep): Kernel {
  const steps = problem.steps.slice(0, problem.steps.indexOf(step) + 1);
  return assemble({
    name: "prepare_mean",
    summary: "Mean grey of each image where its contrast is changed.",
    storage: [
      { name: "staged", access: "read", element: "u32" },
      { name: "draws", access: "read", element: "u32" },
      ...meansStorage(problem, "read_write"),
    ],
    constants: [...SHARED_CONSTANTS, "width", "height", ...steps.flatMap(stepConstants)],
    workgroupSize: PREPARE_WORKGROUP,
    declarations: [
      SUM,
      ...declarations(
        problem,
        new Set([...usedFunctions(steps), "luma"]),
        preparedFunction(problem, steps, step),
      ),
    ],
    body: wgsl`
      if (block >= frame.batch * ${problem.views}u) {
        return;
      }
      let pixels = constants.width * constants.height;
      var sum = 0.0;
      for (var pixel = lane; pixel < pixels; pixel += ${PREPARE_WORKGROUP}u) {
        sum += luma(prepared(block, i32(pixel % constants.width), i32(pixel / constants.width)));
      }
      sum = total(sum, lane);
      if (lane == 0u) {
        means[block * ${problem.means}u + ${step.mean!}u] = sum / f32(pixels);
      }`,
  });
}

const SHARED_CONSTANTS = [
  ...["channels", "staged_width", "staged_height", "slot", "view_bytes", "words"],
];

function meansStorage({ means }: PrepareProblem, access: "read" | "read_write") {
  return means > 0 ? [{ name: "means", access, element: "f32" } as const] : [];
}

/** Names of a step's constants, made unique by its place among the words. */
function stepConstants({ kind, firstWord }: PreparedStep): string[] {
  return STEPS[kind].constants.map((name) => `${name}_${firstWord}`);
}

/**
 * The value of an output pixel of a view, or, up to `until`, that where this step changes the
 * contrast.
 */
function preparedFunction(
  problem: PrepareProblem,
  steps: readonly PreparedStep[],
  until?: PreparedStep,
): string {
  // Word 0 of a view brings its bytes to 0..1 (transforms.ts, SCALE_WORD).
  const backward = steps.filter((step) => step !== until).toReversed();
  return wgsl`
    fn prepared(view: u32, column: i32, row: i32) -> vec3f {
      let word = view * constants.words;
      var x = column;
      var y = row;
      ${backward.flatMap((step) => STEPS[step.kind].backward?.(step) ?? [])}
      var color = staged_color(view, x, y) * bitcast<f32>(draws[word]);
      ${steps.flatMap((step) => STEPS[step.kind].forward?.(step, problem, step === until) ?? [])}
      return color;
    }`;
}

/** Where a crop reaches beyond the image, any pixel will do: its colour does not count. */
const stagedColor = (
  { views, isGrey, steps }: PrepareProblem,
  crops = steps.some(({ kind }) => kind.endsWith("_crop")),
) => wgsl`
  fn staged_byte(index: u32) -> f32 {
    return f32((staged[index / 4u] >> (index % 4u * 8u)) & 255u);
  }

  fn staged_color(view: u32, x: i32, y: i32) -> vec3f {
    let column = ${crops ? "u32(clamp(x, 0, i32(constants.staged_width) - 1))" : "u32(x)"};
    let row = ${crops ? "u32(clamp(y, 0, i32(constants.staged_height) - 1))" : "u32(y)"};
    let start = ${views === 1 ? "view * constants.slot" : "view / 2u * constants.slot + view % 2u * constants.view_bytes"};
    let first = start + (row * constants.staged_width + column) * constants.channels;
    return ${isGrey ? "vec3f(staged_byte(first))" : "vec3f(staged_byte(first), staged_byte(first + 1u), staged_byte(first + 2u))"};
  }`;

const WITHIN = wgsl`
  fn within(first_word: u32, x: i32, y: i32) -> bool {
    let left = bitcast<i32>(draws[first_word]);
    let top = bitcast<i32>(draws[first_word + 1u]);
    let right = left + bitcast<i32>(draws[first_word + 2u]);
    let bottom = top + bitcast<i32>(draws[first_word + 3u]);
    return x >= left && x < right && y >= top && y < bottom;
  }`;

function declarations(
  problem: PrepareProblem,
  uses: ReadonlySet<Helper>,
  prepared: string,
): string[] {
  const colors = PREPARE_COLORS.filter(({ name }) => uses.has(name));
  return [
    stagedColor(problem),
    ...(uses.has("within") ? [WITHIN] : []),
    ...colors.map(({ text, grey }) => (problem.isGrey && grey ? grey : text)),
    prepared,
  ].flatMap((text) => [text, ""]);
}

type Helper = ColorFunction | "within";

function usedFunctions(steps: readonly PreparedStep[]): ReadonlySet<Helper> {
  const uses = new Set<Helper>();
  for (const { kind, parts = [] } of steps) {
    if (kind === "random_erasing" || kind === "cutmix") uses.add("within");
    for (const part of parts) uses.add(part);
  }
  if (uses.has("saturation")) uses.add("luma");
  return uses;
}

/** A transform's part in `prepared`. */
interface StepText {
  /** Whole numbers, or the bits of floats. */
  readonly constants: readonly string[];
  /** From coordinates after the transform, in `x` and `y`, to those before it. */
  readonly backward?: (step: PreparedStep) => string;
  /** From `color` before the transform to that after it. */
  readonly forward?: (step: PreparedStep, problem: PrepareProblem, isLast: boolean) => string;
}

const float = (name: string) => `bitcast<f32>(${name})`;
const constant = (name: string, { firstWord }: PreparedStep) => `constants.${name}_${firstWord}`;

/** The word of a decision. */
function word({ kind, firstWord }: PreparedStep, name: string): string {
  const index = Object.keys(DECISIONS[kind]).indexOf(name);
  if (index < 0) throw new Error(`${kind} decides no ${name}`);
  return `draws[word + ${firstWord + index}u]`;
}

const mirror = (axis: "x" | "y", step: PreparedStep, size: string) => wgsl`
  if (${word(step, "flipped")} != 0u) {
    ${axis} = i32(${constant(size, step)}) - 1 - ${axis};
  }`;

const intoCrop = (step: PreparedStep) => wgsl`
  x += bitcast<i32>(${word(step, "left")});
  y += bitcast<i32>(${word(step, "top")});
  let outside_${step.firstWord} = x < 0 || y < 0 || x >= i32(${constant("from_width", step)}) || y >= i32(${constant("from_height", step)});`;

const blackOutside = ({ firstWord }: PreparedStep) => wgsl`
  if (outside_${firstWord}) {
    color = vec3f(0);
  }`;

const crop: StepText = {
  constants: ["from_width", "from_height"],
  backward: intoCrop,
  forward: blackOutside,
};

const vector = (name: string, step: PreparedStep) =>
  `vec3f(${times(3, (channel) => float(constant(`${name}${channel}`, step))).join(", ")})`;

const STEPS: Readonly<Record<PreparedKind, StepText>> = {
  center_crop: crop,
  random_crop: crop,
  hflip: { constants: ["to_width"], backward: (step) => mirror("x", step, "to_width") },
  vflip: { constants: ["to_height"], backward: (step) => mirror("y", step, "to_height") },
  normalize: {
    constants: [
      ...times(3, (channel) => `mean${channel}`),
      ...times(3, (channel) => `std${channel}`),
    ],
    forward: (step) => `color = (color - ${vector("mean", step)}) / ${vector("std", step)};`,
  },
  color_jitter: { constants: [], forward: jitter },
  pca_noise: {
    constants: [],
    forward: (step) => {
      const shifts = ["red", "green", "blue"].map((name) => float(word(step, name)));
      return `color += vec3f(${shifts.join(", ")});`;
    },
  },
  random_erasing: {
    constants: ["value"],
    backward: ({ firstWord }) => `let erased_${firstWord} = within(word + ${firstWord}u, x, y);`,
    forward: (step) => wgsl`
      if (erased_${step.firstWord}) {
        color = vec3f(${float(constant("value", step))});
      }`,
  },
  cutmix: { constants: [] },
  mixup: { constants: [] },
};

/**
 * The parts of color_jitter in the order that was drawn; the mean that contrast needs is of the
 * image as it comes to it.
 */
function jitter(step: PreparedStep, { means }: PrepareProblem, isLast: boolean): string {
  const cases = step.parts!.map((part) => {
    const factor = float(word(step, part));
    const mean = part === "contrast" ? `, means[view * ${means}u + ${step.mean!}u]` : "";
    const statement =
      part === "contrast" && isLast ? "return color;" : `color = ${part}(color, ${factor}${mean});`;
    return wgsl`
      case ${JITTER_PARTS.indexOf(part)}u: {
        ${statement}
      }`;
  });
  return wgsl`
    for (var turn = 0u; turn < ${JITTER_PARTS.length}u; turn++) {
      switch ((${word(step, "order")} >> (2u * turn)) & 3u) {
        ${cases}
        default: {
        }
      }
    }`;
}

/** How a view and the other image's, which follows it, become one; `color` is the view's own. */
const MIXERS: { readonly [Kind in PreparedKind]?: (step: PreparedStep) => string } = {
  cutmix: ({ firstWord }) => wgsl`
    if (within(view * constants.words + ${firstWord}u, x, y)) {
      color = prepared(view + 1u, x, y);
    }`,
  mixup: ({ firstWord }) => wgsl`
    let share = bitcast<f32>(draws[view * constants.words + ${firstWord}u]);
    color = mix(prepared(view + 1u, x, y), color, share);`,
};
