import { read } from "./bindings.js";
import { code } from "./code.js";
import { defineQuads } from "./quads.js";

/** A vector, the same for each example. */
export const broadcast = defineQuads("broadcast", () => ({
  summary: "A vector, the same for each example.",
  bindings: { input: read("vec4f") },
  constants: {},
  value: ({ io }) => code`let value = ${io.input.load(code`quad`)};`,
}));
