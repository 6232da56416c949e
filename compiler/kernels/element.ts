/** Kernels of which each thread makes an element of an image. */
import { code, type Code } from "./code.js";

interface Sizes {
  readonly channels: Code;
  readonly height: Code;
  readonly width: Code;
}

/** Finds the thread's `channel`, `x`, `y` and `image`, channels next to each other. */
export const findElement = ({ channels, height, width }: Sizes): Code => code`
  let channel = thread % ${channels};
  let x = thread / ${channels} % ${width};
  let y = thread / ${channels} / ${width} % ${height};
  let image = thread / ${channels} / ${width} / ${height};`;
