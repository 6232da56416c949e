import { withRows } from "../one-row.js";
import type { Exporter, ExportRequest } from "../exporter.js";
import { preparationText, transformText } from "../describe.js";
import type { Exported, ExportModel } from "../model.js";
import { withoutUndefined } from "../../../program/without-undefined.js";
import { onnxFile } from "./file.js";
import { leftToCaller, onnxGraph } from "./graph.js";

export const onnxExporter: Exporter = {
  name: "onnx",
  title: "ONNX",
  extension: ".onnx",
  choices: ["as", "softmax", "preprocessing"],
  keptForTraining: [],
  keepsOptimizer: false,
  holdsSequences: true,
  write,
};

function write(given: ExportModel, request: ExportRequest): Exported {
  const model = withRows(given);
  const { as, softmax, preprocessing, path, version } = request;
  const built = onnxGraph(model, { weights: as, softmax, preprocessing });
  const { classNames, preparation, network } = model;
  const metadata = withoutUndefined({
    classes: classNames ? JSON.stringify(classNames) : undefined,
    preprocessing: preparation ? preparationText(preparation) : undefined,
  });
  const documentation = `${network.name}, written by netc export`;
  const content = onnxFile(built, { version, documentation, metadata });
  return { files: [{ path, content }], notes: notesOf(model, request) };
}

function notesOf(
  { preparation, network }: ExportModel,
  { preprocessing, softmax }: ExportRequest,
): readonly string[] {
  const isLogits = network.outputs.some(({ gives }) => gives === "logits");
  return [
    ...(preprocessing ? preparationNotes(preparation!, network.inputs[0]!.name) : []),
    ...(softmax && !isLogits ? ["no output gives logits: --softmax changed nothing"] : []),
  ];
}

function preparationNotes(
  preparation: NonNullable<ExportModel["preparation"]>,
  input: string,
): readonly string[] {
  const left = leftToCaller(preparation).map(transformText);
  return [
    `\`${input}\` takes pixels from 0 to ${preparation.maximum}, as f32`,
    ...(left.length > 0 ? [`before that, do this yourself: ${left.join(" -> ")}`] : []),
  ];
}
