/** The part of the page on boxes: pictures with them, and the precision of each class. */
import type { CurvePoint } from "../../runtime/evaluation/index.js";
import type { DetectedBox, LabeledBox } from "../../runtime/detection/boxes.js";
import type { ReportedBoxes, ReportedDetection } from "../data.js";
import { curveFigure } from "./calibration.js";
import { classCell, fileName, grouped, h, percent, section, shareCell, table } from "./elements.js";
import { svg } from "./svg.js";

type Classes = ReportedDetection["classes"];

export function boxesSection(detection: ReportedDetection): HTMLElement {
  const { classes, pictures, threshold } = detection;
  const figures = pictures.map((each) =>
    h(
      "figure.boxes",
      drawing(each, each.truth, classes, "truth"),
      drawing(each, each.predicted, classes, "prediction"),
      h("figcaption.note", fileName(each.name)),
    ),
  );
  return section(
    "Boxes",
    "Left the boxes of the data, right those that the network finds with a score of at least " +
      `${percent(threshold, 0)}, in some examples of the eval split. ${emptyNote(detection)}`,
    h("div.mask-gallery", ...figures),
  );
}

function emptyNote({ examples, withoutBoxes }: ReportedDetection): string {
  if (withoutBoxes === 0) return "";
  const verb = withoutBoxes === 1 ? "has" : "have";
  return (
    `${grouped(withoutBoxes)} of ${grouped(examples)} examples ${verb} no box: ` +
    "every detection in them is wrong."
  );
}

function drawing(
  { picture, width, height }: ReportedBoxes,
  boxes: readonly (LabeledBox | DetectedBox)[],
  classes: Classes,
  alt: string,
): SVGElement {
  const label = boxes.length === 0 ? `${alt}: no boxes` : `${alt}: ${boxes.length} boxes`;
  const frame = { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label };
  const image = svg("image", { href: picture, width, height });
  return svg("svg", frame, image, ...boxes.flatMap((box) => outline(box, classes, width, height)));
}

function outline(
  found: LabeledBox | DetectedBox,
  classes: Classes,
  width: number,
  height: number,
): SVGElement[] {
  const { name, color } = classes[found.index]!;
  const { box } = found;
  const size = Math.max(width, height) / 18;
  const [x, y] = [box.left * width, box.top * height];
  const place = { x, y, width: box.width * width, height: box.height * height };
  const share = "score" in found ? ` ${percent(found.score, 0)}` : "";
  // Above its box, or within it at the upper edge; from its right side where that is nearer.
  const isRight = box.left + box.width / 2 > 0.5;
  const text = svg(
    "text",
    {
      x: isRight ? x + place.width : x,
      y: y > size ? y - size / 4 : y + size,
      "text-anchor": isRight ? "end" : "start",
      fill: color,
      "font-size": size,
      "stroke-width": size / 5,
    },
    document.createTextNode(name + share),
  );
  return [svg("rect.edge", place), svg("rect", { ...place, stroke: color }), text];
}

/** A class, the average precision of its boxes and the curve; those without a box have none. */
export function precisionsSection({ classes }: ReportedDetection): HTMLElement {
  const rows = classes.map(({ name, color, precision }) => [
    classCell(name, color),
    grouped(precision?.support ?? 0),
    shareCell(precision?.ap50),
    precision ? percent(precision.ap) : "–",
  ]);
  const curves = classes.flatMap(({ name, precision }) => {
    if (!precision) return [];
    const { ap50, curve } = precision;
    const points = curve.map((each, index): CurvePoint => [index / (curve.length - 1), each]);
    return curveFigure(name, ap50, points);
  });
  return section(
    "Classes",
    "Average precision of the boxes, at an overlap (intersection over union) of 0.5, and the " +
      "mean over overlaps of 0.5 to 0.95. The curves are at 0.5.",
    table(["class", "boxes", "AP 0.5", "AP 0.5:0.95"], rows),
    h("div.curves", ...curves),
  );
}
