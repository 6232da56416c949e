import type { Expression } from "../ir/expression.js";
import { plain, raw } from "./bridge.js";
import { IDENTITY, type Epilogue } from "./epilogue.js";
import { describe, expressionDeclarations, print } from "./expression.js";
import type { Kernel } from "./kernel.js";
import { LOWEST_RANK, RANK_OF, RELU } from "./not-a-number.js";
import { quadKernel, type QuadSkeleton } from "./pointwise-old.js";
import { times, wgsl } from "./wgsl.js";

/**
 * Pooling and its gradients. A thread makes one channel quad of one pixel. Window corners are
 * computed in i32, since padding puts them outside; a window is cut to the image, so padding needs
 * no values.
 */

const WINDOW = [
  ...["input_height", "input_width", "kernel_height", "kernel_width"],
  ...["stride_height", "stride_width", "padding_top", "padding_left"],
];

/**
 * Loops over the part of the output pixel's window that lies inside the image, at (row, column).
 */
const overWindow = (body: string) => wgsl`
  let top = i32(y * constants.stride_height) - i32(constants.padding_top);
  let left = i32(x * constants.stride_width) - i32(constants.padding_left);
  let last_row = min(top + i32(constants.kernel_height), i32(constants.input_height));
  let last_column = min(left + i32(constants.kernel_width), i32(constants.input_width));
  for (var row = max(top, 0); row < last_row; row++) {
    for (var column = max(left, 0); column < last_column; column++) {
      ${body}
    }
  }`;

/**
 * Loops over the output pixels (oy, ox) whose windows cover the input pixel (y, x); (row, column)
 * is its place in the window.
 */
const overWindows = (body: string) => wgsl`
  let top = y + constants.padding_top;
  let left = x + constants.padding_left;
  let first_y = select((top - constants.kernel_height) / constants.stride_height + 1u, 0u, top < constants.kernel_height);
  let first_x = select((left - constants.kernel_width) / constants.stride_width + 1u, 0u, left < constants.kernel_width);
  for (var oy = first_y; oy < min(top / constants.stride_height + 1u, constants.output_height); oy++) {
    for (var ox = first_x; ox < min(left / constants.stride_width + 1u, constants.output_width); ox++) {
      let row = top - oy * constants.stride_height;
      let column = left - ox * constants.stride_width;
      ${body}
    }
  }`;

const INPUT = ["a_image", "a_row", "a_column", "a_base"];
const OUTPUT = ["output_height", "output_width"];

const inputQuad =
  "a[constants.a_base + image * constants.a_image + u32(row) * constants.a_row + u32(column) * constants.a_column + quad]";

const gradientQuad =
  "a[constants.a_base + image * constants.a_image + oy * constants.a_row + ox * constants.a_column + quad]";

/**
 * How winners are kept: four channels to a word, for windows of up to 255 elements, or a word each.
 */
export type CodeWidth = "bytes" | "words";

const CODES = {
  bytes: {
    element: "u32",
    pack: "code.x | (code.y << 8u) | (code.z << 16u) | (code.w << 24u)",
    unpack: "(vec4u(codes[at]) >> vec4u(0, 8, 16, 24)) & vec4u(255)",
    noWinner: "255",
  },
  words: { element: "vec4u", pack: "code", unpack: "codes[at]", noWinner: "0xffffffffu" },
} as const;

export interface MaxPoolVariant {
  /** Whether results below 0 become 0, without a winner. */
  readonly relu: boolean;
  /** Whether winners are kept for the gradient. */
  readonly keepsCodes: boolean;
  readonly codes: CodeWidth;
  /**
   * A line for each channel, on which values lie before they are compared; themselves if absent.
   */
  readonly line?: PoolLine | undefined;
}

/** Operand 0 is the value, channels from 1 on the vectors that are bound. */
export interface PoolLine {
  readonly expression: Expression;
  readonly slope: Expression;
  readonly vectors: number;
}

