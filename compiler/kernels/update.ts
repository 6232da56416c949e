import { assemble, type Kernel, type StorageBinding } from "./kernel.js";
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
const DESCEND = `fn descend(at: u32, gradient: vec4f) {
  let rate = frame.learning_rate * bitcast<f32>(constants.learning_rate_factor);
  let decay = frame.weight_decay * bitcast<f32>(constants.decay_factor);
  let inner = select(1.0, rate, frame.convention == 1u);
  let outer = select(rate, 1.0, frame.convention == 1u);
  let weight = w[at];
  let g = inner * (gradient + decay * weight);
  let v = frame.momentum * velocity[at] + g;
  velocity[at] = v;
  w[at] = weight - outer * select(v, g + frame.momentum * v, frame.nesterov != 0u);
}`;

/** What becomes of a gradient: it is stored, or applied at once to `w` and `velocity`, which lie alike. */
export type GradientUse = "stored" | "applied";

/** The parts that a kernel needs to use the gradient that it makes. */
export interface GradientSink {
  readonly storage: readonly StorageBinding[];
  readonly constants: readonly string[];
  readonly declarations: readonly string[];
  /** Word for the kernel's name. */
  readonly suffix: string;
  /** Statement that uses the vec4 `gradient` of the place `at`. */
  use(at: string, gradient: string): string;
}

const IN_PLACE: readonly StorageBinding[] = [
  { name: "w", access: "read_write", element: "vec4f" },
  { name: "velocity", access: "read_write", element: "vec4f" },
];

const SINKS: Readonly<Record<GradientUse, GradientSink>> = {
  stored: {
    storage: [{ name: "result", access: "read_write", element: "vec4f" }],
    constants: [],
    declarations: [],
    suffix: "",
    use: (at, gradient) => `result[${at}] = ${gradient};`,
  },
  applied: {
    storage: IN_PLACE,
    constants: ["learning_rate_factor", "decay_factor"],
    declarations: [DESCEND],
    suffix: "_update",
    use: (at, gradient) => `descend(${at}, ${gradient});`,
  },
};

export const gradientSink = (use: GradientUse): GradientSink => SINKS[use];

/** The update by itself, of a gradient that was stored. */
export function sgdUpdate(): Kernel {
  const sink = gradientSink("applied");
  return assemble({
    name: "sgd_update",
    summary: "SGD with momentum and weight decay, in place.",
    storage: [{ name: "gradient", access: "read", element: "vec4f" }, ...sink.storage],
    constants: ["quads", ...sink.constants],
    workgroupSize: UPDATE_WORKGROUP,
    declarations: sink.declarations,
    body: wgsl`
      let first = block * ${UPDATE_WORKGROUP * UPDATE_QUADS}u + lane;
      for (var turn = 0u; turn < ${UPDATE_QUADS}u; turn++) {
        let at = first + turn * ${UPDATE_WORKGROUP}u;
        if (at < constants.quads) {
          ${sink.use("at", "gradient[at]")}
        }
      }`,
  });
}
