/**
 * Attention for software adapters, to whom loads are slow: a workgroup is a subgroup, each of whose
 * lanes has a query and loads a key, which all of them receive by subgroup broadcasts. The sums are
 * those of `attention.ts`, a subgroup of keys at a time.
 */
import { attentionConstants, gainsBinding, HeadCode } from "./attention.js";
import { read, written, type Loaded } from "./bindings.js";
import {
  block,
  code,
  float,
  frame,
  joined,
  lane,
  lanesNamed,
  locals,
  LOWEST,
  offset,
  subgroupLane,
  times,
  type Code,
  type Hole,
} from "./code.js";
import type { ConstantCode } from "./constants.js";
import { defineKernel } from "./define-kernel.js";
import { LARGER, largerOf, OR_NAN, orNan } from "./not-a-number.js";

export interface BroadcastForm {
  /** vec4 of a head. */
  readonly size: number;
  /** Of a workgroup and, at least, of a subgroup. */
  readonly lanes: 4 | 8;
}

/** All tokens see each other. */
const SIGHT = { hasWindows: false, drops: false } as const;
const [CONSTANTS, GAINS] = [attentionConstants(SIGHT), gainsBinding(SIGHT)];

type Sizes = ConstantCode<typeof CONSTANTS>;

const suffixOf = ({ size, lanes }: BroadcastForm) => `_${size}_lanes${lanes}`;

/** Code of one form: its lanes, and the numbers of a head. */
class Subgroup {
  readonly head: HeadCode;
  private readonly lanes: Code;

  constructor(private readonly form: BroadcastForm) {
    this.head = new HeadCode({ element: "vec4f", size: form.size });
    this.lanes = lanesNamed(form.lanes);
  }

  /**
   * Finds the `image`, the `head` and where it begins, and the lane's `own` token. Lanes behind the
   * last token do what its lane does, and store nothing.
   */
  start(k: Sizes): Code {
    return code`
      let part = ${block} % ${k.parts};
      let head = ${block} / ${k.parts} % ${k.heads};
      let image = ${block} / ${k.parts} / ${k.heads};
      if (image >= ${frame.batch}) {
        return;
      }
      let first = head * ${this.form.size};
      let width = ${k.heads} * ${this.form.size};
      let last = ${k.tokens} - 1u;
      let token = part * ${this.lanes} + ${lane};
      let own = min(token, last);`;
  }

  /** Visits all tokens, a subgroup of them at a time, of which the lane loads `other`. */
  eachGroup(k: Sizes, body: Hole): Code {
    return code`
      for (var group = 0u; group < ${k.tokens}; group += ${this.lanes}) {
        let other = min(group + ${subgroupLane} % ${this.lanes}, last);
        ${body}
      }`;
  }

  /** Loads the numbers of the lane's `other` token, and lets every lane use all lanes' of them. */
  loadEach(prefix: string, from: Loaded, at: Code, use: (index: number) => Hole): Hole {
    return this.head
      .variables(prefix)
      .map((name, index) => [code`let ${name} = ${from.load(offset(at, index))};`, use(index)]);
  }

  /** A code for each lane of the subgroup. */
  each(make: (lane: number) => Hole): Hole {
    return times(this.form.lanes, make);
  }

  /** `sum0 += own . other`, of each lane's other. */
  addDots(sums: string, own: string, other: string): (index: number) => Hole {
    const [totals, theirs] = [this.ofLanes(sums), this.head.of(other)];
    const mine = this.head.of(own);
    return (index) =>
      this.each((place) => {
        const product = code`dot(${mine(index)}, ${broadcast(theirs(index), place)})`;
        return index === 0
          ? code`var ${totals[place]} = ${product};`
          : code`${totals[place]} += ${product};`;
      });
  }

  /** `sum0 += factor * other`, of each lane's factor and other. */
  addScaled(sum: string, factors: string, other: string): (index: number) => Hole {
    const [sums, theirs, scales] = [this.head.of(sum), this.head.of(other), this.ofLanes(factors)];
    return (index) =>
      this.each((place) => {
        const theirOwn = broadcast(theirs(index), place);
        return code`${sums(index)} = fma(vec4f(${scales[place]}), ${theirOwn}, ${sums(index)});`;
      });
  }

  eachPart(use: (index: number) => Hole): Hole {
    return times(this.form.size, use);
  }

  /** A variable for each lane. */
  ofLanes(name: string): readonly Code[] {
    return locals(name, this.form.lanes);
  }

  named(...names: readonly string[]): readonly (readonly Code[])[] {
    return names.map((name) => this.ofLanes(name));
  }

