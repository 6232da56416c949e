/**
 * Parts of a node's tensors that are computed by themselves: what is enough to look at where they
 * are large.
 */
import type {
  GroupNormalizeAttributes,
  Node,
  OpAttributes,
  OpKind,
} from "../../compiler/ir/graph.js";
import type { Tensor } from "../../compiler/ops/op.js";
import { imageSizes } from "../../compiler/ops/tensors.js";
import { spread } from "./places.js";

/** A part of every tensor of a node. */
export interface Part {
  /** The places, in a tensor of that shape, of its part's elements. */
  indices(shape: readonly number[]): readonly number[];
  /** The shape of the part of a tensor of that shape. */
  shape(shape: readonly number[]): readonly number[];
  /** What the node's attributes are for the part, where they differ. */
  readonly attributes?: object;
}

/** Elements to look at, but no fewer than some parts. */
const ELEMENTS = 1 << 17;
const FEWEST = 4;

const choose = (count: number, elements: number) =>
  spread(count, Math.max(FEWEST, Math.floor(ELEMENTS / elements)));

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

/**
 * Some channels of some images, as those of one: an op whose results there depend on that channel
 * of that image alone.
 */
function planes(first: readonly number[]): Part {
  const { images, channels, pixels } = imageSizes(first);
  const chosen = choose(images * channels, pixels);
  return {
    indices(shape) {
      const own = imageSizes(shape).pixels;
      return chosen.flatMap((plane) => range(own).map((pixel) => plane * own + pixel));
    },
    shape: (shape) => [1, chosen.length, ...shape.slice(2)],
  };
}

/** Some channels of all images; vectors have a value for each channel. */
function channels(first: readonly number[]): Part {
  const { images, channels: all, pixels } = imageSizes(first);
  const chosen = choose(all, images * pixels);
  return {
    indices(shape) {
      if (shape.length === 1) return chosen;
      return range(images).flatMap((image) =>
        chosen.flatMap((channel) =>
          range(pixels).map((pixel) => (image * all + channel) * pixels + pixel),
        ),
      );
    },
    shape: ([extent, , ...space]) =>
      extent === all && space.length === 0 ? [chosen.length] : [images, chosen.length, ...space],
  };
}

/** All channels of some pixels of some images, as images of one pixel. */
function pixels(first: readonly number[]): Part {
  const { images, channels: own, pixels: all } = imageSizes(first);
  const chosen = choose(images * all, own);
  return {
    indices(shape) {
      const count = imageSizes(shape).channels;
      return chosen.flatMap((place) => {
        const start = Math.floor(place / all) * count * all + (place % all);
        return range(count).map((channel) => start + channel * all);
      });
    },
    shape: (shape) => [chosen.length, imageSizes(shape).channels],
  };
}

/** Some groups of channels of some images, as images with one group. */
function groups(first: readonly number[], { groups: count }: GroupNormalizeAttributes): Part {
  const { images, channels: all, pixels: each } = imageSizes(first);
  const size = all / count;
  const chosen = choose(images * count, size * each);
  return {
    indices: () =>
      chosen.flatMap((group) => range(size * each).map((place) => group * size * each + place)),
    shape: (shape) => [chosen.length, size, ...shape.slice(2)],
    attributes: { groups: 1 },
  };
}

type Cut = (first: readonly number[], attributes: never) => Part | undefined;

/** Values that follow one another along rows, columns or tokens differ in their pixels. */
const joined = (first: readonly number[], { axis }: OpAttributes["concatenate"]) =>
  axis ? undefined : pixels(first);

const CUTS: { readonly [Kind in OpKind]?: Cut } = {
  maxPool: planes,
  maxPoolGradient: planes,
  maxUnpool: planes,
  maxUnpoolGradient: planes,
  averagePool: planes,
  averagePoolGradient: planes,
  resample: planes,
  resampleGradient: planes,
  extend: planes,
  extendGradient: planes,
  channelSum: channels,
  channelStatistics: channels,
  normalize: channels,
  normalizeGradient: channels,
  softmax: pixels,
  softmaxGradient: pixels,
  channelWindowSum: pixels,
  concatenate: joined,
  groupNormalize: groups,
  groupNormalizeGradient: groups,
};

/**
 * The part to look at of a node whose first input has that shape; undefined where its results hang
 * together.
 */
export function partOf({ kind, attributes }: Node, first: readonly number[]): Part | undefined {
  return CUTS[kind]?.(first, attributes as never);
}

export function take({ shape, data }: Tensor, part: Part): Tensor {
  const indices = part.indices(shape);
  const taken = data.slice(0, indices.length);
  indices.forEach((index, place) => (taken[place] = data[index]!));
  return { shape: part.shape(shape), data: taken };
}
