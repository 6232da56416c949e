/** Rows of a table by tokens, and the gradient of the table. */
import { read, written } from "./bindings.js";
import {
  block,
  code,
  component,
  frame,
  lane,
  plane,
  text,
  times,
  workgroupArray,
  type Code,
} from "./code.js";
import { defineKernel } from "./define-kernel.js";
import { defineQuads, sizes } from "./quads.js";

const LANES = 64;

/** Tokens that a lane looks at before all lanes add up what they found: a bit of a word each. */
const TOKENS_OF_LANE = 32;

/** Channel quads that a workgroup adds up, one a lane. */
export const QUADS_OF_BLOCK = LANES;

/** Whether rows of the table begin at whole vec4. */
export interface TableForm {
  readonly element: "f32" | "vec4f";
}

const suffixOf = ({ element }: TableForm) => (element === "vec4f" ? "_quads" : "");

/** `own_channels` is the length of a row in elements of the form. */
export const embedding = defineQuads("embedding", (form: TableForm) => ({
  suffix: suffixOf(form),
  summary: "The row of a table for each token.",
  bindings: { tokens: read("u32"), table: read(form.element) },
  constants: { own_channels: "u32" } as const,
  value: ({ io, k }) => {
    const token = io.tokens.load(code`image * ${sizes.width} + x`);
    const start = code`let row_at = ${token} * ${k.own_channels};`;
    if (form.element === "vec4f")
      return code`
        ${start}
        let value = ${io.table.load(code`row_at + quad`)};`;
    return code`
      ${start}
      var value = vec4f(0);
      ${times(4, (index) => {
        const channel = code`4u * quad + ${index}`;
        return code`
          if (${channel} < ${k.own_channels}) {
            ${component(text("value"), index)} = ${io.table.load(code`row_at + ${channel}`)};
          }`;
      })}`;
  },
}));

const FOUND = workgroupArray("found", "u32", LANES);

/**
 * A workgroup adds up a block of channels of a row. Each lane looks for the row among some of the
 * tokens, and then each adds up the gradients of all that were found, in one order: the sum has the
 * same bits in each run, which sums by atomics have not.
 */
export const embeddingGradient = defineKernel("embedding_gradient", (form: TableForm) => ({
  suffix: suffixOf(form),
  summary: "Gradient of a table: a workgroup a row and block of channels.",
  bindings: { tokens: read("u32"), gradient: read("vec4f"), result: written(form.element) },
  constants: {
    gradient: "place",
    width: "u32",
    rows: "u32",
    channels: "u32",
    quads: "u32",
    padding: "u32",
    end: form.element === "f32" ? "u32" : undefined,
  } as const,
  lanes: LANES,
  body: ({ io, k }) => code`
    let row = ${block};
    let quad = ${plane} * ${QUADS_OF_BLOCK} + ${lane};
    let count = ${frame.batch} * ${k.width};
    var sum = vec4f(0);
    for (var first = 0u; first < count; first += ${LANES * TOKENS_OF_LANE}) {
      var mask = 0u;
      for (var bit = 0u; bit < ${TOKENS_OF_LANE}; bit++) {
        let at = first + bit * ${LANES} + ${lane};
        if (at < count && ${io.tokens.load(code`min(at, count - 1u)`)} == row) {
          mask |= 1u << bit;
        }
      }
      ${FOUND}[${lane}] = mask;
      workgroupBarrier();
      for (var other = 0u; other < ${LANES}; other++) {
        for (var left = ${FOUND}[other]; left != 0u; left &= left - 1u) {
          let at = first + firstTrailingBit(left) * ${LANES} + other;
          let place = ${k.gradient.at(code`at / ${k.width}`, text("0u"), code`at % ${k.width}`)};
          sum += ${io.gradient.load(code`place + min(quad, ${k.quads} - 1u)`)};
        }
      }
      workgroupBarrier();
    }
    sum = select(sum, vec4f(0), row == ${k.padding});
    if (row < ${k.rows} && quad < ${k.quads}) {
      ${storeRow(form, io.result.store, k.channels)}
    }
    ${k.end && clearEnd(io.result.store, { ...k, end: k.end })}`,
}));

type Store = (at: Code, value: Code) => Code;

const storeRow = ({ element }: TableForm, store: Store, channels: Code): readonly Code[] =>
  element === "vec4f"
    ? [store(code`row * ${channels} + quad`, text("sum"))]
    : storeEach(store, channels);

const storeEach = (store: Store, channels: Code): readonly Code[] =>
  times(4, (index) => {
    const channel = code`4u * quad + ${index}`;
    return code`
      if (${channel} < ${channels}) {
        ${store(code`row * ${channels} + ${channel}`, component(text("sum"), index))}
      }`;
  });

/** What fills up the table to whole vec4 is zero: norms and updates read it. */
const clearEnd = (store: Store, k: Readonly<Record<"rows" | "channels" | "end", Code>>) => {
  const at = code`${k.rows} * ${k.channels} + ${lane}`;
  return code`
    if (row == 0u && ${plane} == 0u && ${at} < ${k.end}) {
      ${store(at, text("0.0"))}
    }`;
};
