/**
 * Attention of several heads without its matrix of scores: a thread goes over the keys of a query,
 * or over the queries of a key, and keeps sums (Milakov and Gimelshein, "Online normalizer
 * calculation for softmax", 2018; Dao et al., "FlashAttention", 2022).
 */
import { read, written, type Loaded, type Stored } from "./bindings.js";
import {
  code,
  float,
  frame,
  locals,
  LOWEST,
  offset,
  startThread,
  text,
  type Code,
  type Hole,
} from "./code.js";
import { defineKernel } from "./define-kernel.js";
import { LARGER, largerOf, OR_NAN, orNan } from "./not-a-number.js";

const LANES = 64;

/** What the numbers of a head are read as, and how many of these there are. */
export interface HeadForm {
  readonly element: "f32" | "vec4f";
  readonly size: number;
  readonly causal: boolean;
}

const suffixOf = ({ element, size, causal }: HeadForm) =>
  `_${size}${element === "vec4f" ? "_quads" : ""}${causal ? "_causal" : ""}`;

/**
 * Places of the input, and of the one number that a row of scores leaves. Pitches are in elements
 * of the form, those of `rows` in floats.
 */
const CONSTANTS = {
  input: "place",
  rows: "place",
  tokens: "u32",
  heads: "u32",
  scale: "f32",
} as const;

/** The numbers of a head as variables. */
class HeadCode {
  private readonly type: Code;

  constructor(private readonly form: HeadForm) {
    this.type = text(form.element);
  }

  variables(prefix: string): readonly Code[] {
    return locals(prefix, this.form.size);
  }

  load(prefix: string, from: Loaded, at: Code, factor?: Code): Hole {
    return this.variables(prefix).map((name, index) => {
      const value = from.load(offset(at, index));
      return code`let ${name} = ${value}${factor ? code` * ${factor}` : undefined};`;
    });
  }

  zero(prefix: string): Hole {
    return this.variables(prefix).map((name) => code`var ${name} = ${this.type}(0);`);
  }

  /** `prefix += factor * value` for each number. */
  addScaled(prefix: string, factor: Code, value: (index: number) => Code): Hole {
    return this.variables(prefix).map(
      (name, index) => code`${name} = fma(${this.type}(${factor}), ${value(index)}, ${name});`,
    );
  }

  scale(prefix: string, factor: Code): Hole {
    return this.variables(prefix).map((name) => code`${name} *= ${factor};`);
  }

  store(prefix: string, to: Stored, at: Code, factor?: Code): Hole {
    return this.variables(prefix).map((name, index) =>
      to.store(offset(at, index), factor ? code`${name} * ${factor}` : name),
    );
  }

  /** `var name = a . b`, a sum over the head. */
  dot(name: Code, a: (index: number) => Code, b: (index: number) => Code): Hole {
    return this.variables("").map((_, index) => {
      const product =
        this.form.element === "vec4f"
          ? code`dot(${a(index)}, ${b(index)})`
          : code`${a(index)} * ${b(index)}`;
      return index === 0 ? code`var ${name} = ${product};` : code`${name} += ${product};`;
    });
  }

  /** The numbers of variables, and those in memory. */
  of(prefix: string): (index: number) => Code {
    const names = this.variables(prefix);
    return (index) => names[index]!;
  }

  in(from: Loaded, at: Code): (index: number) => Code {
    return (index) => from.load(offset(at, index));
  }
}

type PlaceAt = (image: Code, y: Code, x: Code) => Code;

interface Sizes {
  readonly tokens: Code;
  readonly heads: Code;
}

/** Finds the thread's `token`, `head` and `image`, and where the head begins: `first`. */
const start = (size: number, { tokens, heads }: Sizes, token: Code): Code => code`
  ${startThread(LANES)}
  let ${token} = thread % ${tokens};
  let head = thread / ${tokens} % ${heads};
  let image = thread / ${tokens} / ${heads};
  if (image >= ${frame.batch}) {
    return;
  }
  let first = head * ${size};
  let width = ${heads} * ${size};`;

const tokenAt = (at: PlaceAt, token: Code) => at(code`image`, code`0u`, token);

const [QUERY, KEY, SCORE, HEAD, FIRST] = [
  code`query`,
  code`key`,
  code`score`,
  code`head`,
  code`first`,
];

/** The end of a query's keys. */
const endOf = ({ causal }: HeadForm, tokens: Code) => (causal ? code`query + 1u` : tokens);

/** The share of a key in a row of scores, of which the forward pass left the logarithm. */
const SHARE = orNan(code`logarithm`, code`exp(score - logarithm)`);

