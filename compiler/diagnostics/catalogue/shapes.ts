import type { CatalogueFamily } from "./entry.js";

/** NET2: shapes. */
export const shapes = {} as const satisfies CatalogueFamily;