/** Elements are compared by their ranks, so that NaN wins, as in PyTorch. */
export function maxPool(variant: MaxPoolVariant): Kernel {
  const { relu, keepsCodes, codes, line } = variant;
  const start = relu && !line ? "0" : LOWEST_RANK;
  const { element, pack, noWinner } = CODES[codes];
  const takesWinner = keepsCodes
    ? wgsl`
      let place = u32(row - top) * constants.kernel_width + u32(column - left);
      code = select(code, vec4u(place), candidate > winner);`
    : "";
  return quadKernel({
    name: `max_pool${line ? `_of_${describe(line.expression)}` : ""}${relu ? "_relu" : ""}${keepsCodes ? `_${codes}` : ""}`,
    summary: `Max pooling${relu ? " and ReLU" : ""}: the largest of a window${keepsCodes ? ", and which it was" : ""}.`,
    storage: [
      { name: "a", access: "read", element: "vec4f" },
      ...(keepsCodes ? [{ name: "codes", access: "read_write", element } as const] : []),
      ...times(line?.vectors ?? 0, (index) => {
        return { name: `p${index + 1}`, access: "read", element: "vec4f" } as const;
      }),
    ],
    constants: [...INPUT, ...WINDOW],
    inputs: [],
    declarations: [
      RANK_OF,
      ...(line ? [...(relu ? [RELU] : []), ...expressionDeclarations([line.expression])] : []),
    ],
    result: onLine(
      line,
      variant,
      wgsl`
      var winner = vec4i(${start});
      ${keepsCodes ? `var code = vec4u(${noWinner});` : ""}
      ${overWindow(wgsl`
        let candidate = rank_of(${line ? "rises * " : ""}${inputQuad});
        ${takesWinner}
        winner = max(winner, candidate);`)}
      ${line ? "var" : "let"} value = ranked(winner);`,
    ),
    after: keepsCodes ? `codes[thread] = ${pack};` : "",
    epilogue: IDENTITY,
  });
}

const printLine = (line: PoolLine, part: "expression" | "slope") =>
  plain(
    print(line[part], {
      type: "vec4f",
      operand: () => raw("(rises * value)"),
      channel: (index) => raw(`p${index}[quad]`),
      counter: raw("0u"),
    }),
  );

/**
 * The largest value on a line is that of the largest or of the smallest element, whichever way the
 * line goes; on a level one, of the first. So the line's rounding plays no part in who wins.
 */
function onLine(
  line: PoolLine | undefined,
  { relu, keepsCodes, codes }: MaxPoolVariant,
  winner: string,
): string {
  if (!line) return winner;
  const { noWinner } = CODES[codes];
  const cut = wgsl`
    value = relu(value);
    ${keepsCodes ? `code = select(code, vec4u(${noWinner}), value == vec4f(0));` : []}`;
  return wgsl`
    let rises = sign(${printLine(line, "slope")});
    ${winner}
    value = ${printLine(line, "expression")};
    ${relu ? cut : []}`;
}

/** Each input gathers the gradients of the windows that it won. */
export function maxPoolGradient(
  codes: CodeWidth,
  epilogue: Epilogue,
  skeleton: QuadSkeleton = quadKernel,
): Kernel {
  const { element, unpack } = CODES[codes];
  return skeleton({
    name: `max_pool_gradient_${codes}`,
    summary: "Max pooling, gradient: an input gathers from the windows that it won.",
    storage: [
      { name: "a", access: "read", element: "vec4f" },
      { name: "codes", access: "read", element },
    ],
    constants: [...INPUT, ...WINDOW, ...OUTPUT],
    inputs: [],
    result: wgsl`
      var value = vec4f(0);
      ${overWindows(wgsl`
        let window = (image * constants.output_height + oy) * constants.output_width + ox;
        let at = window * constants.quads + quad;
        let code = ${unpack};
        let place = row * constants.kernel_width + column;
        value += select(vec4f(0), ${gradientQuad}, code == vec4u(place));`)}`,
    epilogue,
  });
}

/**
 * What a sliding average divides by. `padded`: the window's size, cut only where it passes the
 * padded image; `inside`: the elements inside the image.
 */
export type Divisor = "padded" | "inside";

const divisorFunction = (divisor: Divisor) =>
  divisor === "inside"
    ? wgsl`
      fn extent(start: i32, kernel: u32, padding: u32, size: u32, after: u32) -> f32 {
        return f32(min(start + i32(kernel), i32(size)) - max(start, 0));
      }`
    : wgsl`
      fn extent(start: i32, kernel: u32, padding: u32, size: u32, after: u32) -> f32 {
        return f32(min(start + i32(kernel), i32(size + after)) - start);
      }`;

const AVERAGE = [...WINDOW, "padding_bottom", "padding_right"];

