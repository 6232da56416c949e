import type { CatalogueFamily } from "./entry.js";

/** NET4: limits of devices. `netc check --limits` reports them. */
export const limits = {
  NET4001: {
    title: "weights exceed a storage binding and are sharded",
    explanation:
      "A device binds buffers up to a limit, 128 MiB unless it grants more. The weights of a large fully connected layer are then kept in several buffers, each of a range of output channels, and the layer runs once for each. Files, names and results stay the same.",
    wrong: "flatten -> linear(4096)  // 25088 x 4096 weights: 392 MiB",
    right: "flatten -> linear(1024)  // 98 MiB, in one buffer",
    severity: "warning",
  },
  NET4002: {
    title: "a batch exceeds a storage binding and comes in slices",
    explanation:
      "A device binds buffers up to a limit, 128 MiB unless it grants more. A batch whose activations exceed it comes in slices, one after the other: gradients are those of the mean over the whole batch, and the weights are updated once, after the last slice. Results are the same up to the order of sums. Statistics of batch normalization, and means weighted by class, are each slice's own, as where gradients are accumulated in PyTorch.",
    wrong: "batch = 256",
    right: "batch = 64",
    severity: "warning",
  },
  NET4003: {
    title: "more memory than the device can bind",
    explanation:
      "A tensor of a single image, or a shard of a layer's weights, exceeds what the device binds: neither slices nor shards help. Smaller images, an earlier pooling or a smaller layer do.",
    wrong: "input image: f32[N, 3, 4096, 4096]",
    right: "input image: f32[N, 3, 1024, 1024]",
  },
  NET4004: {
    title: "a kernel needs more than the device grants",
    explanation:
      "Kernels keep to what every device with WebGPU grants: 8 storage buffers, 16 KiB of workgroup memory, 256 invocations a workgroup and 65,535 workgroups in a dimension. Limits below these come from a file that was given to `--limits`.",
    wrong: "",
    right: "",
    withoutSpec: "only limits below WebGPU's own, given in a file, lead to it",
  },
} as const satisfies CatalogueFamily;
