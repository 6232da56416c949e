/**
 * Pooling and its gradients. A thread makes one channel quad of one pixel. Window corners are
 * computed in i32, since padding puts them outside; a window is cut to the image, so padding needs
 * no values.
 */
import type { Expression } from "../ir/expression.js";
import { read, written, type Loaded } from "./bindings.js";
import { code, Declaration, helper, named, text, times, type Code, type Hole } from "./code.js";
import type { ConstantCode, PlaceCode } from "./constants.js";
import { describe, expressionDeclarations, print } from "./expression.js";
import { LOWEST_RANK, RANK_OF, RANKED, RELU, RELU_RANK } from "./not-a-number.js";
import { defineQuads, sizes } from "./quads.js";

const INPUT = { input_height: "u32", input_width: "u32" } as const;

const WINDOW = {
  kernel_height: "u32",
  kernel_width: "u32",
  stride_height: "u32",
  stride_width: "u32",
  padding_top: "u32",
  padding_left: "u32",
} as const;

const OUTPUT = { output_height: "u32", output_width: "u32" } as const;

type InputSize = ConstantCode<typeof INPUT>;
type Window = ConstantCode<typeof WINDOW>;
type Output = ConstantCode<typeof OUTPUT>;

/**
 * Loops over the part of the output pixel's window that lies inside the image, at (row, column),
 * whose channel quad lies at `at`.
 */
const overWindow = (k: InputSize & Window & Input["k"], body: Hole) => code`
  // The window, less padding.
  let top = i32(y * ${k.stride_height}) - i32(${k.padding_top});
  let left = i32(x * ${k.stride_width}) - i32(${k.padding_left});
  let last_row = min(top + i32(${k.kernel_height}), i32(${k.input_height}));
  let last_column = min(left + i32(${k.kernel_width}), i32(${k.input_width}));
  let image_start = ${k.input.at(IMAGE, code`0u`, code`0u`)} + quad;
  for (var row = max(top, 0); row < last_row; row++) {
    let row_start = image_start + u32(row) * ${k.input.row};
    for (var column = max(left, 0); column < last_column; column++) {
      let at = row_start + u32(column) * ${k.input.column};
      ${body}
    }
  }`;

/** PyTorch's adaptive windows: i of n covers floor(i * size / n) up to ceil((i + 1) * size / n). */
const ADAPTIVE_WINDOW = new Declaration(code`
  fn window_start(index: u32, size: u32, count: u32) -> u32 {
    return index * size / count;
  }

  fn window_end(index: u32, size: u32, count: u32) -> u32 {
    return ((index + 1u) * size + count - 1u) / count;
  }`);

const WINDOW_START = helper("window_start", ADAPTIVE_WINDOW);
const WINDOW_END = helper("window_end", ADAPTIVE_WINDOW);

const DILATION = { dilation_height: "u32", dilation_width: "u32" } as const;
type Dilation = ConstantCode<typeof DILATION>;

/** The same of a window with holes. `place` is the element's in the kernel. */
const overHoles = (k: InputSize & Window & Dilation & Input["k"], body: Hole) => code`
  let top = i32(y * ${k.stride_height}) - i32(${k.padding_top});
  let left = i32(x * ${k.stride_width}) - i32(${k.padding_left});
  let image_start = ${k.input.at(IMAGE, code`0u`, code`0u`)} + quad;
  for (var i = 0u; i < ${k.kernel_height}; i++) {
    let row = top + i32(i * ${k.dilation_height});
    if (row < 0 || row >= i32(${k.input_height})) {
      continue;
    }
    let row_start = image_start + u32(row) * ${k.input.row};
    for (var j = 0u; j < ${k.kernel_width}; j++) {
      let column = left + i32(j * ${k.dilation_width});
      if (column < 0 || column >= i32(${k.input_width})) {
        continue;
      }
      let at = row_start + u32(column) * ${k.input.column};
      let place = i * ${k.kernel_width} + j;
      ${body}
    }
  }`;

