import type { CatalogueFamily } from "./entry.js";

/** NET4: limits of devices. */
export const limits = {} as const satisfies CatalogueFamily;
