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

const LANES = 64;

/** What the numbers of a head are read as, and how many of these there are. */
export interface HeadForm {
  readonly element: "f32" | "vec4f";
  readonly size: number;
  readonly causal: boolean;
}

const suffixOf = ({ element, size, causal }: HeadForm) =>
  `_${size}${element === "vec4f" ? "_quads" : ""}${causal ? "_causal" : ""}`;

/** Pitches are in elements of the form, those of `rows` in floats. */
const CONSTANTS = {
  x: "place",
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

/** What a query adds up over its keys, and the logarithm of its sum of exponentials. */
export const attention = defineKernel("attention", (form: HeadForm) => ({
  suffix: suffixOf(form),
  summary: "Attention of one query and head: keys one after the other.",
  bindings: { x: read(form.element), result: written(form.element), rows: written("f32") },
  constants: { ...CONSTANTS, y: "place" },
  lanes: LANES,
  body: ({ io, k }) => {
    const head = new HeadCode(form);
    return code`
      ${start(form.size, k, QUERY)}
      let query_at = ${tokenAt(k.x.at, QUERY)} + first;
      ${head.load("q", io.x, code`query_at`, k.scale)}
      ${head.zero("o")}
      var most = ${LOWEST};
      var sum = ${float(0)};
      var key_at = ${tokenAt(k.x.at, code`0u`)} + width + first;
      for (var key = 0u; key < ${endOf(form, k.tokens)}; key++) {
        let value_at = key_at + width;
        ${head.dot(SCORE, head.of("q"), head.in(io.x, code`key_at`))}
        let most_before = most;
        most = max(most, score);
        let kept = exp(most_before - most);
        let share = exp(score - most);
        sum = fma(sum, kept, share);
        ${head.scale("o", code`kept`)}
        ${head.addScaled("o", code`share`, head.in(io.x, code`value_at`))}
        key_at += ${k.x.column};
      }
      let result_at = ${tokenAt(k.y.at, QUERY)} + first;
      let part = 1.0 / sum;
      ${head.store("o", io.result, code`result_at`, code`part`)}
      ${io.rows.store(code`${tokenAt(k.rows.at, QUERY)} + head`, code`most + log(sum)`)}`;
  },
}));

/** The gradient of a query, and the product of its result and that result's gradient. */
export const attentionQueries = defineKernel("attention_queries", (form: HeadForm) => ({
  suffix: suffixOf(form),
  summary: "Attention, gradient of one query and head: keys one after the other.",
  bindings: {
    x: read(form.element),
    y: read(form.element),
    rows: read("f32"),
    d: read(form.element),
    result: written(form.element),
    products: written("f32"),
  },
  constants: { ...CONSTANTS, y: "place", d: "place", result: "place" },
  lanes: LANES,
  body: ({ io, k }) => {
    const head = new HeadCode(form);
    return code`
      ${start(form.size, k, QUERY)}
      let query_at = ${tokenAt(k.x.at, QUERY)} + first;
      ${head.load("q", io.x, code`query_at`, k.scale)}
      let d_at = ${tokenAt(k.d.at, QUERY)} + first;
      ${head.load("d", io.d, code`d_at`)}
      let y_at = ${tokenAt(k.y.at, QUERY)} + first;
      ${head.dot(code`product`, head.of("d"), head.in(io.y, code`y_at`))}
      let row_at = ${tokenAt(k.rows.at, QUERY)} + ${HEAD};
      let logarithm = ${io.rows.load(code`row_at`)};
      ${head.zero("g")}
      var key_at = ${tokenAt(k.x.at, code`0u`)} + width + first;
      for (var key = 0u; key < ${endOf(form, k.tokens)}; key++) {
        let value_at = key_at + width;
        ${head.dot(SCORE, head.of("q"), head.in(io.x, code`key_at`))}
        ${head.dot(code`slope`, head.of("d"), head.in(io.x, code`value_at`))}
        let change = exp(score - logarithm) * (slope - product);
        ${head.addScaled("g", code`change`, head.in(io.x, code`key_at`))}
        key_at += ${k.x.column};
      }
      let result_at = ${tokenAt(k.result.at, QUERY)} + first;
      ${head.store("g", io.result, code`result_at`, k.scale)}
      ${io.products.store(code`row_at`, code`product`)}`;
  },
}));

/** The gradients of a key and its value. */
export const attentionKeys = defineKernel("attention_keys", (form: HeadForm) => ({
  suffix: suffixOf(form),
  summary: "Attention, gradients of one key, value and head: queries one after the other.",
  bindings: {
    x: read(form.element),
    rows: read("f32"),
    products: read("f32"),
    d: read(form.element),
    result: written(form.element),
  },
  constants: { ...CONSTANTS, d: "place", result: "place" },
  lanes: LANES,
  body: ({ io, k }) => {
    const head = new HeadCode(form);
    const firstQuery = form.causal ? KEY : code`0u`;
    return code`
      ${start(form.size, k, KEY)}
      let key_at = ${tokenAt(k.x.at, KEY)} + width + first;
      ${head.load("k", io.x, code`key_at`, k.scale)}
      ${head.load("v", io.x, code`key_at + width`)}
      ${head.zero("g")}
      ${head.zero("h")}
      for (var query = ${firstQuery}; query < ${k.tokens}; query++) {
        let query_at = ${tokenAt(k.x.at, QUERY)} + ${FIRST};
        let d_at = ${tokenAt(k.d.at, QUERY)} + first;
        let row_at = ${tokenAt(k.rows.at, QUERY)} + head;
        ${head.dot(SCORE, head.of("k"), head.in(io.x, code`query_at`))}
        ${head.dot(code`slope`, head.of("v"), head.in(io.d, code`d_at`))}
        let share = exp(score - ${io.rows.load(code`row_at`)});
        let change = share * (slope - ${io.products.load(code`row_at`)});
        ${head.addScaled("g", code`change`, head.in(io.x, code`query_at`))}
        ${head.addScaled("h", code`share`, head.in(io.d, code`d_at`))}
      }
      let result_at = ${tokenAt(k.result.at, KEY)} + width + first;
      ${head.store("g", io.result, code`result_at`, k.scale)}
      ${head.store("h", io.result, code`result_at + width`)}`;
  },
}));
