import { read, written } from "./bindings.js";
import { block, code, frame, lane, text, type Code, type Hole } from "./code.js";
import type { PlaceCode } from "./constants.js";
import { defineKernel } from "./define-kernel.js";
import { RELU } from "./not-a-number.js";
import { REDUCE_LANES, REDUCE_WORKGROUP, SUM } from "./reduce.js";

/** Which of the kernels' forms suits a group. */
export interface GroupForm {
  /** Who works on a group: a whole workgroup, or a thread where groups are many and small. */
  readonly worker: "workgroup" | "thread";
  /** Channels at a time: four where a group has a multiple of four. */
  readonly element: "f32" | "vec4f";
}

/** Groups that a workgroup makes. */
export const groupsPerWorkgroup = ({ worker }: GroupForm): number =>
  worker === "thread" ? REDUCE_WORKGROUP : 1;

/**
 * What is normalized together: `size` elements, those of `channels` neighboring channels (or quads
 * of them) at a run of pixels. An image has `groups` of them at each of its `starts` first pixels.
 */
const GROUP_CONSTANTS = {
  groups: "u32",
  starts: "u32",
  channels: "u32",
  size: "u32",
  width: "u32",
  epsilon: "f32",
} as const;

type GroupConstants = Readonly<Record<keyof typeof GROUP_CONSTANTS, Code>>;

const isThread = ({ worker }: GroupForm) => worker === "thread";
const isQuad = ({ element }: GroupForm) => element === "vec4f";

/** What both kernels of a form have alike. */
const commonOf = (form: GroupForm) => ({
  suffix: `${isThread(form) ? "_thread" : ""}${isQuad(form) ? "_quads" : ""}`,
  lanes: REDUCE_WORKGROUP,
  declarations: isThread(form) ? [RELU] : [RELU, SUM],
});

/** Makes the parts of a form's kernels. An element of activation NAME lies at `NAME_at`. */
class GroupCode {
  constructor(
    private readonly form: GroupForm,
    private readonly k: GroupConstants,
    private readonly places: Readonly<Record<string, PlaceCode>>,
  ) {}

  /** Finds the group: `image`, `first_channel`, `first_pixel`, `count`. */
  get start(): Code {
    const { groups, starts, channels, size } = this.k;
    const group = isThread(this.form) ? code`${block} * ${REDUCE_LANES} + ${lane}` : block;
    return code`
      let group = ${group};
      if (group >= ${frame.batch} * ${groups} * ${starts}) {
        return;
      }
      let image = group / ${starts} / ${groups};
      let first_channel = group % ${groups} * ${channels};
      let first_pixel = group / ${groups} % ${starts};
      let count = f32(${size}) * ${isQuad(this.form) ? code`4.0` : code`1.0`};
      let zero = ${text(this.form.element)}(0);`;
  }

  /** The loop over the group's elements. */
  loop(names: readonly string[], ...body: readonly Hole[]): Code {
    const { size, channels, width } = this.k;
    const [first, step] = isThread(this.form) ? [code`0u`, 1] : [lane, REDUCE_LANES];
    return code`
      for (var element = ${first}; element < ${size}; element += ${step}) {
        let pixel = first_pixel + element / ${channels};
        let channel = first_channel + element % ${channels};
        let y = pixel / ${width};
        let x = pixel % ${width};
        ${names.map((name) => code`let ${text(`${name}_at`)} = ${this.elementOf(name)};`)}
        ${body}
      }`;
  }

  private elementOf(name: string): Code {
    const place = this.places[name]!.at(code`image`, code`y`, code`x`);
    return isQuad(this.form) ? code`${place} + channel` : code`4u * ${place} + channel`;
  }

  /** The sum of a variable over the group. */
  total(variable: Code): Code {
    const own = isQuad(this.form) ? code`dot(${variable}, vec4f(1))` : variable;
    return isThread(this.form) ? own : code`${SUM}(${own}, ${lane})`;
  }

  /**
   * `mean` and `deviation` of the input in two passes, of which the second corrects the first's
   * mean for rounding.
   */
  moments(value: Code): Code {
    return code`
      var sum = zero;
      ${this.loop(["input"], code`sum += ${value};`)}
      let near = ${this.total(code`sum`)} / count;
      var rests = zero;
      var squares = zero;
      ${this.loop(
        ["input"],
        code`let distance = ${value} - near;`,
        code`rests += distance;`,
        code`squares += distance * distance;`,
      )}
      let rest = ${this.total(code`rests`)} / count;
      let variance = ${RELU}(vec4f(${this.total(code`squares`)} / count - rest * rest)).x;
      let mean = near + rest;
      let deviation = sqrt(variance + ${this.k.epsilon});`;
  }
}

/** (x - mean) / sqrt(variance + epsilon). */
export const groupNormalize = defineKernel("group_normalize", (form: GroupForm) => ({
  ...commonOf(form),
  summary: "Normalization of each group of channels, of an image or of a pixel.",
  bindings: { input: read(form.element), result: written(form.element) },
  constants: { ...GROUP_CONSTANTS, input: "place", result: "place" },
  body: ({ io, k }) => {
    const group = new GroupCode(form, k, { input: k.input, result: k.result });
    const value = io.input.load(code`input_at`);
    const made = code`(${value} - mean) / deviation`;
    return code`
      ${group.start}
      ${group.moments(value)}
      ${group.loop(["input", "result"], io.result.store(code`result_at`, made))}`;
  },
}));

/** With y the normalized x: (dy - mean(dy) - y mean(dy y)) / deviation. */
export const groupNormalizeGradient = defineKernel(
  "group_normalize_gradient",
  (form: GroupForm) => ({
    ...commonOf(form),
    summary: "Normalization of each group of channels, gradient.",
    bindings: {
      input: read(form.element),
      gradient: read(form.element),
      result: written(form.element),
    },
    constants: { ...GROUP_CONSTANTS, input: "place", gradient: "place", result: "place" },
    body: ({ io, k }) => {
      const group = new GroupCode(form, k, {
        input: k.input,
        gradient: k.gradient,
        result: k.result,
      });
      const [value, gradient] = [
        io.input.load(code`input_at`),
        io.gradient.load(code`gradient_at`),
      ];
      const made = code`(${gradient} - offset - (${value} - mean) * slope) / deviation`;
      return code`
        ${group.start}
        ${group.moments(value)}
        var gradients = zero;
        var products = zero;
        ${group.loop(
          ["input", "gradient"],
          code`gradients += ${gradient};`,
          code`products += ${gradient} * (${value} - mean);`,
        )}
        let offset = ${group.total(code`gradients`)} / count;
        let slope = ${group.total(code`products`)} / count / deviation / deviation;
        ${group.loop(["input", "gradient", "result"], io.result.store(code`result_at`, made))}`;
    },
  }),
);
