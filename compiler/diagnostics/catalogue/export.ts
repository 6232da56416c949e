import type { CatalogueFamily } from "./entry.js";

/** NET5: models for other tools. `netc export` reports them. */
export const EXPORTS = {
  NET5001: {
    title: "a layer that the format cannot hold",
    explanation:
      "`netc export` writes a model only if the other tool computes the same from it. " +
      "The format has no operator for this layer, or none with these arguments. " +
      "Nothing is written. The note says which layer or which format does the same.",
    wrong: "lrn(5)                // netc export --to tfjs",
    right: "lrn(5)                // netc export --to onnx",
  },
} as const satisfies CatalogueFamily;
