/** Parts of the page that show pictures: mistakes and filters. */
import type { Filters, ReportedExamination } from "../data.js";
import { grouped, h, percent, section } from "./elements.js";

export function mistakesSection({ mistakes }: ReportedExamination): HTMLElement {
  const cards = mistakes.map(({ picture, actual, predicted, probability, probabilityOfActual }) => {
    const image = document.createElement("img");
    image.src = picture;
    image.alt = `${actual}, taken for ${predicted}`;
    return h(
      "figure.mistake",
      image,
      h(
        "figcaption",
        h("span.wrong", `${predicted} ${percent(probability)}`),
        h("span.note", `is ${actual}, given ${percent(probabilityOfActual)}`),
      ),
    );
  });
  return section(
    "Most confident mistakes",
    "Sure and wrong: often a label that is, or two classes that look alike.",
    h("div.gallery", ...cards),
  );
}

/** Each filter is drawn about this many pixels wide. */
const FILTER_SIZE = 56;

export function filtersSection(filters: Filters): HTMLElement {
  const { name, width, height, channels, count } = filters;
  const bytes = Uint8Array.from(atob(filters.pixels), (character) => character.charCodeAt(0));
  const size = width * height * channels;
  const pictures = Array.from({ length: count }, (_, index) => {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    canvas.title = `filter ${index}`;
    canvas.style.width = `${Math.max(1, Math.round(FILTER_SIZE / width)) * width}px`;
    const image = new ImageData(width, height);
    const pixels = bytes.subarray(index * size, (index + 1) * size);
    for (let pixel = 0; pixel < width * height; pixel++) {
      const at = (channel: number) => pixels[pixel * channels + Math.min(channel, channels - 1)]!;
      image.data.set([at(0), at(1), at(2), 255], 4 * pixel);
    }
    canvas.getContext("2d")!.putImageData(image, 0, 0);
    return canvas;
  });
  const note =
    `${name}: ${grouped(count)} filters of ` +
    `${width}x${height}${channels === 3 ? ", red, green and blue as learned" : ""}. Each is ` +
    "scaled to its own range; middle gray is zero.";
  return section("First-layer filters", note, h("div.filters", ...pictures));
}
