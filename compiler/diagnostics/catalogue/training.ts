import type { CatalogueFamily } from "./entry.js";

/** NET3: train and data declarations. */
export const training = {} as const satisfies CatalogueFamily;
