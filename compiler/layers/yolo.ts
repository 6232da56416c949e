import { required, withDefault } from "../calls/signature.js";
import { float, valueName } from "../calls/argument-types.js";
import { each } from "../diagnostics/alias.js";
import { define } from "./score.js";

export const yolo = define({
  name: "yolo",
  example: "yolo(head, boxes)",
  aliases: [
    ...["YOLOLoss", "yolo_loss", "detection", "detection_loss"],
    ...each(["giou", "generalized_box_iou_loss", "GIoULoss", "ciou", "box_iou"], {
      differs: "it compares boxes alone; `yolo` has squares of places and roots of sizes",
    }),
  ],
  summary: "YOLO's loss of boxes: a grid of cells, each with one box",
  against: "boxes",
  applies: "sigmoid",
  positional: ["head", "boxes"],
  arguments: {
    head: required(valueName(), "the network's output: 5 numbers and one per class for each cell"),
    boxes: required(valueName(), "the model's target"),
    coord: withDefault(float({ above: 0 }), 5, "what places and sizes of boxes count"),
    noobj: withDefault(float({ above: 0 }), 0.5, "what cells without a box count"),
  },
  lower: (inputs, { coord, noobj }, builder, origin) =>
    builder.add("detectionLoss", inputs, { coord, noobj }, origin),
});
