/**
 * A batch of images from staged bytes and what was drawn for each (program.ts, Preparation). A
 * thread finds the pixel of the staged image that its own comes from by going through the
 * transforms backwards, and then takes its color through them forwards. Coordinates before and
 * after a transform are those of torchvision's images before and after it.
 */
import { DECISIONS, JITTER_PARTS, NO_ORDER, type PreparedKind } from "../../program/transforms.js";
import { read, written, type Loaded } from "./bindings.js";
import {
  block,
  code,
  frame,
  helper,
  joined,
  lane,
  local,
  offset,
  scaled,
  startThread,
  times,
  type Code,
  type Declared,
  type Hole,
} from "./code.js";
import type { Constants } from "./constants.js";
import { defineKernel, scopeOf, type Fragment } from "./define-kernel.js";
import { COLOR_FUNCTIONS, GRAY_LUMA, LUMA } from "./prepare-colors.js";
import { THREEFRY, TO_UNIT } from "./random.js";
import { REDUCE_WORKGROUP, SUM } from "./reduce.js";

const LANES = REDUCE_WORKGROUP;

/** What distinguishes a transform's code from others'; its numbers are constants. */
export interface PreparedStep {
  readonly kind: PreparedKind;
  /** Place among a view's words. */
  readonly firstWord: number;
  /** Of color_jitter: the parts that change anything. */
  readonly parts?: readonly (typeof JITTER_PARTS)[number][];
  /** Of a color_jitter with contrast: its place among a view's means. */
  readonly mean?: number;
  /** Of random_erasing: whether noise is in place of what is erased. */
  readonly isNoise?: boolean;
  /** Of color_jitter: whether it may be left out for an image (`NO_ORDER`). */
  readonly isOptional?: boolean;
}

export interface PrepareProblem {
  readonly steps: readonly PreparedStep[];
  readonly isGray: boolean;
  /** Images of an example: two that are mixed, or several for an input each. */
  readonly views: number;
  readonly mixes: boolean;
  /** Means that each view has, one for each step with contrast. */
  readonly means: number;
}

/** Staged bytes and draws to NCHW floats; a thread a pixel of the batch. */
export const prepareImages = defineKernel("prepare_images", (problem: PrepareProblem) => {
  const steps = problem.steps.filter(({ kind }) => !MIXERS[kind]);
  const mixer = problem.steps.find(({ kind }) => MIXERS[kind]);
  return {
    summary: "Images of the network's input from bytes, transformed as it was drawn for each.",
    bindings: {
      ...DATA,
      means: problem.means > 0 ? read("f32") : undefined,
      images: written("f32"),
    },
    constants: {
      ...constantsOf(problem),
      picture: problem.views > 1 && !problem.mixes ? "u32" : undefined,
    },
    fragments: steps.map(stepFragment),
    lanes: LANES,
    body: ({ io, k }) => {
      const prepared = preparedFunction(problem, { steps, means: io.means });
      const first = scaled(code`image`, problem.views);
      const plane = code`(image * ${k.channels} + channel)`;
      return code`
        ${startThread(LANES)}
        let pixels = ${k.width} * ${k.height};
        let image = thread / pixels;
        if (image >= ${frame.batch}) {
          return;
        }
        let x = i32(thread % ${k.width});
        let y = i32(thread % pixels / ${k.width});
        let view = ${k.picture ? code`${first} + ${k.picture}` : first};
        var color = ${prepared}(view, x, y);
        ${mixer && MIXERS[mixer.kind]!(mixer, prepared)}
        for (var channel = 0u; channel < ${k.channels}; channel++) {
          ${io.images.store(code`${plane} * pixels + thread % pixels`, code`color[channel]`)}
        }`;
    },
  };
});

/**
 * Mean luma of each view where the color_jitter at `place` among the steps changes its contrast; a
 * workgroup a view.
 */
export const prepareMean = defineKernel(
  "prepare_mean",
  (problem: PrepareProblem, place: number) => {
    const steps = problem.steps.slice(0, place + 1);
    const step = steps[place]!;
    return {
      summary: "Mean gray of each image where its contrast is changed.",
      bindings: { ...DATA, means: written("f32") },
      constants: constantsOf({ ...problem, steps }),
      fragments: steps.map(stepFragment),
      lanes: LANES,
      body: ({ io, k }) => {
        const prepared = preparedFunction(problem, { steps, means: io.means, until: step });
        const luma = problem.isGray ? GRAY_LUMA : LUMA;
        const column = code`i32(pixel % ${k.width})`;
        const row = code`i32(pixel / ${k.width})`;
        return code`
        if (${block} >= ${scaled(frame.batch, problem.views)}) {
          return;
        }
        let pixels = ${k.width} * ${k.height};
        var sum = 0.0;
        for (var pixel = ${lane}; pixel < pixels; pixel += ${LANES}) {
          sum += ${luma}(${prepared}(${block}, ${column}, ${row}));
        }
        sum = ${SUM}(sum, ${lane});
        if (${lane} == 0u) {
          ${io.means.store(meanPlace(problem, step, block), code`sum / f32(pixels)`)}
        }`;
      },
    };
  },
);

