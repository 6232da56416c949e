import { written } from "./bindings.js";
import { code, startThread } from "./code.js";
import { defineKernel } from "./define-kernel.js";

const LANES = 64;

/** Constants by channel, as expressions read them. A thread a number. */
export const table = defineKernel("table", (count: number) => ({
  suffix: `_of_${count}`,
  summary: "Constants by channel.",
  bindings: { result: written("f32") },
  constants: { numbers: { table: count } },
  lanes: LANES,
  body: ({ io, k }) => code`
    ${startThread(LANES, "channel")}
    if (channel < ${count}) {
      ${io.result.store(code`channel`, k.numbers(code`channel`))}
    }`,
}));
