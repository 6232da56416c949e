import type { CatalogueFamily } from "./entry.js";

/** NET4: limits of devices. `netc check --limits` reports them. */
export const LIMITS = {
  NET4001: {
    title: "weights exceed a storage binding and are sharded",
    explanation:
      "A device can bind buffers up to a limit, usually 128 MiB. netc splits the weights of " +
      "a larger layer into several buffers, each with a range of output channels, and runs " +
      "the layer once for each buffer. Files, names and results stay the same.",
    wrong: "flatten -> linear(4096)  // 25088 x 4096 weights: 392 MiB",
    right: "flatten -> linear(1024)  // 98 MiB, in one buffer",
    severity: "warning",
  },
  NET4002: {
    title: "a batch exceeds a storage binding and is split into slices",
    explanation:
      "A device can bind buffers up to a limit, usually 128 MiB. netc splits a batch whose " +
      "activations exceed it into slices and runs them one after the other. Gradients are " +
      "those of the mean over the whole batch, and netc updates the weights once, after the " +
      "last slice. Results are the same up to the order of sums. Only batch normalization " +
      "takes its statistics from each slice, as with gradient accumulation in PyTorch.",
    wrong: "batch = 256",
    right: "batch = 64",
    severity: "warning",
  },
  NET4003: {
    title: "more memory than the device can bind",
    explanation:
      "A tensor of a single image, or a shard of a layer's weights, exceeds what the device " +
      "can bind, and netc cannot split it further. Use smaller images, earlier pooling or a " +
      "smaller layer.",
    wrong: "input image: f32[N, 3, 4096, 4096]",
    right: "input image: f32[N, 3, 1024, 1024]",
  },
  NET4004: {
    title: "a kernel needs more than the device grants",
    explanation:
      "Kernels stay within the default limits of WebGPU: 8 storage buffers, 16 KiB of " +
      "workgroup memory, 256 invocations in a workgroup and 65,535 workgroups in a " +
      "dimension. Lower limits come from a file that was given to `--limits`.",
    wrong: "",
    right: "",
    withoutSpec: "it needs a file with limits below the defaults of WebGPU",
  },
} as const satisfies CatalogueFamily;