const area = (top: string, left: string) =>
  `extent(${top}, constants.kernel_height, constants.padding_top, constants.input_height, constants.padding_bottom)` +
  ` * extent(${left}, constants.kernel_width, constants.padding_left, constants.input_width, constants.padding_right)`;

export function averagePool(divisor: Divisor, epilogue: Epilogue): Kernel {
  return quadKernel({
    name: `average_pool_${divisor}`,
    summary: "Average pooling: the mean of a window.",
    storage: [{ name: "a", access: "read", element: "vec4f" }],
    constants: [...INPUT, ...AVERAGE],
    inputs: [],
    declarations: [divisorFunction(divisor)],
    result: wgsl`
      var sum = vec4f(0);
      ${overWindow(`sum += ${inputQuad};`)}
      let value = sum / (${area("top", "left")});`,
    epilogue,
  });
}

export function averagePoolGradient(
  divisor: Divisor,
  epilogue: Epilogue,
  skeleton: QuadSkeleton = quadKernel,
): Kernel {
  return skeleton({
    name: `average_pool_gradient_${divisor}`,
    summary:
      "Average pooling, gradient: an input gathers its share of every window that covers it.",
    storage: [{ name: "a", access: "read", element: "vec4f" }],
    constants: [...INPUT, ...AVERAGE, ...OUTPUT],
    inputs: [],
    declarations: [divisorFunction(divisor)],
    result: wgsl`
      var value = vec4f(0);
      ${overWindows(wgsl`
        let window_top = i32(oy * constants.stride_height) - i32(constants.padding_top);
        let window_left = i32(ox * constants.stride_width) - i32(constants.padding_left);
        value += ${gradientQuad} / (${area("window_top", "window_left")});`)}`,
    epilogue,
  });
}

const ADAPTIVE = ["input_height", "input_width", "output_height", "output_width"];

/** PyTorch's adaptive windows: i of n covers floor(i * size / n) up to ceil((i + 1) * size / n). */
const ADAPTIVE_WINDOW = `fn window_start(index: u32, size: u32, count: u32) -> u32 {
  return index * size / count;
}

fn window_end(index: u32, size: u32, count: u32) -> u32 {
  return ((index + 1u) * size + count - 1u) / count;
}`;

export function adaptiveAveragePool(epilogue: Epilogue): Kernel {
  return quadKernel({
    name: "adaptive_average_pool",
    summary: "Adaptive average pooling: means of windows that divide the image evenly.",
    storage: [{ name: "a", access: "read", element: "vec4f" }],
    constants: [...INPUT, ...ADAPTIVE],
    inputs: [],
    declarations: [ADAPTIVE_WINDOW],
    result: wgsl`
      let top = window_start(y, constants.input_height, constants.output_height);
      let bottom = window_end(y, constants.input_height, constants.output_height);
      let left = window_start(x, constants.input_width, constants.output_width);
      let right = window_end(x, constants.input_width, constants.output_width);
      var sum = vec4f(0);
      for (var row = top; row < bottom; row++) {
        for (var column = left; column < right; column++) {
          sum += ${inputQuad};
        }
      }
      let value = sum / f32((bottom - top) * (right - left));`,
    epilogue,
  });
}

/** Windows may overlap when the input is smaller than the output, so every window is asked. */
export function adaptiveAveragePoolGradient(
  epilogue: Epilogue,
  skeleton: QuadSkeleton = quadKernel,
): Kernel {
  return skeleton({
    name: "adaptive_average_pool_gradient",
    summary: "Adaptive average pooling, gradient.",
    storage: [{ name: "a", access: "read", element: "vec4f" }],
    constants: [...INPUT, ...ADAPTIVE],
    inputs: [],
    declarations: [ADAPTIVE_WINDOW],
    result: wgsl`
      var value = vec4f(0);
      for (var oy = 0u; oy < constants.output_height; oy++) {
        let top = window_start(oy, constants.input_height, constants.output_height);
        let bottom = window_end(oy, constants.input_height, constants.output_height);
        if (y < top || y >= bottom) {
          continue;
        }
        for (var ox = 0u; ox < constants.output_width; ox++) {
          let left = window_start(ox, constants.input_width, constants.output_width);
          let right = window_end(ox, constants.input_width, constants.output_width);
          if (x >= left && x < right) {
            value += ${gradientQuad} / f32((bottom - top) * (right - left));
          }
        }
      }`,
    epilogue,
  });
}
