import { BATCH, elementCount, hasBatch } from "../ir/shape.js";
import { ensure } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { tensorSize, zeros } from "./tensors.js";

/** A parameter's numbers, the same for each example. */
export const broadcast: OpDefinition<"broadcast"> = {
  outputs([parameter]) {
    const { shape, name } = parameter!;
    ensure(!hasBatch(shape), () => `${name} differs from example to example already`);
    return [{ shape: [BATCH, elementCount(shape)], type: "f32" }];
  },

  gradient(builder, { inputs, origin }, [dy]) {
    return [builder.add("channelSum", [dy!], { shape: inputs[0]!.shape }, origin)];
  },

  reference([parameter], _, { batch }) {
    ensure(batch !== undefined, () => "broadcast needs the number of examples");
    const length = tensorSize(parameter!.shape);
    const y = zeros([batch, length]);
    for (let image = 0; image < batch; image++) y.data.set(parameter!.data, image * length);
    return [y];
  },
};
