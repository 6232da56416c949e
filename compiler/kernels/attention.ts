/**
 * Attention of several heads without its matrix of scores: a thread goes over the keys of a query,
 * or over the queries of a key, and keeps sums. A workgroup's threads have a head of an image in
 * common, so all of them read the same key at a time: a GPU loads it once, and so do software
 * adapters, to which loads of different places are slow (Milakov and Gimelshein, "Online normalizer
 * calculation for softmax", 2018; Dao et al., "FlashAttention", 2022).
 */
import { read, written, type Loaded, type Stored } from "./bindings.js";
import {
  block,
  code,
  float,
  frame,
  helper,
  lane,
  lanesNamed,
  locals,
  LOWEST,
  offset,
  startThread,
  text,
  type Code,
  type Hole,
} from "./code.js";
import type { ConstantCode, PlaceCode } from "./constants.js";
import { defineKernel } from "./define-kernel.js";
import { LARGER, largerOf, OR_NAN, orNan } from "./not-a-number.js";
import { KEEP_EXAMPLE } from "./random.js";

/** Tokens of a workgroup: what a wave of most GPUs has, of few tokens few are left over. */
export const ATTENTION_LANES = 32;
const LANES = lanesNamed(ATTENTION_LANES);

/** What the numbers of a head are read as, and how many of these there are. */
export interface HeadForm extends Sight {
  readonly element: "f32" | "vec4f";
  readonly size: number;
  readonly causal: boolean;
}

/** What else scores and shares depend on. */
interface Sight {
  /** Whether tokens are pixels of an image that see those of their window. */
  readonly hasWindows: boolean;
  /** Whether training drops shares of keys. */
  readonly drops: boolean;
}

const suffixOf = ({ element, size, causal, hasWindows, drops }: HeadForm) =>
  `_${size}${element === "vec4f" ? "_quads" : ""}` +
  `${causal ? "_causal" : ""}${hasWindows ? "_windows" : ""}${drops ? "_dropout" : ""}`;

/**
 * Places of the input, and of the one number that a row of scores leaves; sizes of images and
 * windows. Pitches are in elements of the form, those of `rows` and `gains` in floats.
 */
export function attentionConstants({ hasWindows, drops }: Sight) {
  const size = hasWindows ? "u32" : undefined;
  return {
    input: "place",
    rows: "place",
    gains: hasWindows ? "place" : undefined,
    tokens: hasWindows ? undefined : "u32",
    parts: "u32",
    heads: "u32",
    scale: "f32",
    height: size,
    width: size,
    window_height: size,
    window_width: size,
    shift_down: size,
    shift_across: size,
    rate: drops ? "f32" : undefined,
    stream: drops ? "u32" : undefined,
  } as const;
}

type Sizes = ConstantCode<ReturnType<typeof attentionConstants>>;

export const gainsBinding = ({ hasWindows }: Sight) => (hasWindows ? read("f32") : undefined);

/** The numbers of a head as variables. */
export class HeadCode {
  private readonly type: Code;

