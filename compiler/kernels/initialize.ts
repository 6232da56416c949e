import { written } from "./bindings.js";
import { code, frame, helper, named, startThread, text, type Code, type Declared } from "./code.js";
import { defineKernel } from "./define-kernel.js";
import { THREEFRY, TO_UNIT } from "./random.js";

const LANES = 64;

/** Numbers of the initial distributions in the step's constants. */
export const DISTRIBUTIONS = { constant: 0, uniform: 1, normal: 2 } as const;

const VALUES = {
  size: "u32",
  distribution: "u32",
  first: "f32",
  second: "f32",
  stream: "u32",
} as const;

const DENSE = { length: "u32" } as const;

const CONTRACTION = {
  kernel_height: "u32",
  kernel_width: "u32",
  inputs: "u32",
  input_pitch: "u32",
  outputs: "u32",
  first_output: "u32",
  output_pitch: "u32",
  run: "u32",
} as const;

type In<Names> = Readonly<Record<keyof Names, Code>>;

const SUMMARY = "Initial values of a parameter, from the counter-based generator.";

/**
 * Fills one buffer of a parameter that lies in PyTorch's order. The random numbers are keyed by the
 * element's place in that order, so that a seed gives the same network whatever the layout. Padding
 * becomes zero. First and second: value; low and high; mean and standard deviation.
 */
export const initializeDense = defineKernel("initialize_dense", ({ hasZeros }: DenseVariant) => ({
  suffix: hasZeros ? "_zeros" : "",
  summary: SUMMARY,
  bindings: { result: written("f32") },
  constants: {
    ...VALUES,
    ...DENSE,
    first_zero: hasZeros ? "u32" : undefined,
    zeros: hasZeros ? "u32" : undefined,
  } as const,
  lanes: LANES,
  body: ({ io, k }) =>
    fill(k, denseIndex(k), (value) => {
      const isZero = k.zeros && code`thread - ${k.first_zero} < ${k.zeros}`;
      return io.result.store(code`thread`, isZero ? code`select(${value}, 0.0, ${isZero})` : value);
    }),
}));

/** Whether some of the elements begin with 0 whatever the others do. */
interface DenseVariant {
  readonly hasZeros: boolean;
}

/** The same for weights of a contraction, in the layout of compiler/layout/parameters.ts. */
export const initializeContraction = defineKernel("initialize_contraction", () => ({
  summary: SUMMARY,
  bindings: { result: written("f32") },
  constants: { ...VALUES, ...CONTRACTION },
  lanes: LANES,
  body: ({ io, k }) =>
    fill(k, contractionIndex(k), (value) => io.result.store(code`thread`, value)),
}));

function fill(k: In<typeof VALUES>, indexOf: Declared, store: (value: Code) => Code): Code {
  const draw = drawOf(k);
  return code`
    ${startThread(LANES)}
    if (thread < ${k.size}) {
      let index = ${indexOf}(thread);
      ${store(code`select(0.0, ${draw}(index), index != ${PADDING})`)}
    }`;
}

const PADDING = named("PADDING", text("0xffffffffu"));

const drawOf = (k: In<typeof VALUES>) =>
  helper(
    "draw",
    code`
      fn draw(index: u32) -> f32 {
        let first = ${k.first};
        let second = ${k.second};
        let words = ${THREEFRY}(vec2u(${frame.seed}, ${k.stream}), vec2u(index, 0xffffffffu));
        switch ${k.distribution} {
          case ${named("UNIFORM", DISTRIBUTIONS.uniform)}: {
            return first + (second - first) * ${TO_UNIT}(words.x);
          }
          case ${named("NORMAL", DISTRIBUTIONS.normal)}: {
            // Box-Muller; 1 - u keeps the logarithm finite.
            let radius = sqrt(-2.0 * log(1.0 - ${TO_UNIT}(words.x)));
            return first + second * radius * cos(6.2831853 * ${TO_UNIT}(words.y));
          }
          default: {
            return first;
          }
        }
      }`,
  );

const denseIndex = ({ length }: In<typeof DENSE>) =>
  helper(
    "logical_index",
    code`
      fn logical_index(thread: u32) -> u32 {
        return select(${PADDING}, thread, thread < ${length});
      }`,
  );

/** From [group][kernel row][run][output] to [output, input, row, column]. */
const contractionIndex = (k: In<typeof CONTRACTION>) => {
  const firstRow = code`(channel * ${k.inputs} + input) * ${k.kernel_height}`;
  return helper(
    "logical_index",
    code`
      fn logical_index(thread: u32) -> u32 {
        let output = thread % ${k.output_pitch};
        let row = thread / ${k.output_pitch};
        let value = row % ${k.run};
        let kernel_row = row / ${k.run} % ${k.kernel_height};
        let group = row / ${k.run} / ${k.kernel_height};
        let column = value / ${k.input_pitch};
        let input = value % ${k.input_pitch};
        if (output >= ${k.outputs} || input >= ${k.inputs} || column >= ${k.kernel_width}) {
          return ${PADDING};
        }
        let channel = group * ${k.outputs} + ${k.first_output} + output;
        return (${firstRow} + kernel_row) * ${k.kernel_width} + column;
      }`,
  );
};