const DATA = { staged: read("u32"), draws: read("u32") } as const;

/** What is only read where a crop reaches beyond the image, or where images are mixed. */
const SIZES = {
  channels: "u32",
  staged_width: "u32",
  staged_height: "u32",
  slot: "u32",
  view_bytes: "u32",
  words: "u32",
  width: "u32",
  height: "u32",
} as const;

const constantsOf = ({ steps, mixes }: PrepareProblem) => ({
  ...SIZES,
  staged_height: steps.some(isCrop) ? SIZES.staged_height : undefined,
  view_bytes: mixes ? SIZES.view_bytes : undefined,
});

/** Transforms that may reach beyond the image. */
const REACHING: ReadonlySet<PreparedKind> = new Set(["center_crop", "random_crop", "affine"]);
const isCrop = ({ kind }: PreparedStep) => REACHING.has(kind);

const { io: data, k: sizes } = scopeOf({ bindings: DATA, constants: SIZES });

const meanPlace = ({ means }: PrepareProblem, { mean }: PreparedStep, view: Code) =>
  offset(scaled(view, means), mean!);

interface Chain {
  readonly steps: readonly PreparedStep[];
  readonly means: Loaded | undefined;
  /** Where this step changes the contrast, the color that comes to it is the result. */
  readonly until?: PreparedStep;
}

/** The value of an output pixel of a view. */
function preparedFunction(problem: PrepareProblem, { steps, means, until }: Chain): Declared {
  const backward = steps.filter((step) => step !== until).toReversed();
  // Word 0 of a view brings its bytes to 0..1 (transforms.ts, SCALE_WORD).
  return helper(
    "prepared",
    code`
      fn prepared(view: u32, column: i32, row: i32) -> vec3f {
        let word = view * ${sizes.words};
        var x = column;
        var y = row;
        ${backward.map((step) => TRANSFORMS[step.kind].backward?.(step))}
        var color = ${stagedColor(problem, steps)}(view, x, y) * ${asFloat(data.draws.load(WORD))};
        ${steps.map((step) => TRANSFORMS[step.kind].forward?.(step, { problem, means, until }))}
        return color;
      }`,
  );
}

const WORD = code`word`;

const STAGED_BYTE = helper(
  "staged_byte",
  code`
    fn staged_byte(index: u32) -> f32 {
      return f32((${data.staged.load(code`index / 4u`)} >> (index % 4u * 8u)) & 255u);
    }`,
);

/** Where a crop reaches beyond the image, any pixel will do: its color does not count. */
function stagedColor({ mixes, isGray }: PrepareProblem, steps: readonly PreparedStep[]): Declared {
  const { slot, view_bytes, staged_width, staged_height, channels } = sizes;
  const inside = (at: Code, size: Code) =>
    steps.some(isCrop) ? code`u32(clamp(${at}, 0, i32(${size}) - 1))` : code`u32(${at})`;
  const start = mixes
    ? code`view / 2u * ${slot} + view % 2u * ${view_bytes}`
    : code`view * ${slot}`;
  const bytes = times(isGray ? 1 : 3, (channel) => {
    return code`${STAGED_BYTE}(${offset(code`first`, channel)})`;
  });
  return helper(
    "staged_color",
    code`
      fn staged_color(view: u32, x: i32, y: i32) -> vec3f {
        let column = ${inside(code`x`, staged_width)};
        let row = ${inside(code`y`, staged_height)};
        let start = ${start};
        let first = start + (row * ${staged_width} + column) * ${channels};
        return vec3f(${joined(bytes, ", ")});
      }`,
  );
}

const drawn = (at: Code) => code`bitcast<i32>(${data.draws.load(at)})`;

/** Whether a place lies in a rectangle that was drawn. */
const WITHIN = helper(
  "within",
  code`
    fn within(first_word: u32, x: i32, y: i32) -> bool {
      let left = ${drawn(code`first_word`)};
      let top = ${drawn(code`first_word + 1u`)};
      let right = left + ${drawn(code`first_word + 2u`)};
      let bottom = top + ${drawn(code`first_word + 3u`)};
      return x >= left && x < right && y >= top && y < bottom;
    }`,
);