  constructor(private readonly form: Pick<HeadForm, "element" | "size">) {
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

/**
 * Finds the `image`, the `head` and where it begins, `first`, which a workgroup's threads have in
 * common, and the thread's `token`.
 */
const start = (form: HeadForm, k: Sizes, token: Code): Code => code`
  let part = ${block} % ${k.parts};
  let head = ${block} / ${k.parts} % ${k.heads};
  let image = ${block} / ${k.parts} / ${k.heads};
  if (image >= ${frame.batch}) {
    return;
  }
  ${form.hasWindows ? startWindow(k, token) : startToken(k, token)}
  let first = head * ${form.size};
  let width = ${k.heads} * ${form.size};`;

const startToken = (k: Sizes, token: Code): Code => code`
  let ${token} = part * ${LANES} + ${lane};
  if (${token} >= ${k.tokens}) {
    return;
  }`;

const [QUERY, KEY, SCORE, HEAD, FIRST] = [
  code`query`,
  code`key`,
  code`score`,
  code`head`,
  code`first`,
];

/**
 * Along an axis whose windows are counted from `shift`: a token's place, and from where to where
 * the tokens are that it sees.
 */
const SEEN = helper(
  "seen",
  code`
  fn seen(token: u32, count: u32, size: u32, shift: u32) -> vec3u {
    let place = (token + count - shift) % count;
    let start = place / size * size;
    let edge = count - shift;
    let least = select(start, max(start, edge), place >= edge);
    let end = select(min(start + size, edge), start + size, place >= edge);
    return vec3u(place, least, end);
  }`,
);

/**
 * The workgroup's window, from `window_row` and `window_column` on, where the thread's token is in
 * it, and what of it the token sees: `seen_rows` and `seen_columns`, each as `seen` has it.
 * Gains of pairs are as far from `own_gain` as the other token is from the first of all: numbers
 * below 0 wrap around.
 */
const startWindow = (k: Sizes, token: Code): Code => code`
  let window_tokens = ${k.window_height} * ${k.window_width};
  let window_parts = (window_tokens + ${LANES} - 1u) / ${LANES};
  let in_window = part % window_parts * ${LANES} + ${lane};
  if (in_window >= window_tokens) {
    return;
  }
  let windows_across = ${k.width} / ${k.window_width};
  let window_row = part / window_parts / windows_across * ${k.window_height};
  let window_column = part / window_parts % windows_across * ${k.window_width};
  let own_y = (window_row + in_window / ${k.window_width} + ${k.shift_down}) % ${k.height};
  let own_x = (window_column + in_window % ${k.window_width} + ${k.shift_across}) % ${k.width};
  let ${token} = own_y * ${k.width} + own_x;
  let seen_rows = ${SEEN}(own_y, ${k.height}, ${k.window_height}, ${k.shift_down});
  let seen_columns = ${SEEN}(own_x, ${k.width}, ${k.window_width}, ${k.shift_across});
  let span = 2u * ${k.window_width} - 1u;
  let down = ${k.window_height} - 1u ${sideOf(token)} seen_rows.x;
  let across = ${k.window_width} - 1u ${sideOf(token)} seen_columns.x;
  let gains_at = ${k.gains!.at(code`image`, code`0u`, code`0u`)} + head;
  let own_gain = gains_at + ${k.heads} * (down * span + across);`;

/** Gains are by the place of the query less that of the key. */
const sideOf = (token: Code): Code => (token === QUERY ? code`+` : code`-`);

/** The same for the other token of a pair. */
const otherSideOf = (token: Code): Code => (token === QUERY ? code`-` : code`+`);

/** Where the thread's own token is. */
const own = ({ hasWindows }: HeadForm, at: PlaceAt, token: Code) =>
  hasWindows ? at(code`image`, code`own_y`, code`own_x`) : at(code`image`, code`0u`, token);

/**
 * Visits the workgroup's window, and of it what the thread's token sees: each at `(y, x)` and at
 * `(row, column)` in windows. All threads are at the same place.
 */
const eachSeen = (k: Sizes, body: Hole): Code => code`
  for (var row = window_row; row < window_row + ${k.window_height}; row++) {
    let y = (row + ${k.shift_down}) % ${k.height};
    let is_row_seen = row >= seen_rows.y && row < seen_rows.z;
    for (var column = window_column; column < window_column + ${k.window_width}; column++) {
      let x = (column + ${k.shift_across}) % ${k.width};
      if (is_row_seen && column >= seen_columns.y && column < seen_columns.z) {
        ${body}
      }
    }
  }`;

/** Adds to the score what the query gains; `token` is the thread's. */
const gain = (k: Sizes, gains: Loaded | undefined, token: Code): Hole =>
  gains && [
    code`let gain_at = own_gain ${otherSideOf(token)} ${k.heads} * (row * span + column);`,
    code`score += ${gains.load(code`gain_at`)};`,
  ];

/**
 * What dropout makes of the share of a pair, as `keep`: the counter is the place of the pair among
 * all of the step. Gradients make the same numbers again.
 */
const keep = (form: HeadForm, k: Omit<Sizes, "tokens" | "parts">, pair: Pair): Hole => {
  const { tokens, query, key } = pair;
  return (
    form.drops && [
      code`let image_of_step = ${frame.first_image} + image;`,
      code`let row_of_step = (image_of_step * ${k.heads} + head) * ${tokens} + ${query};`,
      code`let keep = ${KEEP_EXAMPLE}(row_of_step * ${tokens} + ${key}, ${k.rate}, ${k.stream}).x;`,
    ]
  );
};

/** The numbers of a query and its key, of as many tokens. */
interface Pair {
  readonly tokens: Code;
  readonly query: Code;
  readonly key: Code;
}

/** The pair of the thread's own token, a query or a key, and the one that it visits. */
function pairOf({ hasWindows }: HeadForm, k: Sizes, own: Code): Pair {
  const pixel = code`y * ${k.width} + x`;
  const other = hasWindows ? pixel : own === QUERY ? KEY : QUERY;
  const tokens = k.tokens ?? code`(${k.height} * ${k.width})`;
  return own === QUERY ? { tokens, query: own, key: other } : { tokens, query: other, key: own };
}

/** A share, or what dropout makes of it. */
const kept = ({ drops }: HeadForm, share: Code): Code => (drops ? code`${share} * keep` : share);

/** Dropout of a slope, if there is any. */
const keepSlope = ({ drops }: HeadForm): Hole => drops && code`slope *= keep;`;

/** Visits the keys that a query sees, and says where they begin: `key_at`. */
function eachKey(form: HeadForm, k: Sizes, body: Hole): Code {
  if (form.hasWindows) {
    const at = k.input.at(code`image`, code`y`, code`x`);
    return eachSeen(k, [code`let key_at = ${at} + width + first;`, body]);
  }
  const end = form.causal ? code`min((part + 1u) * ${LANES}, ${k.tokens})` : k.tokens!;
  return code`
    var key_at = ${k.input.at(code`image`, code`0u`, code`0u`)} + width + first;
    for (var key = 0u; key < ${end}; key++) {
      ${form.causal ? onlyIf(code`key <= query`, body) : body}
      key_at += ${k.input.column};
    }`;
}

/** Visits the queries that see a key; `at` is where one begins. */
function eachQuery(form: HeadForm, k: Sizes, body: (at: (place: PlaceAt) => Code) => Hole): Code {
  if (form.hasWindows) {
    return eachSeen(
      k,
      body((place) => place(code`image`, code`y`, code`x`)),
    );
  }
  const visit = body((place) => place(code`image`, code`0u`, QUERY));
  const from = form.causal ? code`part * ${LANES}` : code`0u`;
  return code`
    for (var query = ${from}; query < ${k.tokens}; query++) {
      ${form.causal ? onlyIf(code`key <= query`, visit) : visit}
    }`;
}

/** The threads of a workgroup go over the same tokens, also those that not all of them see. */
const onlyIf = (condition: Code, body: Hole): Code => code`
  if (${condition}) {
    ${body}
  }`;

/** The share of a key in a row of scores, of which the forward pass left the logarithm. */
const SHARE = orNan(code`logarithm`, code`exp(score - logarithm)`);

/** What a query adds up over its keys, and the logarithm of its sum of exponentials. */
export const attention = defineKernel("attention", (form: HeadForm) => ({
  suffix: suffixOf(form),
  summary: "Attention of one query and head: keys one after the other.",
  bindings: {
    input: read(form.element),
    gains: gainsBinding(form),
    result: written(form.element),
    rows: written("f32"),
  },
  constants: { ...attentionConstants(form), result: "place" },
  lanes: ATTENTION_LANES,
  declarations: [OR_NAN, LARGER],
  body: ({ io, k }) => {
    const head = new HeadCode(form);
    return code`
      ${start(form, k, QUERY)}
      let query_at = ${own(form, k.input.at, QUERY)} + first;
      ${head.load("query", io.input, code`query_at`, k.scale)}
      ${head.zero("value_sum")}
      var most = ${LOWEST};
      var sum = ${float(0)};
      ${eachKey(form, k, [
        code`let value_at = key_at + width;`,
        head.dot(SCORE, head.of("query"), head.in(io.input, code`key_at`)),
        gain(k, io.gains, QUERY),
        onlyIf(code`score > most`, [
          code`let kept = exp(most - score);`,
          code`sum *= kept;`,
          head.scale("value_sum", code`kept`),
        ]),
        code`most = ${largerOf(code`most`, SCORE)};`,
        code`let share = exp(score - most);`,
        code`sum += share;`,
        keep(form, k, pairOf(form, k, QUERY)),
        head.addScaled("value_sum", kept(form, code`share`), head.in(io.input, code`value_at`)),
      ])}
      let result_at = ${own(form, k.result.at, QUERY)} + first;
      let factor = ${orNan(code`most`, code`1.0 / sum`)};
      ${head.store("value_sum", io.result, code`result_at`, code`factor`)}
      let logarithm = ${orNan(code`most`, code`most + log(sum)`)};
      ${io.rows.store(code`${own(form, k.rows.at, QUERY)} + head`, code`logarithm`)}`;
  },
}));

/** The gradient of a query, and the product of its result and that result's gradient. */
export const attentionQueries = defineKernel("attention_queries", (form: HeadForm) => ({
  suffix: suffixOf(form),
  summary: "Attention, gradient of one query and head: keys one after the other.",
  bindings: {
    input: read(form.element),
    gains: gainsBinding(form),
    output: read(form.element),
    rows: read("f32"),
    gradient: read(form.element),
    result: written(form.element),
    products: written("f32"),
  },
  constants: { ...attentionConstants(form), output: "place", gradient: "place", result: "place" },
  lanes: ATTENTION_LANES,
  declarations: [OR_NAN],
  body: ({ io, k }) => {
    const head = new HeadCode(form);
    return code`
      ${start(form, k, QUERY)}
      let query_at = ${own(form, k.input.at, QUERY)} + first;
      ${head.load("query", io.input, code`query_at`, k.scale)}
      let gradient_at = ${own(form, k.gradient.at, QUERY)} + first;
      ${head.load("gradient", io.gradient, code`gradient_at`)}
      let output_at = ${own(form, k.output.at, QUERY)} + first;
      ${head.dot(code`product`, head.of("gradient"), head.in(io.output, code`output_at`))}
      let row_at = ${own(form, k.rows.at, QUERY)} + ${HEAD};
      let logarithm = ${io.rows.load(code`row_at`)};
      ${head.zero("query_gradient")}
      ${eachKey(form, k, [
        code`let value_at = key_at + width;`,
        head.dot(SCORE, head.of("query"), head.in(io.input, code`key_at`)),
        gain(k, io.gains, QUERY),
        head.dot(code`slope`, head.of("gradient"), head.in(io.input, code`value_at`)),
        keep(form, k, pairOf(form, k, QUERY)),
        keepSlope(form),
        code`let change = ${SHARE} * (slope - product);`,
        head.addScaled("query_gradient", code`change`, head.in(io.input, code`key_at`)),
      ])}
      let result_at = ${own(form, k.result.at, QUERY)} + first;
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
    gains: gainsBinding(form),
    rows: read("f32"),
    products: read("f32"),
    gradient: read(form.element),
    result: written(form.element),
  },
  constants: { ...attentionConstants(form), gradient: "place", result: "place" },
  lanes: ATTENTION_LANES,
  declarations: [OR_NAN],
  body: ({ io, k }) => {
    const head = new HeadCode(form);
    return code`
      ${start(form, k, KEY)}
      let key_at = ${own(form, k.input.at, KEY)} + width + first;
      ${head.load("key", io.input, code`key_at`, k.scale)}
      ${head.load("value", io.input, code`key_at + width`)}
      ${head.zero("key_gradient")}
      ${head.zero("value_gradient")}
      ${eachQuery(form, k, (at) => [
        code`let query_at = ${at(k.input.at)} + ${FIRST};`,
        code`let gradient_at = ${at(k.gradient.at)} + first;`,
        code`let row_at = ${at(k.rows.at)} + head;`,
        head.dot(SCORE, head.of("key"), head.in(io.input, code`query_at`)),
        gain(k, io.gains, KEY),
        head.dot(code`slope`, head.of("value"), head.in(io.gradient, code`gradient_at`)),
        keep(form, k, pairOf(form, k, KEY)),
        keepSlope(form),
        code`let logarithm = ${io.rows.load(code`row_at`)};`,
        code`let share = ${SHARE};`,
        code`let change = share * (slope - ${io.products.load(code`row_at`)});`,
        head.addScaled("key_gradient", code`change`, head.in(io.input, code`query_at`)),
        head.addScaled(
          "value_gradient",
          kept(form, code`share`),
          head.in(io.gradient, code`gradient_at`),
        ),
      ])}
      let result_at = ${own(form, k.result.at, KEY)} + width + first;
      ${head.store("key_gradient", io.result, code`result_at`, k.scale)}
      ${head.store("value_gradient", io.result, code`result_at + width`)}`;
  },
}));

const KIND_LANES = 64;

/** Finds the thread's kind of pair, head and image, and how far a query of it is from its key. */
const startKind = (form: HeadForm, k: Omit<Sizes, "tokens" | "parts">, kinds: Code): Code => code`
  ${startThread(KIND_LANES)}
  let kind = thread % ${kinds};
  let image = thread / ${kinds};
  if (image >= ${frame.batch}) {
    return;
  }
  let head = kind % ${k.heads};
  let first = head * ${form.size};
  let width = ${k.heads} * ${form.size};
  let span = 2u * ${k.window_width} - 1u;
  // Rows and columns from key to query; below 0 they wrap around.
  let down = kind / ${k.heads} / span - (${k.window_height} - 1u);
  let across = kind / ${k.heads} % span - (${k.window_width} - 1u);`;

/** Visits the pairs of the thread's kind: queries at `(y, x)`, keys at `(key_y, key_x)`. */
const eachOfKind = (k: Omit<Sizes, "tokens" | "parts">, body: Hole): Code => code`
  for (var y = 0u; y < ${k.height}; y++) {
    let seen_rows = ${SEEN}(y, ${k.height}, ${k.window_height}, ${k.shift_down});
    let key_row = seen_rows.x - down;
    if (key_row < seen_rows.y || key_row >= seen_rows.z) {
      continue;
    }
    let key_y = (key_row + ${k.shift_down}) % ${k.height};
    for (var x = 0u; x < ${k.width}; x++) {
      let seen_columns = ${SEEN}(x, ${k.width}, ${k.window_width}, ${k.shift_across});
      let key_column = seen_columns.x - across;
      if (key_column < seen_columns.y || key_column >= seen_columns.z) {
        continue;
      }
      let key_x = (key_column + ${k.shift_across}) % ${k.width};
      ${body}
    }
  }`;

/** A gain's slope in an image: the change of the scores of all pairs that are as far apart. */
export const attentionGains = defineKernel("attention_gains", (form: HeadForm) => ({
  suffix: suffixOf(form),
  summary: "Attention, gradient of one gain of one image: queries one after the other.",
  bindings: {
    input: read(form.element),
    gains: read("f32"),
    rows: read("f32"),
    products: read("f32"),
    gradient: read(form.element),
    slopes: written("f32"),
  },
  constants: {
    ...attentionConstants(form),
    parts: undefined,
    gradient: "place",
    slopes: "place",
    kinds: "u32",
  },
  lanes: KIND_LANES,
  declarations: [OR_NAN],
  body: ({ io, k }) => {
    const head = new HeadCode(form);
    const query = (place: PlaceCode) => place.at(code`image`, code`y`, code`x`);
    const key = (place: PlaceCode) => place.at(code`image`, code`key_y`, code`key_x`);
    const ofKind = (place: PlaceCode) => code`${place.at(code`image`, code`0u`, code`0u`)} + kind`;
    const dot = (name: Code, from: Loaded, at: Code, keys: Code) =>
      head.dot(name, head.in(from, at), head.in(io.input, keys));
    return code`
      ${startKind(form, k, k.kinds)}
      let gain = ${io.gains.load(ofKind(k.gains!))};
      var sum = ${float(0)};
      ${eachOfKind(k, [
        code`let query_at = ${query(k.input)} + first;`,
        code`let key_at = ${key(k.input)} + width + first;`,
        code`let value_at = key_at + width;`,
        code`let gradient_at = ${query(k.gradient)} + first;`,
        code`let row_at = ${query(k.rows)} + head;`,
        dot(code`product`, io.input, code`query_at`, code`key_at`),
        code`let score = fma(product, ${k.scale}, gain);`,
        dot(code`slope`, io.gradient, code`gradient_at`, code`value_at`),
        keep(form, k, {
          tokens: code`(${k.height} * ${k.width})`,
          query: code`y * ${k.width} + x`,
          key: code`key_y * ${k.width} + key_x`,
        }),
        keepSlope(form),
        code`let logarithm = ${io.rows.load(code`row_at`)};`,
        code`sum += ${SHARE} * (slope - ${io.products.load(code`row_at`)});`,
      ])}
      ${io.slopes.store(ofKind(k.slopes), code`sum`)}`;
  },
}));
