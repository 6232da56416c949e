/** The part of the page on masks: pictures, truth and prediction, and the overlap of each class. */
import type { ReportedMask, ReportedSegmentation } from "../data.js";
import { classCell, fileName, h, picture, section, shareCell, table } from "./elements.js";

export function masksSection({ examples }: ReportedSegmentation): HTMLElement {
  const rows = examples.map(({ picture: address, truth, predicted, name }) =>
    h(
      "figure.masks",
      image(address, "picture"),
      ...(truth === undefined ? [] : [image(truth, "truth")]),
      image(predicted, "prediction"),
      h("figcaption.note", fileName(name)),
    ),
  );
  return section(
    "Masks",
    "Picture, truth and prediction of some examples of the eval split.",
    h("div.mask-gallery", ...rows),
  );
}

function image(address: ReportedMask["picture"], alt: string): HTMLElement {
  const element = picture(address, alt);
  element.title = alt;
  return element;
}

export function overlapsSection({ classes }: ReportedSegmentation): HTMLElement {
  const rows = classes.map(({ name, color, overlap }) => [
    classCell(name, color),
    shareCell(overlap ?? undefined),
  ]);
  return section(
    "Classes",
    "Intersection over union: the pixels that are of a class and predicted as it, " +
      "divided by those that are either.",
    table(["class", "IoU"], rows),
  );
}