  /** The value if there is a token in that lane, else the other one. */
  within(k: Sizes, place: number, value: Code, otherwise: Code): Code {
    return code`select(${otherwise}, ${value}, group + ${place} < ${k.tokens})`;
  }

  /** Stores of lanes that have a token. */
  ifOwn(k: Sizes, body: Hole): Code {
    return code`
      if (token < ${k.tokens}) {
        ${body}
      }`;
  }
}

const broadcast = (value: Code, place: number): Code => code`subgroupBroadcast(${value}, ${place})`;

const [ZERO, IMAGE, NONE, OWN, OTHER] = [float(0), code`image`, code`0u`, code`own`, code`other`];

/** What a query adds up over its keys, and the logarithm of its sum of exponentials. */
export const attentionBroadcast = defineKernel("attention_broadcast", (form: BroadcastForm) => ({
  suffix: suffixOf(form),
  summary: "Attention of one query and head in a lane: keys of a subgroup at a time.",
  bindings: {
    input: read("vec4f"),
    gains: GAINS,
    result: written("vec4f"),
    rows: written("f32"),
  },
  constants: { ...CONSTANTS, result: "place" },
  lanes: form.lanes,
  declarations: [OR_NAN, LARGER],
  body: ({ io, k }) => {
    const subgroup = new Subgroup(form);
    const { head } = subgroup;
    const [scores, shares] = [subgroup.ofLanes("score"), subgroup.ofLanes("share")];
    return code`
      ${subgroup.start(k)}
      let query_at = ${k.input.at(IMAGE, NONE, OWN)} + first;
      ${head.load("query", io.input, code`query_at`, k.scale)}
      ${head.zero("value_sum")}
      var most = ${LOWEST};
      var sum = ${ZERO};
      ${subgroup.eachGroup(k, [
        code`let key_at = ${k.input.at(IMAGE, NONE, OTHER)} + width + first;`,
        code`let value_at = key_at + width;`,
        subgroup.loadEach("key", io.input, code`key_at`, subgroup.addDots("score", "query", "key")),
        code`let most_before = most;`,
        subgroup.each((place) => {
          const score = subgroup.within(k, place, scores[place]!, LOWEST);
          return code`most = ${largerOf(code`most`, score)};`;
        }),
        code`let kept = exp(most_before - most);`,
        subgroup.each((place) => {
          const share = subgroup.within(k, place, code`exp(${scores[place]} - most)`, ZERO);
          return code`let ${shares[place]} = ${share};`;
        }),
        code`sum = sum * kept + (${joined(shares, " + ")});`,
        head.scale("value_sum", code`kept`),
        subgroup.loadEach(
          "value",
          io.input,
          code`value_at`,
          subgroup.addScaled("value_sum", "share", "value"),
        ),
      ])}
      let result_at = ${k.result.at(IMAGE, NONE, OWN)} + first;
      let factor = ${orNan(code`most`, code`1.0 / sum`)};
      let logarithm = ${orNan(code`most`, code`most + log(sum)`)};
      ${subgroup.ifOwn(k, [
        head.store("value_sum", io.result, code`result_at`, code`factor`),
        io.rows.store(code`${k.rows.at(IMAGE, NONE, OWN)} + head`, code`logarithm`),
      ])}`;
  },
}));

/** The share of a key in a row of scores, of which the forward pass left the logarithm. */
const shareOf = (score: Code, logarithm: Code): Code =>
  orNan(logarithm, code`exp(${score} - ${logarithm})`);