/** The same of windows that divide the image evenly. */
const overEven = (k: InputSize & Output & { kernel_width: Code } & Input["k"], body: Hole) => code`
  let top = ${WINDOW_START}(y, ${k.input_height}, ${k.output_height});
  let left = ${WINDOW_START}(x, ${k.input_width}, ${k.output_width});
  let bottom = ${WINDOW_END}(y, ${k.input_height}, ${k.output_height});
  let right = ${WINDOW_END}(x, ${k.input_width}, ${k.output_width});
  for (var row = top; row < bottom; row++) {
    for (var column = left; column < right; column++) {
      let at = ${k.input.at(IMAGE, code`row`, code`column`)} + quad;
      let place = (row - top) * ${k.kernel_width} + column - left;
      ${body}
    }
  }`;

/** The first of the windows that cover what lies at `offset` in the padded image. */
const firstWindow = (offset: Code, kernel: Code, stride: Code) =>
  code`select((${offset} - ${kernel}) / ${stride} + 1u, 0u, ${offset} < ${kernel})`;

const endOfWindows = (offset: Code, stride: Code, count: Code) =>
  code`min(${offset} / ${stride} + 1u, ${count})`;

const endOfRows = (k: Window & Output) => endOfWindows(TOP, k.stride_height, k.output_height);
const endOfColumns = (k: Window & Output) => endOfWindows(LEFT, k.stride_width, k.output_width);

/**
 * Loops over the output pixels (output_y, output_x) whose windows cover the input pixel (y, x);
 * (row, column) is its place in the window.
 */
const overWindows = (k: Window & Output, body: Hole) => code`
  let top = y + ${k.padding_top};
  let left = x + ${k.padding_left};
  let first_y = ${firstWindow(TOP, k.kernel_height, k.stride_height)};
  let first_x = ${firstWindow(LEFT, k.kernel_width, k.stride_width)};
  for (var output_y = first_y; output_y < ${endOfRows(k)}; output_y++) {
    for (var output_x = first_x; output_x < ${endOfColumns(k)}; output_x++) {
      let row = top - output_y * ${k.stride_height};
      let column = left - output_x * ${k.stride_width};
      ${body}
    }
  }`;

const [TOP, LEFT, BOTTOM, RIGHT] = [code`top`, code`left`, code`bottom`, code`right`];
const [IMAGE, QUAD, Y, X] = [code`image`, code`quad`, code`y`, code`x`];
const [OUTPUT_Y, OUTPUT_X] = [code`output_y`, code`output_x`];
const [ROW, COLUMN] = [code`row`, code`column`];

/** What every one of them reads. */
interface Input {
  readonly io: { readonly input: Loaded };
  readonly k: { readonly input: PlaceCode };
}

const loadAt = ({ io, k }: Input, y: Code, x: Code) =>
  io.input.load(code`${k.input.at(IMAGE, y, x)} + ${QUAD}`);

/** The element of the window that is being looped over. */
const inputQuad = ({ io }: Input) => io.input.load(code`at`);

const gradientQuad = (input: Input) => loadAt(input, OUTPUT_Y, OUTPUT_X);

/**
 * How winners are kept: four channels to a word, for windows of up to 255 elements, or a word each.
 */
export type CodeWidth = "bytes" | "words";

const CODES = {
  bytes: {
    element: "u32",
    pack: code`code.x | (code.y << 8u) | (code.z << 16u) | (code.w << 24u)`,
    unpack: (packed: Code) => code`(vec4u(${packed}) >> vec4u(0, 8, 16, 24)) & vec4u(255)`,
    noWinner: named("NO_WINNER", 255),
  },
  words: {
    element: "vec4u",
    pack: code`code`,
    unpack: (packed: Code) => packed,
    noWinner: named("NO_WINNER", text("0xffffffffu")),
  },
} as const;

/** Which elements a window of a maximum has. */
export type Maxima = "sliding" | "dilated" | "even";

