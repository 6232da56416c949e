/** Parts of the page that show pictures: mistakes and filters. */
import type {
  Filters,
  ReportedExamination,
  ReportedGenerated,
  ReportedMistake,
  ReportedSample,
} from "../data.js";
import { grouped, h, percent, picture, section } from "./elements.js";

export function mistakesSection({ mistakes }: ReportedExamination): HTMLElement {
  const cards = mistakes.map((mistake) => {
    const { actual, predicted, probability, probabilityOfActual, name } = mistake;
    const label = h("span.note.file", ...(name === undefined ? [] : [fileNameOf(name)]));
    if (name !== undefined) label.title = name;
    return h(
      "figure.mistake",
      linked(mistake),
      h(
        "figcaption",
        h("span.wrong", `${predicted} ${percent(probability)}`),
        h("span.note", `is ${actual}, given ${percent(probabilityOfActual)}`),
        label,
      ),
    );
  });
  return section(
    "Most confident mistakes",
    "Often the label is wrong, or two classes look alike." +
      (mistakes.some(hasLink) ? " A click opens the picture's file." : ""),
    h("div.gallery", ...cards),
  );
}

/** A few examples, right or wrong, with their predictions after an epoch. */
export function samplesSection(
  samples: readonly ReportedSample[],
  epoch: number | undefined,
): HTMLElement {
  const cards = samples.map(({ actual, predicted, probability, name, ...sample }) => {
    const image = picture(sample.picture, `${actual}, predicted as ${predicted ?? "nothing"}`);
    const taken = predicted === undefined ? "not finite" : `${predicted} ${percent(probability!)}`;
    const label = h("span.note.file", ...(name === undefined ? [] : [fileNameOf(name)]));
    if (name !== undefined) label.title = name;
    const isRight = predicted === actual;
    return h(
      "figure.mistake",
      image,
      h(
        "figcaption",
        h(isRight ? "span.right" : "span.wrong", taken),
        h("span.note", isRight ? "right" : `is ${actual}`),
        label,
      ),
    );
  });
  const when = epoch === undefined ? "" : ` after epoch ${epoch}, as everything below`;
  return section(
    "Examples",
    `Evenly spread over the eval split, with their predictions${when}.`,
    h("div.gallery", ...cards),
  );
}

/** Images that the model makes of noise, and how the first of them came about. */
export function generatedSection(generated: ReportedGenerated): HTMLElement {
  const { count, seed, epoch, strips } = generated;
  const rows = strips.map((strip) =>
    h(
      "figure.strip",
      picture(strip.picture, `samples after epoch ${strip.epoch}`),
      h("figcaption.note", `epoch ${strip.epoch}`),
    ),
  );
  return section(
    "Samples",
    `${grouped(count)} images made of noise of seed ${seed}, after epoch ${epoch}.` +
      (rows.length > 0 ? " Next to them, the first of them after some epochs." : ""),
    h(
      "div.generated",
      picture(generated.picture, `samples after epoch ${epoch}`),
      h("div.strips", ...rows),
    ),
  );
}

/** Pages from a server may not open files of this machine. */
const hasLink = ({ link }: ReportedMistake) => link !== undefined && location.protocol === "file:";

/** The picture, which opens its file where there is one. */
function linked(mistake: ReportedMistake): HTMLElement {
  const image = picture(mistake.picture, `${mistake.actual}, predicted as ${mistake.predicted}`);
  if (!hasLink(mistake)) return image;
  const anchor = document.createElement("a");
  Object.assign(anchor, { href: mistake.link, target: "_blank", title: mistake.name });
  anchor.append(image);
  return anchor;
}

/** The last parts of a path: enough to find the file among those of its class. */
const fileNameOf = (path: string) => path.split(/[\\/]/).slice(-2).join("/");

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