/** A transform's part in `prepared`. */
interface TransformCode {
  readonly constants: Constants;
  /** From coordinates after the transform, in `x` and `y`, to those before it. */
  readonly backward?: (step: PreparedStep) => Hole;
  /** From `color` before the transform to that after it. */
  readonly forward?: (step: PreparedStep, chain: ForwardChain) => Hole;
}

interface ForwardChain extends Pick<Chain, "means" | "until"> {
  readonly problem: PrepareProblem;
}

/** A step's constant, made unique by its place among the words. */
export const stepConstant = (name: string, { firstWord }: { readonly firstWord: number }): string =>
  `${name}_${firstWord}`;

/** A step's constants. */
function stepFragment(step: PreparedStep): Fragment {
  const named = step.isNoise ? [] : Object.entries(TRANSFORMS[step.kind].constants);
  const constants = named.map(([name, kind]) => [stepConstant(name, step), kind] as const);
  return { bindings: {}, constants: Object.fromEntries(constants) };
}

function constant<Kind extends "u32" | "f32">(kind: Kind, name: string, step: PreparedStep): Code {
  const own = stepConstant(name, step);
  return scopeOf({ bindings: {}, constants: { [own]: kind } }).k[own] as Code;
}

const asFloat = (bits: Code) => code`bitcast<f32>(${bits})`;
const asSigned = (bits: Code) => code`bitcast<i32>(${bits})`;

/** A decision's bits. */
function word({ kind, firstWord }: PreparedStep, name: string): Code {
  const index = Object.keys(DECISIONS[kind]).indexOf(name);
  if (index < 0) throw new Error(`${kind} decides no ${name}`);
  return data.draws.load(offset(WORD, firstWord + index));
}

const mirror = (at: Code, size: string) => (step: PreparedStep) => code`
  if (${word(step, "flipped")} != 0u) {
    ${at} = i32(${constant("u32", size, step)}) - 1 - ${at};
  }`;

function intoCrop(step: PreparedStep): Code {
  const [width, height] = ["from_width", "from_height"].map((name) => constant("u32", name, step));
  return code`
    x += ${asSigned(word(step, "left"))};
    y += ${asSigned(word(step, "top"))};
    let ${outside(step)} = x < 0 || y < 0 || x >= i32(${width}) || y >= i32(${height});`;
}

/** To the nearest pixel before it, in whole numbers: the loops' pixel on every device. */
function beforeAffine(step: PreparedStep): Code {
  const [width, height] = ["from_width", "from_height"].map((name) => constant("u32", name, step));
  const [column, row] = ["column_", "row_"].map((name) => local(name, step.firstWord));
  const [a, b, c, d, e, f] = ["a", "b", "c", "d", "e", "f"].map((name) =>
    asSigned(word(step, name)),
  );
  const bits = word(step, "bits");
  return code`
    let ${column} = 2 * x - i32(${width}) + 1;
    let ${row} = 2 * y - i32(${height}) + 1;
    x = (${a} * ${column} + ${b} * ${row} + ${c}) >> ${bits};
    y = (${d} * ${column} + ${e} * ${row} + ${f}) >> ${bits};
    let ${outside(step)} = x < 0 || y < 0 || x >= i32(${width}) || y >= i32(${height});`;
}

const outside = ({ firstWord }: PreparedStep) => local("outside_", firstWord);
const erased = ({ firstWord }: PreparedStep) => local("erased_", firstWord);

const noiseAt = ({ firstWord }: PreparedStep) => local("noise_at_", firstWord);

/** One value, or the noise of the place. */
const erasedColor = (step: PreparedStep) =>
  step.isNoise
    ? code`${NOISE}(${word(step, "noise")}, ${noiseAt(step)})`
    : code`vec3f(${constant("f32", "value", step)})`;

/** Normal numbers for a place of an image, by Box and Muller's method. */
const NOISE = helper(
  "noise",
  code`
    fn noise(seed: u32, place: vec2u) -> vec3f {
      let first = ${THREEFRY}(vec2u(seed, 0u), place);
      let second = ${THREEFRY}(vec2u(seed, 1u), place);
      let lengths = vec2f(1.0 - ${TO_UNIT}(first.x), 1.0 - ${TO_UNIT}(second.x));
      let turns = 6.2831855 * vec2f(${TO_UNIT}(first.y), ${TO_UNIT}(second.y));
      let scaled = sqrt(-2.0 * log(lengths));
      return vec3f(scaled.x * cos(turns.x), scaled.x * sin(turns.x), scaled.y * cos(turns.y));
    }`,
);

const blackOutside = (step: PreparedStep) => code`
  if (${outside(step)}) {
    color = vec3f(0);
  }`;

