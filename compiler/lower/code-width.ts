import type { PoolAttributes } from "../ir/graph.js";
import type { CodeWidth } from "../kernels/pool.js";

/** A byte a code, unless the window has more elements than that. */
export const codeWidth = (kernel: PoolAttributes["kernel"]): CodeWidth =>
  kernel[0] * kernel[1] <= 255 ? "bytes" : "words";
