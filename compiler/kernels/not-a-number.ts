import { code, Declaration, helper, named, text, type Code } from "./code.js";

/**
 * Functions that let NaN through, as PyTorch's do. WGSL may assume that there is none: `max`, `min`
 * and `clamp` give the other operand, `x != x` is false, and SwiftShader makes infinity
 * of `exp(NaN)` and 89 of `log(NaN)`. So NaN is looked for in the bits, as integers, of which no
 * compiler assumes anything. All of them are of vec4f; they cost two or three integer instructions.
 */

/** Bits of f32, as u32: all but the sign, those of infinity, and a NaN. */
const MAGNITUDE = named("MAGNITUDE", text("0x7fffffff"));
export const INFINITY = named("INFINITY", text("0x7f800000"));
export const NAN_BITS = named("NAN_BITS", text("0x7fc00000u"));
export const SIGN = named("SIGN", text("0x80000000u"));

/** The bits of minus infinity, as i32: of all negative numbers the largest. */
const MINUS_INFINITY = named("MINUS_INFINITY", text("-0x800000"));

/** `or_nan(x, y)`: y, but x where x is NaN. */
export const OR_NAN = helper(
  "or_nan",
  code`
  fn or_nan(x: vec4f, y: vec4f) -> vec4f {
    let bits = bitcast<vec4u>(x);
    let is_nan = (bits & vec4u(${MAGNITUDE})) > vec4u(${INFINITY});
    return bitcast<vec4f>(select(bitcast<vec4u>(y), bits, is_nan));
  }`,
);

/** 1 where x is NaN, else 0. */
export const IS_NAN = helper(
  "is_nan",
  code`
  fn is_nan(x: vec4f) -> vec4f {
    let magnitude = bitcast<vec4u>(x) & vec4u(${MAGNITUDE});
    return select(vec4f(0), vec4f(1), magnitude > vec4u(${INFINITY}));
  }`,
);

export const LARGER = helper(
  "larger",
  code`
  fn larger(a: vec4f, b: vec4f) -> vec4f {
    return ${OR_NAN}(a, ${OR_NAN}(b, max(a, b)));
  }`,
);

/** The larger of two f32, or NaN. */
export const largerOf = (a: Code, b: Code): Code => code`${LARGER}(vec4f(${a}), vec4f(${b})).x`;

/** The f32 `y`, but `x` where this is NaN. */
export const orNan = (x: Code, y: Code): Code => code`${OR_NAN}(vec4f(${x}), vec4f(${y})).x`;

export const SMALLER = helper(
  "smaller",
  code`
  fn smaller(a: vec4f, b: vec4f) -> vec4f {
    return ${OR_NAN}(a, ${OR_NAN}(b, min(a, b)));
  }`,
);

/** As integers, negative numbers are those up to -infinity; NaN with a sign is above it. */
export const RELU = helper(
  "relu",
  code`
  fn relu(x: vec4f) -> vec4f {
    let bits = bitcast<vec4i>(x);
    return bitcast<vec4f>(select(bits, vec4i(0), bits <= vec4i(${MINUS_INFINITY})));
  }`,
);

/* `0 - size`: of `-size`, Dawn makes two instructions, since i32 has no -(-2^31). */
const RANKS = new Declaration(code`
  fn rank_of(x: vec4f) -> vec4i {
    let bits = bitcast<vec4i>(x);
    let size = bits & vec4i(${MAGNITUDE});
    return select(size, vec4i(0) - size, bits <= vec4i(${MINUS_INFINITY}));
  }

  fn ranked(rank: vec4i) -> vec4f {
    let size = max(rank, vec4i(0) - rank);
    return bitcast<vec4f>(bitcast<vec4u>(size) | (bitcast<vec4u>(rank) & vec4u(${SIGN})));
  }`);

/** Numbers as integers of the same order, NaN above all. Both zeros are one. */
export const RANK_OF = helper("rank_of", RANKS);

/** The way back from ranks to numbers. */
export const RANKED = helper("ranked", RANKS);

/** The rank of what ReLU makes of a number: its bits, or 0. */
export const RELU_RANK = helper(
  "relu_rank",
  code`
  fn relu_rank(x: vec4f) -> vec4i {
    let bits = bitcast<vec4i>(x);
    return select(bits & vec4i(${MAGNITUDE}), vec4i(0), bits <= vec4i(${MINUS_INFINITY}));
  }`,
);

/** The rank of minus infinity. */
export const LOWEST_RANK = named("LOWEST_RANK", text("-0x7f800000"));

/** A condition: the f32 `value` is infinite or NaN. */
export const isNotFinite = (value: Code): Code =>
  code`(bitcast<u32>(${value}) & ${INFINITY}) == ${INFINITY}`;

/** A NaN of type f32 where `condition` holds, else `value`: WGSL has no such constant. */
export const nanWhere = (condition: Code, value: Code): Code =>
  code`bitcast<f32>(select(bitcast<u32>(${value}), ${NAN_BITS}, ${condition}))`;
