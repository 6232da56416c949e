/** Adds calls that see inside to a network: modules compiled with `--inspect` create those. */
import type { InsideProgram } from "../../program/inside.js";
import type { Inputs } from "../examples.js";
import type { Network } from "../network.js";
import type { Picture, Pictures, Given } from "../pictures/picture.js";
import type { Inside } from "./inside.js";

/** A tensor of a layer, row-major. */
export interface Activation {
  /** Examples first: [N, channels, height, width], or [N, features]. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Options of `attribution`. */
export interface AttributionOptions<Layer extends string = string, Class extends string = string> {
  /** A layer whose output is an image; the last convolution unless given. */
  readonly layer?: Layer | undefined;
  /** A class by its index or its name; the most probable one unless given. */
  readonly class?: number | Class | undefined;
}

/**
 * Grad-CAM (Selvaraju et al., 2017): where in a picture a layer found what speaks for a class.
 * Values are at least 0; the rows and columns are the layer's.
 */
export interface Attribution<Layer extends string = string, Class extends string = string> {
  readonly layer: Layer;
  /** Of the class among the network's outputs, from 0. */
  readonly index: number;
  /** Of the class; `class 3` where nothing names it. */
  readonly name: Class;
  readonly height: number;
  readonly width: number;
  /** height x width values, row-major. */
  readonly values: Float32Array;
}

/** Calls of a network that is seen inside. */
export interface Inspectable<
  Layer extends string = string,
  /** Layers that `attribution` takes. */
  Mapped extends Layer = Layer,
  Class extends string = string,
  Input = Inputs,
> {
  /**
   * What the layers make of 1 to `batch` examples, outside training: batch normalization takes its
   * running statistics, and dropout keeps everything. Of all layers unless some are named. Throws
   * InputError for a layer that the network does not have, with the names of similar ones.
   */
  activations<Name extends Layer = Layer>(
    images: Input | Pictures,
    layers?: readonly Name[],
  ): Promise<{ readonly [name in Name]: Activation }>;
  /**
   * Grad-CAM of a picture or an array, or of each picture of a list. Throws InputError for a layer
   * whose output is not an image or does not lead to the scores, and for an unknown class.
   */
  attribution(
    picture: Picture | Input,
    options?: AttributionOptions<Mapped, Class>,
  ): Promise<Attribution<Mapped, Class>>;
  attribution(
    pictures: readonly Picture[],
    options?: AttributionOptions<Mapped, Class>,
  ): Promise<readonly Attribution<Mapped, Class>[]>;
}

/** The data of a module's second file, which is loaded with the first call. */
export type ImportInside = () => Promise<{ readonly inside: readonly InsideProgram[] }>;

/** The same network, with the calls that see inside. */
export function inspectable<Opened extends Network>(
  network: Opened,
  importInside: ImportInside,
): Opened & Inspectable {
  let opened: Promise<Inside> | undefined;
  const open = (): Promise<Inside> => {
    opened ??= Promise.all([import("./inside.js"), importInside()]).then(
      ([parts, { inside }]) => new parts.Inside(network, inside),
    );
    // The next call loads the files again.
    opened.catch(() => (opened = undefined));
    return opened;
  };
  const destroy = network.destroy.bind(network);
  return Object.assign(network, {
    activations: async (given: Given, layers?: readonly string[]) =>
      (await open()).activations(given, layers),
    attribution: async (given: Given, options?: AttributionOptions) =>
      (await open()).attribution(given, options),
    destroy: () => {
      void opened?.then((inside) => inside.destroy()).catch(() => undefined);
      destroy();
    },
  }) as Opened & Inspectable;
}
