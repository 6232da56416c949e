import { NOT_TRAINING, type Distribution } from "../../program/noise.js";
import { code, Declaration, frame, helper, text, type Code, type Declared } from "./code.js";

/**
 * Threefry-2x32-20 in WGSL, the twin of program/random.ts (Salmon et al., SC 2011): the same key
 * and counter give the same bits on every adapter.
 */
const GENERATOR = new Declaration(code`fn rotate(word: u32, count: u32) -> u32 {
  return (word << count) | (word >> (32u - count));
}

fn four_rounds(state: vec2u, rotations: vec4u) -> vec2u {
  var x = state.x + state.y;
  var y = rotate(state.y, rotations.x) ^ x;
  x += y;
  y = rotate(y, rotations.y) ^ x;
  x += y;
  y = rotate(y, rotations.z) ^ x;
  x += y;
  y = rotate(y, rotations.w) ^ x;
  return vec2u(x, y);
}

fn threefry(key: vec2u, counter: vec2u) -> vec2u {
  const even = vec4u(13u, 15u, 26u, 6u);
  const odd = vec4u(17u, 29u, 16u, 24u);
  let parity = key.x ^ key.y ^ 0x1bd11bdau;
  var state = four_rounds(counter + key, even) + vec2u(key.y, parity + 1u);
  state = four_rounds(state, odd) + vec2u(parity, key.x + 2u);
  state = four_rounds(state, even) + vec2u(key.x, key.y + 3u);
  state = four_rounds(state, odd) + vec2u(key.y, parity + 4u);
  return four_rounds(state, even) + vec2u(parity, key.x + 5u);
}

// Exactly representable numbers in [0, 1).
fn to_unit(word: u32) -> f32 {
  return f32(word >> 8u) / 16777216.0;
}`);

export const THREEFRY = helper("threefry", GENERATOR);

/** A word as a number in [0, 1). */
export const TO_UNIT = helper("to_unit", GENERATOR);

/**
 * Dropout's scaled mask of four successive elements, or of four successive channels; the counter is
 * the first one's place in (n, y, x, c) or (n, c) order.
 */
export const KEEP = helper(
  "keep",
  code`fn keep(counter: u32, rate: f32, stream: u32) -> vec4f {
  let key = vec2u(${frame.seed}, stream);
  let units = vec4f(
    ${TO_UNIT}(${THREEFRY}(key, vec2u(counter, ${frame.step})).x),
    ${TO_UNIT}(${THREEFRY}(key, vec2u(counter + 1u, ${frame.step})).x),
    ${TO_UNIT}(${THREEFRY}(key, vec2u(counter + 2u, ${frame.step})).x),
    ${TO_UNIT}(${THREEFRY}(key, vec2u(counter + 3u, ${frame.step})).x),
  );
  let scaled = select(vec4f(0), vec4f(1.0 / (1.0 - rate)), units >= vec4f(rate));
  return select(vec4f(1), scaled, ${frame.training} != 0u);
}`,
);

/** The same of four elements of an example that are dropped together; the counter is its place. */
export const KEEP_EXAMPLE = helper(
  "keep_example",
  code`fn keep_example(counter: u32, rate: f32, stream: u32) -> vec4f {
  let unit = ${TO_UNIT}(${THREEFRY}(vec2u(${frame.seed}, stream), vec2u(counter, ${frame.step})).x);
  let scaled = select(0.0, 1.0 / (1.0 - rate), unit >= rate);
  return vec4f(select(1.0, scaled, ${frame.training} != 0u));
}`,
);

const noiseHelper = (distribution: string, drawn: Code) =>
  helper(
    `${distribution}_noise`,
    code`fn ${text(distribution)}_noise(replaced: vec4f, counter: u32, stream: u32) -> vec4f {
  let key = vec2u(${frame.seed}, stream);
  let step = select(${NOT_TRAINING}, ${frame.step}, ${frame.training} != 0u);
  var drawn: vec4f;
  for (var lane = 0u; lane < 4u; lane++) {
    let words = ${THREEFRY}(key, vec2u(counter + lane, step));
    drawn[lane] = ${drawn};
  }
  return drawn;
}`,
  );

/** Numbers in place of four successive elements; the counter is the first one's place. */
export const NOISE: Readonly<Record<Distribution, Declared>> = {
  uniform: noiseHelper("uniform", code`2.0 * ${TO_UNIT}(words.x) - 1.0`),
  // Box-Muller; 1 - u keeps the logarithm finite.
  normal: noiseHelper(
    "normal",
    code`sqrt(-2.0 * log(1.0 - ${TO_UNIT}(words.x))) * cos(6.2831853 * ${TO_UNIT}(words.y))`,
  ),
};
