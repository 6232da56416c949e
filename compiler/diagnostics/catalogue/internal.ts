import type { CatalogueFamily } from "./entry.js";

/** NET9: mistakes of netc itself. */
export const INTERNAL = {
  NET9001: {
    title: "an internal error of netc",
    explanation:
      "Something went wrong inside the compiler, and not because of your spec. Please report " +
      "it together with the spec and the message. Often a small change of the spec near this " +
      "place avoids the problem.",
    wrong: "",
    right: "",
    withoutSpec: "a spec that gives it is a bug to be fixed",
  },
} as const satisfies CatalogueFamily;
