/** The layers of a network that a page shows. */
import type { Activation } from "../../runtime/inside/inspectable.js";
import type { InsideLayer } from "../../program/inside.js";
import type { PageStage } from "../../report/inside-page.js";
import { drawChannel } from "./draw.js";

/** More stages than anyone looks at. */
const MOST_STAGES = 12;
const MOST_CHANNELS = 24;

/** A layer whose output is an image of one example. */
export interface ImageLayer extends Pick<InsideLayer, "name" | "kind"> {
  readonly shape: readonly [channels: number, height: number, width: number];
}

/**
 * The last layer of each run of layers with images of one shape; where these are too many, of each
 * run with images of one size.
 */
export function stagesOf(layers: readonly ImageLayer[]): readonly ImageLayer[] {
  const byShape = lastOfRuns(layers, ({ shape }) => shape.join());
  if (byShape.length <= MOST_STAGES) return byShape;
  const bySize = lastOfRuns(layers, ({ shape: [, height, width] }) => `${height} ${width}`);
  return bySize.slice(0, MOST_STAGES);
}

const lastOfRuns = (layers: readonly ImageLayer[], keyOf: (layer: ImageLayer) => string) =>
  layers.filter((layer, index) => {
    const next = layers[index + 1];
    return next === undefined || keyOf(next) !== keyOf(layer);
  });

/** A layer with its strongest channels. */
export async function drawStage(
  { name, kind, shape }: ImageLayer,
  { values }: Activation,
): Promise<PageStage> {
  const [channels, height, width] = shape;
  const size = height * width;
  const planes = Array.from({ length: channels }, (_, channel) => {
    const plane = values.subarray(channel * size, (channel + 1) * size);
    return { width, height, values: plane, largest: plane.reduce((a, b) => Math.max(a, b)) };
  });
  const strongest = planes.sort((a, b) => b.largest - a.largest).slice(0, MOST_CHANNELS);
  const tiles = await Promise.all(strongest.map(drawChannel));
  return { name, kind, channels, height, width, shown: tiles.length, tiles };
}
