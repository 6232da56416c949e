/** Transforms that are left to chance: what an example has of them. Only training does. */
import {
  isMixing,
  NO_ORDER,
  sidesOf,
  type Transform,
  type TransformOf,
  type UnmixedKind,
} from "../../program/transforms.js";
import type { ExampleKey } from "./dataset.js";
import type { Decisions, Size } from "./decide.js";
import { inWholeNumbers, NOTHING } from "./decide-drawn.js";
import { Draws } from "./draws.js";
import { isDrawn } from "./random.js";

/** A transform as it applies to an example: nothing in place of what is not drawn for it. */
export const drawnFor = (transform: Transform, key: ExampleKey): Transform =>
  transform.when && !isDrawn(transform.when, key) ? { kind: "hflip", probability: 0 } : transform;

/** The words of images some of whose transforms are left to chance. */
export class DrawsByChance extends Draws {
  override write(view: number, scale: number, key: ExampleKey): void {
    super.write(view, scale, key);
    const { staged, draws } = this.preparation;
    let size: Size = staged;
    for (const { transform, first } of this.places) {
      if (isMixing(transform)) return;
      if (transform.when && !isDrawn(transform.when, key))
        this.writeDecisions(view * draws.words + first, transform, unchanged(transform, size));
      if ("size" in transform) size = sidesOf(transform.size);
    }
  }
}

/** What a transform decides that is not drawn for an image: to change nothing, to the bit. */
function unchanged({ kind }: TransformOf<UnmixedKind>, { width, height }: Size): Decisions {
  switch (kind) {
    case "hflip":
    case "vflip":
      return { flipped: 0 };
    case "color_jitter":
      return { order: NO_ORDER, brightness: 1, contrast: 1, saturation: 1, hue: 0 };
    case "pca_noise":
      return { red: 0, green: 0, blue: 0 };
    case "random_erasing":
      return { ...NOTHING, noise: 0 };
    case "affine": {
      const rows = [
        [1, 0, width],
        [0, 1, height],
      ] as const;
      return inWholeNumbers(rows, { width, height });
    }
    default:
      throw new Error(`${kind} is not left to chance on the device`);
  }
}
