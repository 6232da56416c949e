import type { Exporter } from "./exporter.js";
import { kerasExporter } from "./keras/index.js";
import { onnxExporter } from "./onnx/index.js";
import { pytorchExporter } from "./pytorch/index.js";
import { refuseSequences } from "./refusal.js";
import { tfjsExporter } from "./tfjs/index.js";

export const exporters: readonly Exporter[] = [
  onnxExporter,
  pytorchExporter,
  kerasExporter,
  tfjsExporter,
].map(checked);

/** One message for a network of sequences, and not one for each of its layers. */
function checked(exporter: Exporter): Exporter {
  if (exporter.holdsSequences) return exporter;
  return {
    ...exporter,
    write(model, request) {
      refuseSequences(model.network, exporter.title);
      return exporter.write(model, request);
    },
  };
}
