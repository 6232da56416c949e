/** References of the shared operators: one table. */
import type { ForeignTensor } from "../foreign-graph.js";
import { elementwise } from "./elementwise.js";
import type { ReferenceCall } from "./evaluate.js";
import { movements } from "./movements.js";
import { normalizations } from "./normalizations.js";
import { windows } from "./windows.js";

export type Reference = (call: ReferenceCall) => ForeignTensor | readonly ForeignTensor[];

export const references: Readonly<Record<string, Reference>> = {
  ...elementwise,
  ...movements,
  ...normalizations,
  ...windows,
};
