import { assemble, type Kernel } from "./kernel.js";
import { THREEFRY } from "./random.js";
import { wgsl } from "./wgsl.js";

export const INITIALIZE_WORKGROUP = 64;

/** Numbers of the initial distributions in the step's constants. */
export const DISTRIBUTIONS = { constant: 0, uniform: 1, normal: 2 } as const;

/**
 * Fills one buffer of a parameter. The random numbers are keyed by the element's place in PyTorch's order, so that a seed gives the
 * same network whatever the layout. Padding becomes zero. (a, b): value; low and high; mean and standard deviation.
 */
export function initialize(layout: "contraction" | "dense"): Kernel {
  return assemble({
    name: `initialize_${layout}`,
    summary: "Initial values of a parameter, from the counter-based generator.",
    storage: [{ name: "y", access: "read_write", element: "f32" }],
    constants: [
      ...["size", "length", "distribution", "a", "b", "stream"],
      ...(layout === "contraction" ? CONTRACTION_FIELDS : []),
    ],
    workgroupSize: INITIALIZE_WORKGROUP,
    declarations: [THREEFRY, DRAW, layout === "contraction" ? CONTRACTION_INDEX : DENSE_INDEX],
    body: wgsl`
      let thread = block * ${INITIALIZE_WORKGROUP}u + lane;
      if (thread < constants.size) {
        let index = logical_index(thread);
        y[thread] = select(0.0, draw(index), index != PADDING);
      }`,
  });
}

const CONTRACTION_FIELDS = [
  ...["kernel_height", "kernel_width", "inputs", "input_pitch"],
  ...["outputs", "first_output", "output_pitch", "run"],
];

const DRAW = wgsl`
  const PADDING = 0xffffffffu;

  fn draw(index: u32) -> f32 {
    let a = bitcast<f32>(constants.a);
    let b = bitcast<f32>(constants.b);
    let words = threefry(vec2u(frame.seed, constants.stream), vec2u(index, 0xffffffffu));
    switch constants.distribution {
      case ${DISTRIBUTIONS.uniform}u: {
        return a + (b - a) * to_unit(words.x);
      }
      case ${DISTRIBUTIONS.normal}u: {
        // Box-Muller; 1 - u keeps the logarithm finite.
        let radius = sqrt(-2.0 * log(1.0 - to_unit(words.x)));
        return a + b * radius * cos(6.2831853 * to_unit(words.y));
      }
      default: {
        return a;
      }
    }
  }`;

const DENSE_INDEX = `fn logical_index(thread: u32) -> u32 {
  return select(PADDING, thread, thread < constants.length);
}`;

/** Inverse of program.ts's \`contraction\` layout: [group][kernel row][run][output] to [output, input, row, column]. */
const CONTRACTION_INDEX = `fn logical_index(thread: u32) -> u32 {
  let output = thread % constants.output_pitch;
  let row = thread / constants.output_pitch;
  let value = row % constants.run;
  let kernel_row = row / constants.run % constants.kernel_height;
  let group = row / constants.run / constants.kernel_height;
  let column = value / constants.input_pitch;
  let input = value % constants.input_pitch;
  if (output >= constants.outputs || input >= constants.inputs || column >= constants.kernel_width) {
    return PADDING;
  }
  let channel = group * constants.outputs + constants.first_output + output;
  return ((channel * constants.inputs + input) * constants.kernel_height + kernel_row) * constants.kernel_width + column;
}`;
