import type { OpDefinition } from "./op.js";
import { ensure } from "./checks.js";

/** Constants by channel. */
export const table: OpDefinition<"table"> = {
  outputs(_, { values }) {
    ensure(values.length > 0, () => "a table has at least one number");
    return [{ shape: [values.length], type: "f32" }];
  },

  reference(_, { values }) {
    return [{ shape: [values.length], data: Float64Array.from(values) }];
  },
};
