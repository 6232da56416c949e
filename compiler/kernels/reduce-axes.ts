/** A value's elements along some of its axes as one, and the way back. A thread makes a quad. */
import { read } from "./bindings.js";
import { code, text, type Code, type Declared, type Hole } from "./code.js";
import { defineQuads } from "./quads.js";
import { LARGER, OR_NAN, orNan } from "./not-a-number.js";
import { SCALAR_FUNCTIONS } from "./scalar-functions.js";

export interface ReduceVariant {
  readonly by: "sum" | "max" | "logsumexp";
  /** Whether channels are among what is reduced: the result then has one. */
  readonly channels: boolean;
}

/** Minus infinity, of which WGSL has no constant. */
const LOWEST = code`lowest`;
const LOWEST_BITS = code`
  let lowest_bits = vec4u(0xff800000u);
  let lowest = bitcast<vec4f>(lowest_bits);`;

/** From what a reduction starts, and its next step with the quad `element`. */
interface Running {
  readonly start: Code;
  readonly step: (total: Code, element: Code) => Code;
  /** Of four lanes, the one. */
  readonly joined: (total: Code) => Code;
}

const [TOTAL, ELEMENT, MOST, SHIFT] = [code`total`, code`element`, code`most`, code`shift`];
const TOTAL_OF = code`total_of`;

const SUM: Running = {
  start: code`vec4f(0)`,
  step: (total, element) => code`${total} + ${element}`,
  joined: (total) => code`dot(${total}, vec4f(1))`,
};

const MAX: Running = {
  start: LOWEST,
  step: (total, element) => code`${LARGER}(${total}, ${element})`,
  joined: (total) =>
    code`${LARGER}(${LARGER}(${total}, ${total}.yxwz), ${LARGER}(${total}.zwxy, ${total}.wzyx)).x`,
};

const DECLARATIONS: Readonly<Record<ReduceVariant["by"], readonly Declared[]>> = {
  sum: [],
  max: [OR_NAN, LARGER],
  logsumexp: [OR_NAN, LARGER, SCALAR_FUNCTIONS.exp],
};

const CONSTANTS = {
  input: "place",
  rows: "u32",
  columns: "u32",
} as const;

/** The logarithm of how many zeros there are would lie behind the last channel. */
export const clearsChannels = ({ by, channels }: ReduceVariant): boolean =>
  by === "logsumexp" && !channels;

/** The logarithm where there is a channel. */
const ofChannels = (log: Code, channels: Code) =>
  code`select(
    vec4f(0), ${OR_NAN}(${TOTAL_OF}, ${log}), quad * 4u + vec4u(0, 1, 2, 3) < vec4u(${channels}))`;

export const reduce = defineQuads("reduce", ({ by, channels }: ReduceVariant) => ({
  suffix: `_${by}${channels ? "_channels" : ""}`,
  summary: `The ${by} of a value along some of its axes.`,
  bindings: { input: read("vec4f") },
  constants: {
    ...CONSTANTS,
    input_channels: channels ? "u32" : undefined,
    own_channels: clearsChannels({ by, channels }) ? "u32" : undefined,
  },
  declarations: DECLARATIONS[by],
  value: ({ io, k }) => {
    const load = code`${io.input.load(code`pixel_at + ${channels ? code`part` : code`quad`}`)}`;
    const count = k.input_channels;
    /** What lies behind the last channel counts as nothing. */
    const within = (value: Code, otherwise: Code) =>
      count
        ? code`select(${otherwise}, ${value}, part * 4u + vec4u(0, 1, 2, 3) < vec4u(${count}))`
        : value;
    const over = (total: Code, running: Running, element: Code): Hole => {
      const step = code`
        let element = ${within(element, running.start)};
        ${total} = ${running.step(total, ELEMENT)};`;
      const quads = count
        ? code`
          for (var part = 0u; part * 4u < ${count}; part++) {
            ${step}
          }`
        : step;
      return code`
        var ${total} = ${running.start};
        for (var row = y; row < y + ${k.rows}; row++) {
          for (var column = x; column < x + ${k.columns}; column++) {
            let pixel_at = ${k.input.at(code`image`, code`row`, code`column`)};
            ${quads}
          }
        }`;
    };
    const one = (value: Code) => (count ? code`vec4f(${value}, 0, 0, 0)` : value);
    const joined = (running: Running, total: Code) => (count ? running.joined(total) : total);
    if (by !== "logsumexp") {
      const running = by === "sum" ? SUM : MAX;
      return code`
        ${by === "max" && LOWEST_BITS}
        ${over(TOTAL, running, load)}
        let value = ${one(joined(running, TOTAL))};`;
    }
    const type = text(count ? "f32" : "vec4f");
    const log = code`most_of + log(${TOTAL_OF})`;
    return code`
      ${LOWEST_BITS}
      ${over(MOST, MAX, load)}
      let largest = ${joined(MAX, MOST)};
      // Infinite numbers would make NaN of their differences.
      let most_of = select(largest, ${type}(0), abs(largest) > ${type}(3.4e38));
      let shift = ${count ? code`vec4f(most_of)` : code`most_of`};
      ${over(TOTAL, SUM, code`${SCALAR_FUNCTIONS.exp}(${load} - ${SHIFT})`)}
      let ${TOTAL_OF} = ${joined(SUM, TOTAL)};
      let value = ${k.own_channels ? ofChannels(log, k.own_channels) : one(orNan(TOTAL_OF, log))};`;
  },
}));

/** Gradients, which may be spread as well, are 0 behind the last channel. */
export const spread = defineQuads("spread", ({ channels }: Pick<ReduceVariant, "channels">) => ({
  suffix: channels ? "_channels" : "",
  summary: "A value repeated along the axes on which it has one element.",
  bindings: { input: read("vec4f") },
  constants: {
    input: "place",
    input_height: "u32",
    input_width: "u32",
    own_channels: channels ? "u32" : undefined,
  },
  value: ({ io, k }) => {
    const row = code`min(y, ${k.input_height} - 1u)`;
    const column = code`min(x, ${k.input_width} - 1u)`;
    const at = k.input.at(code`image`, row, column);
    return k.own_channels
      ? code`
        let is_channel = quad * 4u + vec4u(0, 1, 2, 3) < vec4u(${k.own_channels});
        let value = select(vec4f(0), vec4f(${io.input.load(at)}.x), is_channel);`
      : code`let value = ${io.input.load(code`${at} + quad`)};`;
  },
}));