/** The gradient of a query, and the product of its result and that result's gradient. */
export const attentionQueriesBroadcast = defineKernel(
  "attention_queries_broadcast",
  (form: BroadcastForm) => ({
    suffix: suffixOf(form),
    summary: "Attention, gradient of one query and head in a lane: keys of a subgroup at a time.",
    bindings: {
      input: read("vec4f"),
      gains: GAINS,
      output: read("vec4f"),
      rows: read("f32"),
      gradient: read("vec4f"),
      result: written("vec4f"),
      products: written("f32"),
    },
    constants: { ...CONSTANTS, output: "place", gradient: "place", result: "place" },
    lanes: form.lanes,
    declarations: [OR_NAN],
    body: ({ io, k }) => {
      const subgroup = new Subgroup(form);
      const { head } = subgroup;
      const [scores, slopes, changes] = subgroup.named("score", "slope", "change");
      const addScores = subgroup.addDots("score", "query", "key");
      const addSlopes = subgroup.addDots("slope", "gradient", "value");
      return code`
        ${subgroup.start(k)}
        let query_at = ${k.input.at(IMAGE, NONE, OWN)} + first;
        ${head.load("query", io.input, code`query_at`, k.scale)}
        let gradient_at = ${k.gradient.at(IMAGE, NONE, OWN)} + first;
        ${head.load("gradient", io.gradient, code`gradient_at`)}
        let output_at = ${k.output.at(IMAGE, NONE, OWN)} + first;
        ${head.dot(code`product`, head.of("gradient"), head.in(io.output, code`output_at`))}
        let row_at = ${k.rows.at(IMAGE, NONE, OWN)} + head;
        let logarithm = ${io.rows.load(code`row_at`)};
        ${head.zero("query_gradient")}
        ${subgroup.eachGroup(k, [
          code`let key_at = ${k.input.at(IMAGE, NONE, OTHER)} + width + first;`,
          code`let value_at = key_at + width;`,
          subgroup.loadEach("key", io.input, code`key_at`, addScores),
          subgroup.loadEach("value", io.input, code`value_at`, addSlopes),
          subgroup.each((place) => {
            const share = shareOf(scores![place]!, code`logarithm`);
            const change = code`${share} * (${slopes![place]} - product)`;
            return code`let ${changes![place]} = ${subgroup.within(k, place, change, ZERO)};`;
          }),
          subgroup.eachPart(subgroup.addScaled("query_gradient", "change", "key")),
        ])}
        let result_at = ${k.result.at(IMAGE, NONE, OWN)} + first;
        ${subgroup.ifOwn(k, [
          head.store("query_gradient", io.result, code`result_at`, k.scale),
          io.products.store(code`row_at`, code`product`),
        ])}`;
    },
  }),
);

/** The gradients of a key and its value. */
export const attentionKeysBroadcast = defineKernel(
  "attention_keys_broadcast",
  (form: BroadcastForm) => ({
    suffix: suffixOf(form),
    summary: "Attention, gradients of a key and its value in a lane: a subgroup of queries a time.",
    bindings: {
      input: read("vec4f"),
      gains: GAINS,
      rows: read("f32"),
      products: read("f32"),
      gradient: read("vec4f"),
      result: written("vec4f"),
    },
    constants: { ...CONSTANTS, gradient: "place", result: "place" },
    lanes: form.lanes,
    declarations: [OR_NAN],
    body: ({ io, k }) => {
      const subgroup = new Subgroup(form);
      const { head } = subgroup;
      const [scores, slopes, shares, changes] = subgroup.named("score", "slope", "share", "change");
      const addScores = subgroup.addDots("score", "key", "query");
      const addSlopes = subgroup.addDots("slope", "value", "gradient");
      return code`
        ${subgroup.start(k)}
        let key_at = ${k.input.at(IMAGE, NONE, OWN)} + width + first;
        ${head.load("key", io.input, code`key_at`, k.scale)}
        ${head.load("value", io.input, code`key_at + width`)}
        ${head.zero("key_gradient")}
        ${head.zero("value_gradient")}
        ${subgroup.eachGroup(k, [
          code`let query_at = ${k.input.at(IMAGE, NONE, OTHER)} + first;`,
          code`let gradient_at = ${k.gradient.at(IMAGE, NONE, OTHER)} + first;`,
          code`let row_at = ${k.rows.at(IMAGE, NONE, OTHER)} + head;`,
          code`let logarithm = ${io.rows.load(code`row_at`)};`,
          code`let product = ${io.products.load(code`row_at`)};`,
          subgroup.loadEach("query", io.input, code`query_at`, addScores),
          subgroup.loadEach("gradient", io.gradient, code`gradient_at`, addSlopes),
          subgroup.each((place) => {
            const share = shareOf(scores![place]!, broadcast(code`logarithm`, place));
            const slope = code`(${slopes![place]} - ${broadcast(code`product`, place)})`;
            return [
              code`let ${shares![place]} = ${subgroup.within(k, place, share, ZERO)};`,
              code`let ${changes![place]} = ${shares![place]} * ${slope};`,
            ];
          }),
          subgroup.eachPart(subgroup.addScaled("key_gradient", "change", "query")),
          subgroup.eachPart(subgroup.addScaled("value_gradient", "share", "gradient")),
        ])}
        let result_at = ${k.result.at(IMAGE, NONE, OWN)} + width + first;
        ${subgroup.ifOwn(k, [
          head.store("key_gradient", io.result, code`result_at`, k.scale),
          head.store("value_gradient", io.result, code`result_at + width`),
        ])}`;
    },
  }),
);
