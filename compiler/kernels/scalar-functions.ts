/**
 * Functions of vec4f that keep their digits where WGSL's may not: `exp` is wrong by 3 + 2 |x| units
 * in the last place there, `log` near 1 by an absolute error, and `tanh` near 0 on some drivers.
 * Each here is within 1e-6 of its value, as long as that is a normal number, and lets NaN through
 * (not-a-number.ts).
 */
import { OR_NAN } from "./not-a-number.js";
import { code, Declaration, helper } from "./code.js";

/**
 * `x = n * log(2) + r` with n whole: `n`, and `exp(r) - 1` as a series. log(2) comes in two parts,
 * of which the first has zeros at its end, so that its product with n is exact (Cody and Waite,
 * 1980). The second part is taken of x - r0, not of n: drivers would join two products of n, and
 * round them as one.
 */
const REDUCED = new Declaration(code`
  fn whole_part(x: vec4f) -> vec4f {
    return round(x * 1.44269504);
  }

  fn rest_exp_minus_1(x: vec4f, n: vec4f) -> vec4f {
    let r0 = fma(n, vec4f(-0.69313812256), x);
    let r = fma(r0, vec4f(1.0000130681), -1.3068103e-5 * x);
    var series = fma(r, vec4f(1.98412698e-4), vec4f(1.38888889e-3));
    series = fma(r, series, vec4f(8.33333333e-3));
    series = fma(r, series, vec4f(4.16666667e-2));
    series = fma(r, series, vec4f(0.166666667));
    series = fma(r, series, vec4f(0.5));
    return fma(r * r, series, r);
  }

  fn power_of_2(n: vec4f) -> vec4f {
    return bitcast<vec4f>((vec4i(n) + 127) << vec4u(23));
  }`);

const WHOLE_PART = helper("whole_part", REDUCED);
const REST = helper("rest_exp_minus_1", REDUCED);
const POWER_OF_2 = helper("power_of_2", REDUCED);

/**
 * Powers of 2 in two factors: one of them alone would not reach the largest and the smallest
 * results.
 */
const EXP = helper(
  "exponential",
  code`
  fn exponential(x: vec4f) -> vec4f {
    let bounded = clamp(x, vec4f(-104), vec4f(89));
    let n = ${WHOLE_PART}(bounded);
    let half = floor(0.5 * n);
    let rest = 1.0 + ${REST}(bounded, n);
    return ${OR_NAN}(x, rest * ${POWER_OF_2}(half) * ${POWER_OF_2}(n - half));
  }`,
);

const LESS_ONE = code`fma(rest, first, first - ${POWER_OF_2}(half - n))`;

const EXPM1 = helper(
  "exp_minus_1",
  code`
  fn exp_minus_1(x: vec4f) -> vec4f {
    let bounded = clamp(x, vec4f(-40), vec4f(89));
    let n = ${WHOLE_PART}(bounded);
    let half = floor(0.5 * n);
    let first = ${POWER_OF_2}(half);
    let rest = ${REST}(bounded, n);
    return ${OR_NAN}(x, ${LESS_ONE} * ${POWER_OF_2}(n - half));
  }`,
);

const SIGMOID = helper(
  "sigmoid",
  code`
  fn sigmoid(x: vec4f) -> vec4f {
    return ${OR_NAN}(x, 1.0 / (1.0 + ${EXP}(-x)));
  }`,
);

/** Beyond 10 it is 1 in f32. */
const TANH = helper(
  "hyperbolic_tangent",
  code`
  fn hyperbolic_tangent(x: vec4f) -> vec4f {
    let e = ${EXPM1}(2.0 * min(abs(x), vec4f(10)));
    return ${OR_NAN}(x, sign(x) * (e / (e + 2.0)));
  }`,
);

/** log(1 + e) = 2 artanh(e / (2 + e)), as a series, since e is at most 1. */
const SOFTPLUS = helper(
  "softplus",
  code`
  fn softplus(x: vec4f) -> vec4f {
    let e = ${EXP}(-abs(x));
    let s = e / (2.0 + e);
    let square = s * s;
    var series = fma(square, vec4f(0.0666666667), vec4f(0.0769230769));
    series = fma(square, series, vec4f(0.0909090909));
    series = fma(square, series, vec4f(0.111111111));
    series = fma(square, series, vec4f(0.142857143));
    series = fma(square, series, vec4f(0.2));
    series = fma(square, series, vec4f(0.333333333));
    return ${OR_NAN}(x, max(x, vec4f(0)) + 2.0 * fma(s * square, series, s));
  }`,
);

/** The size of x, and its first digits, whose square is exact. */
const SIZE_AND_HEAD = code`
    let size = min(abs(x), vec4f(16));
    let head = bitcast<vec4f>(bitcast<vec4u>(size) & vec4u(0xfffff000u));`;

/** exp(-x * x / 2): the square in two parts, the first of them exact. */
const BELL = helper(
  "bell",
  code`
  fn bell(x: vec4f) -> vec4f {
    ${SIZE_AND_HEAD}
    let rest = ${EXP}(0.5 * (head - size) * (head + size));
    return ${OR_NAN}(x, ${EXP}(-0.5 * head * head) * rest);
  }`,
);

/**
 * By the complementary error function of Press et al., "Numerical recipes", erfcc: a fraction of
 * 1.2e-7 wrong everywhere. The bell's small part and the series share an exponential.
 */
const NORMAL = helper(
  "normal",
  code`
  fn normal(x: vec4f) -> vec4f {
    let t = 1.0 / (1.0 + 0.353553391 * abs(x));
    var series = fma(t, vec4f(0.17087277), vec4f(-0.82215223));
    series = fma(t, series, vec4f(1.48851587));
    series = fma(t, series, vec4f(-1.13520398));
    series = fma(t, series, vec4f(0.27886807));
    series = fma(t, series, vec4f(-0.18628806));
    series = fma(t, series, vec4f(0.09678418));
    series = fma(t, series, vec4f(0.37409196));
    series = fma(t, series, vec4f(1.00002368));
    series = fma(t, series, vec4f(-1.26551223));
    ${SIZE_AND_HEAD}
    let rest = 0.5 * (head - size) * (head + size);
    let tail = 0.5 * t * ${EXP}(-0.5 * head * head) * ${EXP}(rest + series);
    return ${OR_NAN}(x, select(tail, 1.0 - tail, x > vec4f(0)));
  }`,
);

/** By the operators of expressions. */
export const SCALAR_FUNCTIONS = {
  exp: EXP,
  expm1: EXPM1,
  sigmoid: SIGMOID,
  tanh: TANH,
  softplus: SOFTPLUS,
  bell: BELL,
  normal: NORMAL,
} as const;
