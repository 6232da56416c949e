import { assemble, type Kernel } from "./kernel.js";
import { wgsl } from "./wgsl.js";

export const UPDATE_WORKGROUP = 64;

/** vec4 a thread updates: enough to spread the cost of a thread, few enough to fill an adapter. */
export const UPDATE_QUADS = 4;

/**
 * Stochastic gradient descent with momentum, in place. With g = gradient + decay * w:
 * PyTorch v = m v + g, w -= rate * (nesterov ? g + m v : v);
 * Caffe, and the 2012 paper, v = m v + rate * g, w -= (nesterov ? rate * g + m v : v).
 * Both are v = m v + inner * g, w -= outer * (nesterov ? inner * g + m v : v).
 */
export function sgdUpdate(): Kernel {
  return assemble({
    name: "sgd_update",
    summary: "SGD with momentum and weight decay, in place.",
    storage: [
      { name: "gradient", access: "read", element: "vec4f" },
      { name: "w", access: "read_write", element: "vec4f" },
      { name: "velocity", access: "read_write", element: "vec4f" },
    ],
    constants: ["quads", "learning_rate_factor", "decay_factor"],
    workgroupSize: UPDATE_WORKGROUP,
    body: wgsl`
      let rate = frame.learning_rate * bitcast<f32>(constants.learning_rate_factor);
      let decay = frame.weight_decay * bitcast<f32>(constants.decay_factor);
      let inner = select(1.0, rate, frame.convention == 1u);
      let outer = select(rate, 1.0, frame.convention == 1u);
      let first = block * ${UPDATE_WORKGROUP * UPDATE_QUADS}u + lane;
      for (var turn = 0u; turn < ${UPDATE_QUADS}u; turn++) {
        let at = first + turn * ${UPDATE_WORKGROUP}u;
        if (at >= constants.quads) {
          return;
        }
        let weight = w[at];
        let g = inner * (gradient[at] + decay * weight);
        let v = frame.momentum * velocity[at] + g;
        velocity[at] = v;
        w[at] = weight - outer * select(v, g + frame.momentum * v, frame.nesterov != 0u);
      }`,
  });
}
