/** References of the shared operators: one table. */
import { elementwise } from "./elementwise.js";
import { movements } from "./movements.js";
import { normalizations } from "./normalizations.js";
import type { Reference } from "./reference.js";
import { windows } from "./windows.js";

export const references: Readonly<Record<string, Reference>> = {
  ...elementwise,
  ...movements,
  ...normalizations,
  ...windows,
};