export interface MaxPoolVariant {
  readonly maxima: Maxima;
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

/** The binding of a line's vector, from 0 on. */
export const vectorName = (index: number): string => `vector${index + 1}`;

const vectorsOf = (line: PoolLine | undefined) =>
  Object.fromEntries(
    times(line?.vectors ?? 0, (index) => [vectorName(index), read("vec4f")] as const),
  );

const summaryOf = ({ relu, keepsCodes }: MaxPoolVariant) => {
  const name = `Max pooling${relu ? " and ReLU" : ""}`;
  return `${name}: the largest of a window${keepsCodes ? ", and which it was" : ""}.`;
};

/** What a kernel is given of its windows: of even ones, their size follows from the output's. */
function maximaConstants(maxima: Maxima) {
  const slides = maxima !== "even";
  const isDilated = maxima === "dilated";
  return {
    kernel_height: slides ? WINDOW.kernel_height : undefined,
    kernel_width: WINDOW.kernel_width,
    stride_height: slides ? WINDOW.stride_height : undefined,
    stride_width: slides ? WINDOW.stride_width : undefined,
    padding_top: slides ? WINDOW.padding_top : undefined,
    padding_left: slides ? WINDOW.padding_left : undefined,
    dilation_height: isDilated ? DILATION.dilation_height : undefined,
    dilation_width: isDilated ? DILATION.dilation_width : undefined,
  };
}

/** What the windows of each kind need is there in their kernels. */
type AnyWindow = InputSize & Window & Dilation & Output & Input["k"];

function overMaxima(maxima: Maxima, k: AnyWindow, body: Hole): Code {
  if (maxima === "even") return overEven(k, body);
  return maxima === "dilated" ? overHoles(k, body) : overWindow(k, body);
}

/** Elements are compared by their ranks, so that NaN wins, as in PyTorch. */
export const maxPool = defineQuads("max_pool", (variant: MaxPoolVariant) => {
  const { maxima, relu, keepsCodes, codes, line } = variant;
  const isEven = maxima === "even";
  const { element, pack, noWinner } = CODES[codes];
  // Without a line, ranks of negative numbers play no part in what ReLU keeps.
  const keepsPositive = relu && !line;
  const [rankOf, ranked] = keepsPositive
    ? ([RELU_RANK, code`bitcast<vec4f>`] as const)
    : ([RANK_OF, RANKED] as const);
  const words = [
    maxima === "sliding" ? "" : `_${maxima}`,
    line && `_of_${describe(line.expression)}`,
    relu && "_relu",
    keepsCodes && `_${codes}`,
  ];
  return {
    suffix: words.filter((word) => word).join(""),
    summary: summaryOf(variant),
    bindings: {
      input: read("vec4f"),
      codes: keepsCodes ? written(element) : undefined,
      ...vectorsOf(line),
    },
    constants: {
      input: "place",
      ...INPUT,
      ...maximaConstants(maxima),
      output_height: isEven ? OUTPUT.output_height : undefined,
      output_width: isEven ? OUTPUT.output_width : undefined,
    },
    declarations: [
      rankOf,
      ...(line && relu ? [RELU] : []),
      ...(line ? expressionDeclarations([line.expression]) : []),
    ],
    value: (scope) => {
      const k = scope.k as unknown as AnyWindow;
      const over = (body: Hole) => overMaxima(maxima, k, body);
      const vectors = scope.io as unknown as Readonly<Record<string, Loaded>>;
      const isSliding = maxima === "sliding";
      const place = code`let place = u32(row - top) * ${k.kernel_width} + u32(column - left);`;
      const takesWinner = code`
        ${isSliding && place}
        code = select(code, vec4u(place), candidate > winner);`;
      const winner = code`
        var winner = vec4i(${keepsPositive ? code`0` : LOWEST_RANK});
        ${keepsCodes && code`var code = vec4u(${noWinner});`}
        ${over(
          code`
            let candidate = ${rankOf}(${line && code`rises * `}${inputQuad(scope)});
            ${keepsCodes && takesWinner}
            winner = max(winner, candidate);`,
        )}
        ${line ? code`var` : code`let`} value = ${ranked}(winner);`;
      return line ? onLine(line, variant, { vectors, winner }) : winner;
    },
    after: ({ io }) => keepsCodes && io.codes.store(code`thread`, pack),
  };
});

interface OnLine {
  readonly vectors: Readonly<Record<string, Loaded>>;
  /** Statements that make `value`, the winner's. */
  readonly winner: Code;
}

/**
 * The largest value on a line is that of the largest or of the smallest element, whichever way the
 * line goes; on a level one, of the first. So the line's rounding plays no part in who wins.
 */
function onLine(
  line: PoolLine,
  { relu, keepsCodes, codes }: MaxPoolVariant,
  { vectors, winner }: OnLine,
): Code {
  const printed = (expression: Expression) =>
    print(expression, {
      type: "vec4f",
      operand: () => code`value`,
      channel: (index) => vectors[vectorName(index - 1)]!.load(QUAD),
      counter: () => code`0u`,
    });
  const { noWinner } = CODES[codes];
  const cut = code`
    value = ${RELU}(value);
    ${keepsCodes && code`code = select(code, vec4u(${noWinner}), value == vec4f(0));`}`;
  return code`
    let rises = sign(${printed(line.slope)});
    ${winner}
    value *= rises;
    value = ${printed(line.expression)};
    ${relu && cut}`;
}

export interface MaxPoolGradientVariant {
  readonly maxima: Maxima;
  readonly codes: CodeWidth;
}

/** Each input gathers the gradients of the windows that it won. */
export const maxPoolGradient = defineQuads(
  "max_pool_gradient",
  ({ maxima, codes }: MaxPoolGradientVariant) => {
    const { element, unpack } = CODES[codes];
    const isEven = maxima === "even";
    return {
      suffix: `${maxima === "sliding" ? "" : `_${maxima}`}_${codes}`,
      summary: "Max pooling, gradient: an input gathers from the windows that it won.",
      bindings: { input: read("vec4f"), codes: read(element) },
      constants: {
        input: "place",
        input_height: isEven ? INPUT.input_height : undefined,
        input_width: isEven ? INPUT.input_width : undefined,
        ...maximaConstants(maxima),
        ...OUTPUT,
      },
      value: (scope) => {
        const k = scope.k as unknown as AnyWindow;
        const place = code`let place = row * ${k.kernel_width} + column;`;
        const won = code`
          let window = (image * ${k.output_height} + output_y) * ${k.output_width} + output_x;
          let at = window * ${sizes.quads} + quad;
          let code = ${unpack(scope.io.codes.load(code`at`))};
          ${place}
          value += select(vec4f(0), ${gradientQuad(scope)}, code == vec4u(place));`;
        return code`
          var value = vec4f(0);
          ${windowsOf(maxima, k, won)}`;
      },
    };
  },
);

/** Windows that can be told apart: even ones may overlap. */
export type Unpooled = Exclude<Maxima, "even">;

/** Where a winner is, by its place in the window. */
const winnerPlace = (maxima: Unpooled, k: Window & Dilation): readonly [y: Code, x: Code] => {
  const isDilated = maxima === "dilated";
  const row = isDilated ? code`row * ${k.dilation_height}` : ROW;
  const column = isDilated ? code`column * ${k.dilation_width}` : COLUMN;
  return [
    code`y * ${k.stride_height} + ${row} - ${k.padding_top}`,
    code`x * ${k.stride_width} + ${column} - ${k.padding_left}`,
  ];
};

/** Each window gathers from its winner. */
export const maxUnpoolGradient = defineQuads(
  "max_unpool_gradient",
  ({ maxima, codes }: { readonly maxima: Unpooled; readonly codes: CodeWidth }) => {
    const { element, unpack, noWinner } = CODES[codes];
    return {
      suffix: `${maxima === "sliding" ? "" : `_${maxima}`}_${codes}`,
      summary: "Max unpooling, gradient: an input gathers from where its window put it.",
      bindings: { input: read("vec4f"), codes: read(element) },
      constants: { input: "place", ...maximaConstants(maxima), kernel_height: undefined },
      value: (scope) => {
        const k = scope.k as unknown as AnyWindow;
        const [winnerY, winnerX] = winnerPlace(maxima, k);
        return code`
          let winners = ${unpack(scope.io.codes.load(code`thread`))};
          var value = vec4f(0);
          for (var lane = 0u; lane < 4u; lane++) {
            let place = winners[lane];
            if (place == ${noWinner}) {
              continue;
            }
            let row = place / ${k.kernel_width};
            let column = place % ${k.kernel_width};
            value[lane] = ${loadAt(scope, winnerY, winnerX)}[lane];
          }`;
      },
    };
  },
);

function windowsOf(maxima: Maxima, k: AnyWindow, body: Hole): Code {
  if (maxima === "even") return ofEvenWindows(k, body);
  return maxima === "dilated" ? ofHoles(k, body) : overWindows(k, body);
}

/** The same of windows with holes: those that have the pixel at each element of the kernel. */
const ofHoles = (k: Window & Output & Dilation, body: Hole) => code`
  for (var row = 0u; row < ${k.kernel_height}; row++) {
    let top = i32(y + ${k.padding_top}) - i32(row * ${k.dilation_height});
    let output_y = u32(max(top, 0)) / ${k.stride_height};
    if (top < 0 || u32(top) % ${k.stride_height} != 0u || output_y >= ${k.output_height}) {
      continue;
    }
    for (var column = 0u; column < ${k.kernel_width}; column++) {
      let left = i32(x + ${k.padding_left}) - i32(column * ${k.dilation_width});
      let output_x = u32(max(left, 0)) / ${k.stride_width};
      if (left < 0 || u32(left) % ${k.stride_width} != 0u || output_x >= ${k.output_width}) {
        continue;
      }
      ${body}
    }
  }`;

/** The same of windows that divide the image evenly: the same rule, the other way round. */
const ofEvenWindows = (k: InputSize & Output, body: Hole) => code`
  let end_y = ${WINDOW_END}(y, ${k.output_height}, ${k.input_height});
  let end_x = ${WINDOW_END}(x, ${k.output_width}, ${k.input_width});
  let first_y = ${WINDOW_START}(y, ${k.output_height}, ${k.input_height});
  let first_x = ${WINDOW_START}(x, ${k.output_width}, ${k.input_width});
  for (var output_y = first_y; output_y < end_y; output_y++) {
    let row = y - ${WINDOW_START}(output_y, ${k.input_height}, ${k.output_height});
    for (var output_x = first_x; output_x < end_x; output_x++) {
      let column = x - ${WINDOW_START}(output_x, ${k.input_width}, ${k.output_width});
      ${body}
    }
  }`;

/**
 * What a sliding average divides by. `padded`: the window's size, cut only where it passes the
 * padded image; `inside`: the elements inside the image.
 */
export type Divisor = "padded" | "inside";

/** How many rows, or columns, of a window count, of which `size` could. */
const EXTENTS: Readonly<Record<Divisor, Code>> = {
  inside: helper(
    "extent",
    code`
      fn extent(start: i32, kernel: u32, size: u32) -> f32 {
        return f32(min(start + i32(kernel), i32(size)) - max(start, 0));
      }`,
  ),
  padded: helper(
    "extent",
    code`
      fn extent(start: i32, kernel: u32, size: u32) -> f32 {
        return f32(min(start + i32(kernel), i32(size)) - start);
      }`,
  ),
};

const BEHIND = { padding_bottom: "u32", padding_right: "u32" } as const;

/** The padding behind the image counts only in the padded one. */
const averageConstants = (divisor: Divisor) => ({
  ...INPUT,
  ...WINDOW,
  padding_bottom: divisor === "padded" ? BEHIND.padding_bottom : undefined,
  padding_right: divisor === "padded" ? BEHIND.padding_right : undefined,
});

/** How many elements of a window count. */
function area(
  divisor: Divisor,
  k: ConstantCode<ReturnType<typeof averageConstants>>,
  { top, left }: { readonly top: Code; readonly left: Code },
): Code {
  const extent = EXTENTS[divisor];
  const { padding_bottom: bottom, padding_right: right } = k;
  const rows = code`${k.input_height}${bottom && code` + ${bottom}`}`;
  const columns = code`${k.input_width}${right && code` + ${right}`}`;
  const height = code`${extent}(${top}, ${k.kernel_height}, ${rows})`;
  const width = code`${extent}(${left}, ${k.kernel_width}, ${columns})`;
  return code`${height} * ${width}`;
}

export interface AveragePoolVariant {
  readonly divisor: Divisor;
}

export const averagePool = defineQuads("average_pool", ({ divisor }: AveragePoolVariant) => ({
  suffix: `_${divisor}`,
  summary: "Average pooling: the mean of a window.",
  bindings: { input: read("vec4f") },
  constants: { input: "place", ...averageConstants(divisor) },
  value: (scope) => code`
    var sum = vec4f(0);
    ${overWindow(scope.k, code`sum += ${inputQuad(scope)};`)}
    let value = sum / (${area(divisor, scope.k, { top: TOP, left: LEFT })});`,
}));

export const averagePoolGradient = defineQuads(
  "average_pool_gradient",
  ({ divisor }: AveragePoolVariant) => ({
    suffix: `_${divisor}`,
    summary:
      "Average pooling, gradient: an input gathers its share of every window that covers it.",
    bindings: { input: read("vec4f") },
    constants: { input: "place", ...averageConstants(divisor), ...OUTPUT },
    value: (scope) => {
      const { k } = scope;
      const [top, left] = [code`window_top`, code`window_left`];
      const share = code`
        let window_top = i32(output_y * ${k.stride_height}) - i32(${k.padding_top});
        let window_left = i32(output_x * ${k.stride_width}) - i32(${k.padding_left});
        value += ${gradientQuad(scope)} / (${area(divisor, k, { top, left })});`;
      return code`
        var value = vec4f(0);
        ${overWindows(k, share)}`;
    },
  }),
);

const ADAPTIVE = { ...INPUT, ...OUTPUT } as const;

/** The first and the last row, or column, of the window `index`. */
const adaptiveRows = (k: ConstantCode<typeof ADAPTIVE>, index: Code) => code`
  let top = ${WINDOW_START}(${index}, ${k.input_height}, ${k.output_height});
  let bottom = ${WINDOW_END}(${index}, ${k.input_height}, ${k.output_height});`;

const adaptiveColumns = (k: ConstantCode<typeof ADAPTIVE>, index: Code) => code`
  let left = ${WINDOW_START}(${index}, ${k.input_width}, ${k.output_width});
  let right = ${WINDOW_END}(${index}, ${k.input_width}, ${k.output_width});`;

const ADAPTIVE_AREA = code`f32((${BOTTOM} - ${TOP}) * (${RIGHT} - ${LEFT}))`;

export const adaptiveAveragePool = defineQuads("adaptive_average_pool", () => ({
  summary: "Adaptive average pooling: means of windows that divide the image evenly.",
  bindings: { input: read("vec4f") },
  constants: { input: "place", ...ADAPTIVE },
  value: (scope) => code`
    ${adaptiveRows(scope.k, Y)}
    ${adaptiveColumns(scope.k, X)}
    var sum = vec4f(0);
    for (var row = top; row < bottom; row++) {
      for (var column = left; column < right; column++) {
        sum += ${loadAt(scope, ROW, COLUMN)};
      }
    }
    let value = sum / ${ADAPTIVE_AREA};`,
}));

/** Windows may overlap when the input is smaller than the output, so every window is asked. */
export const adaptiveAveragePoolGradient = defineQuads("adaptive_average_pool_gradient", () => ({
  summary: "Adaptive average pooling, gradient.",
  bindings: { input: read("vec4f") },
  constants: { input: "place", ...ADAPTIVE },
  value: (scope) => code`
    var value = vec4f(0);
    for (var output_y = 0u; output_y < ${scope.k.output_height}; output_y++) {
      ${adaptiveRows(scope.k, OUTPUT_Y)}
      if (y < top || y >= bottom) {
        continue;
      }
      for (var output_x = 0u; output_x < ${scope.k.output_width}; output_x++) {
        ${adaptiveColumns(scope.k, OUTPUT_X)}
        if (x >= left && x < right) {
          value += ${gradientQuad(scope)} / ${ADAPTIVE_AREA};
        }
      }
    }`,
}));
