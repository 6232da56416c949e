/** The part of the page on masks: pictures, truth and prediction, and the overlap of each class. */
import type { ReportedMask, ReportedSegmentation } from "../data.js";
import { h, percent, section, table } from "./elements.js";

export function masksSection({ examples }: ReportedSegmentation): HTMLElement {
  const rows = examples.map(({ picture, truth, predicted, name }) =>
    h(
      "figure.masks",
      image(picture, "picture"),
      ...(truth === undefined ? [] : [image(truth, "truth")]),
      image(predicted, "prediction"),
      h("figcaption.note", name?.split(/[\\/]/).at(-1) ?? ""),
    ),
  );
  return section(
    "Masks",
    "Picture, truth and prediction of some examples of the eval split.",
    h("div.mask-gallery", ...rows),
  );
}

function image(address: ReportedMask["picture"], alt: string): HTMLElement {
  const element = document.createElement("img");
  element.src = address;
  element.alt = alt;
  element.title = alt;
  return element;
}

export function overlapsSection({ classes }: ReportedSegmentation): HTMLElement {
  const rows = classes.map(({ name, color, overlap }) => {
    const swatch = h("i.swatch");
    swatch.style.background = color;
    const bar = h("i.bar");
    bar.style.width = percent(overlap ?? 0);
    const share = overlap === null ? "–" : percent(overlap);
    return [h("span", swatch, name), h("span.share", h("span.track", bar), share)];
  });
  return section(
    "Classes",
    "Intersection over union: the pixels that are of a class and predicted as it, " +
      "divided by those that are either.",
    table(["class", "IoU"], rows),
  );
}
