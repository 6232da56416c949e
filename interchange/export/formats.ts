import type { Exporter } from "./exporter.js";
import { onnxExporter } from "./onnx/index.js";

export const exporters: readonly Exporter[] = [onnxExporter];
