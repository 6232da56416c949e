import { requireShape } from "./checks.js";
import type { OpDefinition } from "./op.js";
import { placesOf, requireInside } from "./rearrange.js";
import { resolveShape, tensorSize, zeros } from "./tensors.js";

/** Each element back to where it was taken from; 0 where none was. */
export const rearrangeGradient: OpDefinition<"rearrangeGradient"> = {
  keepsOrder: true,

  outputs([dy], attributes) {
    requireInside(attributes.inputShape, attributes);
    requireShape(dy!, attributes.shape);
    return [{ shape: attributes.inputShape, type: "f32" }];
  },

  reference([dy], attributes) {
    const images = dy!.shape[0]!;
    const dx = zeros(resolveShape(attributes.inputShape, images));
    const places = placesOf(attributes);
    const size = tensorSize(dx.shape) / images;
    for (let image = 0; image < images; image++) {
      places.forEach((place, index) => {
        dx.data[image * size + place] = dy!.data[image * places.length + index]!;
      });
    }
    return [dx];
  },
};