/** What a query adds up over its keys, and the logarithm of its sum of exponentials. */
export const attention = defineKernel("attention", (form: HeadForm) => ({
  suffix: suffixOf(form),
  summary: "Attention of one query and head: keys one after the other.",
  bindings: {
    input: read(form.element),
    result: written(form.element),
    rows: written("f32"),
  },
  constants: { ...CONSTANTS, result: "place" },
  lanes: LANES,
  declarations: [OR_NAN, LARGER],
  body: ({ io, k }) => {
    const head = new HeadCode(form);
    return code`
      ${start(form.size, k, QUERY)}
      let query_at = ${tokenAt(k.input.at, QUERY)} + first;
      ${head.load("query", io.input, code`query_at`, k.scale)}
      ${head.zero("value_sum")}
      var most = ${LOWEST};
      var sum = ${float(0)};
      var key_at = ${tokenAt(k.input.at, code`0u`)} + width + first;
      for (var key = 0u; key < ${endOf(form, k.tokens)}; key++) {
        let value_at = key_at + width;
        ${head.dot(SCORE, head.of("query"), head.in(io.input, code`key_at`))}
        let most_before = most;
        most = ${largerOf(code`most`, SCORE)};
        let kept = exp(most_before - most);
        let share = exp(score - most);
        sum = fma(sum, kept, share);
        ${head.scale("value_sum", code`kept`)}
        ${head.addScaled("value_sum", code`share`, head.in(io.input, code`value_at`))}
        key_at += ${k.input.column};
      }
      let result_at = ${tokenAt(k.result.at, QUERY)} + first;
      let part = ${orNan(code`most`, code`1.0 / sum`)};
      ${head.store("value_sum", io.result, code`result_at`, code`part`)}
      let logarithm = ${orNan(code`most`, code`most + log(sum)`)};
      ${io.rows.store(code`${tokenAt(k.rows.at, QUERY)} + head`, code`logarithm`)}`;
  },
}));

/** The gradient of a query, and the product of its result and that result's gradient. */
export const attentionQueries = defineKernel("attention_queries", (form: HeadForm) => ({
  suffix: suffixOf(form),
  summary: "Attention, gradient of one query and head: keys one after the other.",
  bindings: {
    input: read(form.element),
    output: read(form.element),
    rows: read("f32"),
    gradient: read(form.element),
    result: written(form.element),
    products: written("f32"),
  },
  constants: { ...CONSTANTS, output: "place", gradient: "place", result: "place" },
  lanes: LANES,
  declarations: [OR_NAN],
  body: ({ io, k }) => {
    const head = new HeadCode(form);
    return code`
      ${start(form.size, k, QUERY)}
      let query_at = ${tokenAt(k.input.at, QUERY)} + first;
      ${head.load("query", io.input, code`query_at`, k.scale)}
      let gradient_at = ${tokenAt(k.gradient.at, QUERY)} + first;
      ${head.load("gradient", io.gradient, code`gradient_at`)}
      let output_at = ${tokenAt(k.output.at, QUERY)} + first;
      ${head.dot(code`product`, head.of("gradient"), head.in(io.output, code`output_at`))}
      let row_at = ${tokenAt(k.rows.at, QUERY)} + ${HEAD};
      let logarithm = ${io.rows.load(code`row_at`)};
      ${head.zero("query_gradient")}
      var key_at = ${tokenAt(k.input.at, code`0u`)} + width + first;
      for (var key = 0u; key < ${endOf(form, k.tokens)}; key++) {
        let value_at = key_at + width;
        ${head.dot(SCORE, head.of("query"), head.in(io.input, code`key_at`))}
        ${head.dot(code`slope`, head.of("gradient"), head.in(io.input, code`value_at`))}
        let change = ${SHARE} * (slope - product);
        ${head.addScaled("query_gradient", code`change`, head.in(io.input, code`key_at`))}
        key_at += ${k.input.column};
      }
      let result_at = ${tokenAt(k.result.at, QUERY)} + first;
      ${head.store("query_gradient", io.result, code`result_at`, k.scale)}
      ${io.products.store(code`row_at`, code`product`)}`;
  },
}));

/** The gradients of a key and its value. */
export const attentionKeys = defineKernel("attention_keys", (form: HeadForm) => ({
  suffix: suffixOf(form),
  summary: "Attention, gradients of one key, value and head: queries one after the other.",
  bindings: {
    input: read(form.element),
    rows: read("f32"),
    products: read("f32"),
    gradient: read(form.element),
    result: written(form.element),
  },
  constants: { ...CONSTANTS, gradient: "place", result: "place" },
  lanes: LANES,
  declarations: [OR_NAN],
  body: ({ io, k }) => {
    const head = new HeadCode(form);
    const firstQuery = form.causal ? KEY : code`0u`;
    return code`
      ${start(form.size, k, KEY)}
      let key_at = ${tokenAt(k.input.at, KEY)} + width + first;
      ${head.load("key", io.input, code`key_at`, k.scale)}
      ${head.load("value", io.input, code`key_at + width`)}
      ${head.zero("key_gradient")}
      ${head.zero("value_gradient")}
      for (var query = ${firstQuery}; query < ${k.tokens}; query++) {
        let query_at = ${tokenAt(k.input.at, QUERY)} + ${FIRST};
        let gradient_at = ${tokenAt(k.gradient.at, QUERY)} + first;
        let row_at = ${tokenAt(k.rows.at, QUERY)} + head;
        ${head.dot(SCORE, head.of("key"), head.in(io.input, code`query_at`))}
        ${head.dot(code`slope`, head.of("value"), head.in(io.gradient, code`gradient_at`))}
        let logarithm = ${io.rows.load(code`row_at`)};
        let share = ${SHARE};
        let change = share * (slope - ${io.products.load(code`row_at`)});
        ${head.addScaled("key_gradient", code`change`, head.in(io.input, code`query_at`))}
        ${head.addScaled("value_gradient", code`share`, head.in(io.gradient, code`gradient_at`))}
      }
      let result_at = ${tokenAt(k.result.at, KEY)} + width + first;
      ${head.store("key_gradient", io.result, code`result_at`, k.scale)}
      ${head.store("value_gradient", io.result, code`result_at + width`)}`;
  },
}));