const CROP: TransformCode = {
  constants: { from_width: "u32", from_height: "u32" },
  backward: intoCrop,
  forward: blackOutside,
};

/** Names of a number for each channel. */
const channelNames = (name: string) => times(3, (channel) => `${name}${channel}`);

function channelVector(name: string, step: PreparedStep): Code {
  const numbers = channelNames(name).map((each) => constant("f32", each, step));
  return code`vec3f(${joined(numbers, ", ")})`;
}

const TRANSFORMS: Readonly<Record<PreparedKind, TransformCode>> = {
  center_crop: CROP,
  random_crop: CROP,
  hflip: { constants: { to_width: "u32" }, backward: mirror(code`x`, "to_width") },
  vflip: { constants: { to_height: "u32" }, backward: mirror(code`y`, "to_height") },
  normalize: {
    constants: Object.fromEntries(
      [...channelNames("mean"), ...channelNames("std")].map((name) => [name, "f32"] as const),
    ),
    forward: (step) => {
      const [mean, deviation] = [channelVector("mean", step), channelVector("std", step)];
      return code`color = (color - ${mean}) / ${deviation};`;
    },
  },
  color_jitter: { constants: {}, forward: jitter },
  pca_noise: {
    constants: {},
    forward: (step) => {
      const shifts = ["red", "green", "blue"].map((name) => asFloat(word(step, name)));
      return code`color += vec3f(${joined(shifts, ", ")});`;
    },
  },
  random_erasing: {
    constants: { value: "f32" },
    backward: (step) => code`
      let ${erased(step)} = ${WITHIN}(${offset(WORD, step.firstWord)}, x, y);
      ${step.isNoise && code`let ${noiseAt(step)} = vec2u(vec2i(x, y));`}`,
    forward: (step) => code`
      if (${erased(step)}) {
        color = ${erasedColor(step)};
      }`,
  },
  affine: {
    constants: { from_width: "u32", from_height: "u32" },
    backward: beforeAffine,
    forward: blackOutside,
  },
  cutmix: { constants: {} },
  mixup: { constants: {} },
  mixture: { constants: {} },
};

/**
 * The parts of color_jitter in the order that was drawn; the mean that contrast needs is of the
 * image as it comes to it.
 */
function jitter(step: PreparedStep, { problem, means, until }: ForwardChain): Code {
  const change = (part: (typeof JITTER_PARTS)[number]) => {
    const operands = [code`color`, asFloat(word(step, part))];
    if (part !== "contrast")
      return code`color = ${COLOR_FUNCTIONS[part]}(${joined(operands, ", ")});`;
    if (step === until) return code`return color;`;
    operands.push(means!.load(meanPlace(problem, step, code`view`)));
    return code`color = ${COLOR_FUNCTIONS[part]}(${joined(operands, ", ")});`;
  };
  const cases = step.parts!.map((part) => {
    return code`
      case ${JITTER_PARTS.indexOf(part)}: {
        ${change(part)}
      }`;
  });
  const changes = code`
    for (var turn = 0u; turn < ${JITTER_PARTS.length}; turn++) {
      switch ((${word(step, "order")} >> (2u * turn)) & 3u) {
        ${cases}
        default: {
        }
      }
    }`;
  if (!step.isOptional) return changes;
  return code`
    if (${word(step, "order")} != ${NO_ORDER}) {
      ${changes}
    }`;
}

type Mixer = (step: PreparedStep, prepared: Declared) => Code;

/** How a view and the other image's, which follows it, become one; `color` is the view's own. */
const MIXERS: { readonly [Kind in PreparedKind]?: Mixer } = {
  cutmix: pasted,
  mixup: blended,
  mixture: (step, prepared) => code`
    if (${drawnOf(step, "cuts")} != 0u) {
      ${pasted(step, prepared)}
    } else {
      ${blended(step, prepared)}
    }`,
};

function pasted({ firstWord }: PreparedStep, prepared: Declared): Code {
  return code`
    if (${WITHIN}(${offset(code`view * ${sizes.words}`, firstWord)}, x, y)) {
      color = ${prepared}(view + 1u, x, y);
    }`;
}

function blended(step: PreparedStep, prepared: Declared): Code {
  return code`
    let share = ${asFloat(drawnOf(step, "share"))};
    color = mix(${prepared}(view + 1u, x, y), color, share);`;
}

/** What mixing decided, of the view itself. */
function drawnOf({ kind, firstWord }: PreparedStep, name: string): Code {
  const index = Object.keys(DECISIONS[kind]).indexOf(name);
  return data.draws.load(offset(code`view * ${sizes.words}`, firstWord + index));
}
