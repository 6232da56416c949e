import type { CatalogueFamily } from "./entry.js";

/** NET1: names and arguments. */
export const names = {} as const satisfies CatalogueFamily;
