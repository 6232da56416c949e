/** Which layers take values of more axes than an image: what messages and documentation say. */
import { isActivation } from "./activation.js";
import { layers } from "./index.js";
import type { LayerDefinition } from "./layer.js";

/** How a layer takes values of more axes than an image; undefined where it does not. */
export const takesWide = (layer: LayerDefinition): LayerDefinition["takesWide"] =>
  layer.takesWide ?? (isActivation(layer) || undefined);

/** Names of the layers that take them as they are, but for activations, which all do. */
export const ofAnyRank = (): readonly string[] => namesOf((each) => each.takesWide === true);

/** Names of the layers that work on their last axis. */
export const ofLastAxis = (): readonly string[] =>
  namesOf((each) => each.takesWide === "last axis");

const namesOf = (test: (layer: LayerDefinition) => boolean) =>
  layers.filter(test).map(({ name }) => `\`${name}\``);

/** What to do with a value of more axes than an image. */
export const wideNotes = (): readonly string[] => [
  `values of any rank go into activations and ${ofAnyRank().join(", ")}; ` +
    `${ofLastAxis().join(", ")} work on the last axis`,
  "`reshape([channels, height, width])` makes an image of one, `reshape([tokens, channels])` " +
    "a sequence",
];
