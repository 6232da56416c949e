import type { Exporter } from "./exporter.js";
import { kerasExporter } from "./keras/index.js";
import { onnxExporter } from "./onnx/index.js";
import { pytorchExporter } from "./pytorch/index.js";
import { tfjsExporter } from "./tfjs/index.js";

export const exporters: readonly Exporter[] = [
  onnxExporter,
  pytorchExporter,
  kerasExporter,
  tfjsExporter,
];
