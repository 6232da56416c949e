/**
 * Logarithms and powers as PyTorch's are where WGSL leaves them open. Of logarithms below 0
 * SwiftShader makes numbers, and -88 of that of 0; `pow` is for bases above 0 alone.
 */
import { code, helper, LOWEST } from "./code.js";
import { INFINITY, NAN_BITS, OR_NAN, SIGN } from "./not-a-number.js";

/** The bits of numbers from 0 to infinity are the smallest, those of -0 the next ones to NaN's. */
export const LOG = helper(
  "logarithm",
  code`
  fn logarithm(x: vec4f) -> vec4f {
    let is_outside = bitcast<vec4u>(x) > vec4u(${INFINITY});
    let bits = select(bitcast<vec4u>(log(x)), vec4u(${NAN_BITS}), is_outside);
    return bitcast<vec4f>(select(bits, vec4u(${INFINITY} | ${SIGN}), x == vec4f(0)));
  }`,
);

/**
 * C's `pow`. Below 0 whole exponents have a power, the odd ones a negative one; infinite exponents
 * are even, and kept from 0 times infinity, which `pow` makes where the base is -1. To the power of
 * 0 everything is 1, and 1 is 1 to any power, NaN included.
 */
export const POWER = helper(
  "power",
  code`
  fn power(x: vec4f, exponent: vec4f) -> vec4f {
    let of_0 = select(vec4u(0), vec4u(${INFINITY}), exponent < vec4f(0));
    let finite = clamp(exponent, vec4f(${LOWEST}), vec4f(-${LOWEST}));
    let size = select(bitcast<vec4u>(pow(abs(x), finite)), of_0, x == vec4f(0));
    let is_whole = floor(exponent) == exponent;
    let is_odd = is_whole & (floor(0.5 * exponent) != 0.5 * exponent);
    let sign = select(vec4u(0), bitcast<vec4u>(x) & vec4u(${SIGN}), is_odd);
    let has_none = (x < vec4f(0)) & (x >= vec4f(${LOWEST})) & !is_whole;
    let value = bitcast<vec4f>(select(size | sign, vec4u(${NAN_BITS}), has_none));
    let is_1 = (exponent == vec4f(0)) | (x == vec4f(1));
    return select(${OR_NAN}(x, ${OR_NAN}(exponent, value)), vec4f(1), is_1);
  }`,
);
