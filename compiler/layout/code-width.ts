import type { PoolAttributes } from "../ir/graph.js";

/** How a pooling's codes lie: four to a word, or one. */
export type CodeWidth = "bytes" | "words";

/** A byte a code, unless the window has more elements than that. */
export const codeWidth = (kernel: PoolAttributes["kernel"]): CodeWidth =>
  kernel[0] * kernel[1] <= 255 ? "bytes" : "words";
