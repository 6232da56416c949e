/**
 * The color functions of color_jitter in WGSL, as torchvision has them for images of floats: the
 * twin of runtime/data/color.ts. Colors are kept within 0..1.
 */
import type { JITTER_PARTS } from "../../program/transforms.js";
import { code, helper, type Declared } from "./code.js";

/** The gray of a color. */
export const LUMA = helper(
  "luma",
  code`
    fn luma(color: vec3f) -> f32 {
      return dot(color, vec3f(0.2989, 0.587, 0.114));
    }`,
);

/** The same of images of one channel. */
export const GRAY_LUMA = helper(
  "luma",
  code`
    fn luma(color: vec3f) -> f32 {
      return color.x;
    }`,
);

export const COLOR_FUNCTIONS: Readonly<Record<(typeof JITTER_PARTS)[number], Declared>> = {
  brightness: helper(
    "brightness",
    code`
      fn brightness(color: vec3f, factor: f32) -> vec3f {
        return clamp(color * factor, vec3f(0), vec3f(1));
      }`,
  ),
  contrast: helper(
    "contrast",
    code`
      fn contrast(color: vec3f, factor: f32, mean: f32) -> vec3f {
        return clamp(mix(vec3f(mean), color, factor), vec3f(0), vec3f(1));
      }`,
  ),
  saturation: helper(
    "saturation",
    code`
      fn saturation(color: vec3f, factor: f32) -> vec3f {
        return clamp(mix(vec3f(${LUMA}(color)), color, factor), vec3f(0), vec3f(1));
      }`,
  ),
  hue: helper(
    "hue",
    code`
      // To hue, saturation and value, round the circle of hues by a part of a turn, and back.
      fn hue(color: vec3f, turn: f32) -> vec3f {
        let value = max(color.r, max(color.g, color.b));
        let chroma = value - min(color.r, min(color.g, color.b));
        if (chroma <= 0.0) {
          return color;
        }
        let away = (vec3f(value) - color) / chroma;
        var sixths = 4.0 + away.g - away.r;
        if (color.r == value) {
          sixths = away.b - away.g;
        } else if (color.g == value) {
          sixths = 2.0 + away.r - away.b;
        }
        let around = fract(sixths / 6.0 + turn + 1.0) * 6.0;
        let distance = abs(fract((vec3f(around) + vec3f(0.0, 4.0, 2.0)) / 6.0) * 6.0 - vec3f(3));
        return vec3f(value) - chroma * (vec3f(1) - clamp(distance - vec3f(1), vec3f(0), vec3f(1)));
      }`,
  ),
};
