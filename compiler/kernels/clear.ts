import { assemble, type Kernel } from "./kernel.js";
import { wgsl } from "./wgsl.js";

export const CLEAR_WORKGROUP = 64;

/** Zeros, a vec4 a thread: for a halo in a buffer that has held something else. */
export function clear(): Kernel {
  return assemble({
    name: "clear",
    summary: "Zeros, where a halo is to come and something else was.",
    storage: [{ name: "y", access: "read_write", element: "vec4f" }],
    constants: ["fixed_words", "image_words"],
    workgroupSize: CLEAR_WORKGROUP,
    body: wgsl`
      let quad = block * ${CLEAR_WORKGROUP}u + lane;
      if (4u * quad < constants.fixed_words + constants.image_words * frame.batch) {
        y[quad] = vec4f(0);
      }`,
  });
}
