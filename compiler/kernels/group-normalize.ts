import { assemble, type Kernel, type KernelParts } from "./kernel.js";
import { RELU } from "./not-a-number.js";
import { placeConstants, placeOf } from "./place.js";
import { REDUCE_WORKGROUP, SUM } from "./reduce.js";
import { wgsl } from "./wgsl.js";

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
 * What is normalised together: `size` elements, those of `channels` neighbouring channels (or quads of them) at a run of pixels.
 * An image has `groups` of them at each of its `starts` first pixels.
 */
const GROUP_CONSTANTS = ["groups", "starts", "channels", "size", "width", "epsilon"];

/** Prints the parts of a form's kernels. Activations are `a` and those of `names`, read or written at `NAME_at`. */
class GroupPrinter {
  constructor(private readonly form: GroupForm) {}

  /** Finds the group: `image`, `first_channel`, `first_pixel`, `count`. */
  get start(): string {
    const group = this.isThread ? `block * ${REDUCE_WORKGROUP}u + lane` : "block";
    return wgsl`
      let group = ${group};
      if (group >= frame.batch * constants.groups * constants.starts) {
        return;
      }
      let image = group / constants.starts / constants.groups;
      let first_channel = group % constants.groups * constants.channels;
      let first_pixel = group / constants.groups % constants.starts;
      let count = f32(constants.size) * ${this.isQuad ? "4.0" : "1.0"};
      let zero = ${this.form.element}(0);`;
  }

  /** The loop over the group's elements. */
  loop(names: readonly string[], ...body: readonly string[]): string {
    const [first, step] = this.isThread ? ["0u", 1] : ["lane", REDUCE_WORKGROUP];
    const place = (name: string) =>
      this.isQuad ? `${placeOf(name)} + c` : `4u * (${placeOf(name)}) + c`;
    return wgsl`
      for (var element = ${first}; element < constants.size; element += ${step}u) {
        let pixel = first_pixel + element / constants.channels;
        let c = first_channel + element % constants.channels;
        let y = pixel / constants.width;
        let x = pixel % constants.width;
        ${names.map((name) => `let ${name}_at = ${place(name)};`)}
        ${body}
      }`;
  }

  /** The sum of a variable over the group. */
  total(variable: string): string {
    const own = this.isQuad ? `dot(${variable}, vec4f(1))` : variable;
    return this.isThread ? own : `total(${own}, lane)`;
  }

  /** `mean` and `deviation` of `a` in two passes, of which the second corrects the first's mean for rounding. */
  get moments(): string {
    return wgsl`
      var sum = zero;
      ${this.loop(["a"], "sum += a[a_at];")}
      let near = ${this.total("sum")} / count;
      var rests = zero;
      var squares = zero;
      ${this.loop(
        ["a"],
        "let distance = a[a_at] - near;",
        "rests += distance;",
        "squares += distance * distance;",
      )}
      let rest = ${this.total("rests")} / count;
      let variance = relu(vec4f(${this.total("squares")} / count - rest * rest)).x;
      let mean = near + rest;
      let deviation = sqrt(variance + bitcast<f32>(constants.epsilon));`;
  }

  /** A kernel that reads activations and writes `result`, whose place is called y. */
  kernel(
    names: readonly string[],
    { name, summary, body }: Pick<KernelParts, "name" | "summary" | "body">,
  ): Kernel {
    const { element } = this.form;
    return assemble({
      name: [name, ...(this.isThread ? ["thread"] : []), ...(this.isQuad ? ["quads"] : [])].join(
        "_",
      ),
      summary,
      storage: [
        ...names.map((each) => ({ name: each, access: "read", element }) as const),
        { name: "result", access: "read_write", element },
      ],
      constants: [...GROUP_CONSTANTS, ...[...names, "y"].flatMap((each) => placeConstants(each))],
      workgroupSize: REDUCE_WORKGROUP,
      declarations: [RELU, ...(this.isThread ? [] : [SUM])],
      body,
    });
  }

  private get isThread(): boolean {
    return this.form.worker === "thread";
  }

  private get isQuad(): boolean {
    return this.form.element === "vec4f";
  }
}

/** (x - mean) / sqrt(variance + epsilon). */
export function groupNormalize(form: GroupForm): Kernel {
  const printer = new GroupPrinter(form);
  return printer.kernel(["a"], {
    name: "group_normalize",
    summary: "Normalisation of each group of channels, of an image or of a pixel.",
    body: wgsl`
      ${printer.start}
      ${printer.moments}
      ${printer.loop(["a", "y"], "result[y_at] = (a[a_at] - mean) / deviation;")}`,
  });
}

/** With y the normalised x: (dy - mean(dy) - y mean(dy y)) / deviation. */
export function groupNormalizeGradient(form: GroupForm): Kernel {
  const printer = new GroupPrinter(form);
  return printer.kernel(["a", "d"], {
    name: "group_normalize_gradient",
    summary: "Normalisation of each group of channels, gradient.",
    body: wgsl`
      ${printer.start}
      ${printer.moments}
      var gradients = zero;
      var products = zero;
      ${printer.loop(
        ["a", "d"],
        "gradients += d[d_at];",
        "products += d[d_at] * (a[a_at] - mean);",
      )}
      let offset = ${printer.total("gradients")} / count;
      let slope = ${printer.total("products")} / count / deviation / deviation;
      ${printer.loop(
        ["a", "d", "y"],
        "result[y_at] = (d[d_at] - offset - (a[a_at] - mean) * slope) / deviation;",
      )}`,
  });
}
