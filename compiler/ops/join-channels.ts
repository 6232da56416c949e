import type { OpDefinition } from "./op.js";
import { concatenate } from "./concatenate.js";
import { rearrange } from "./rearrange.js";

/** Channels of several values in an order of all of them: a concatenation that is never stored. */
export const joinChannels: OpDefinition<"joinChannels"> = {
  keepsOrder: true,

  outputs(inputs, order) {
    const [joined] = concatenate.outputs(inputs, {});
    return rearrange.outputs([{ ...inputs[0]!, shape: joined!.shape }], order);
  },

  reference(inputs, order, context, outputs) {
    const joined = concatenate.reference(inputs, {}, context, outputs);
    return rearrange.reference(joined, order, context, outputs);
  },
};
