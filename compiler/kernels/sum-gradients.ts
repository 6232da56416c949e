import { assemble, type Kernel } from "./kernel.js";
import { UPDATE_WORKGROUP } from "./update.js";
import { wgsl } from "./wgsl.js";

/** Two gradients of a piece of a parameter, added up. Padding is zero in all of them. */
export function sumGradients(): Kernel {
  return assemble({
    name: "sum_gradients",
    summary: "The sum of the gradients of two layers that share weights.",
    storage: [
      { name: "first", access: "read", element: "vec4f" },
      { name: "second", access: "read", element: "vec4f" },
      { name: "result", access: "read_write", element: "vec4f" },
    ],
    constants: ["quads"],
    workgroupSize: UPDATE_WORKGROUP,
    body: wgsl`
      let at = block * ${UPDATE_WORKGROUP}u + lane;
      if (at < constants.quads) {
        result[at] = first[at] + second[at];
      }`,
  });
}
