/**
 * What a kernel leaves of the values that it stores, for a reduction of each channel that is joined
 * afterwards (channel-statistics.ts).
 */
import { PART_QUADS } from "../ir/fusion.js";
import type { Gathered } from "./gather.js";
import type { Declared } from "./code.js";
import type { StorageBinding } from "./kernel.js";
import { RELU } from "./not-a-number.js";
import { placeConstants } from "./place.js";
import { wgsl } from "./wgsl.js";

/**
 * A lane's values of one channel quad, one after the other, and the part of the reduction that they
 * are.
 */
export interface Gathering {
  /** vec4 that a part leaves of a channel quad. */
  readonly left: number;
  readonly storage: readonly StorageBinding[];
  /** Names of activations that are read at the value's own pixel. */
  readonly activations: readonly string[];
  readonly constants: readonly string[];
  readonly declarations: readonly (string | Declared)[];
  /** Word for the kernel's name. */
  readonly suffix: string;
  /**
   * Takes in `made`, a vec4 of the channel quad `at`; places of activations are at hand as
   * `NAME_place`.
   */
  take(at: string): string;
  /** Leaves what was taken in as a part, if there was anything. */
  leave(part: string, at: string): string;
}

const read = (name: string): StorageBinding => ({ name, access: "read", element: "vec4f" });
const PARTIAL = { name: "partial", access: "read_write", element: "vec4f" } as const;

const placeOfPart = (part: string, at: string) => `(${part} * constants.partial_quads + ${at})`;

const GATHERINGS: Readonly<Record<Gathered, Gathering>> = {
  moments: {
    left: PART_QUADS.moments,
    storage: [PARTIAL],
    activations: [],
    constants: ["partial_quads"],
    declarations: [
      RELU,
      "var<private> count: f32;",
      ...["near", "rest", "squares"].map((name) => `var<private> ${name}: vec4f;`),
    ],
    suffix: "_moments",
    take: () => wgsl`
      near = select(near, made, count == 0.0);
      let distance = made - near;
      rest += distance;
      squares = fma(distance, distance, squares);
      count += 1.0;`,
    leave: (part, at) => wgsl`
      if (count > 0.0) {
        let place = ${placeOfPart(part, at)};
        partial[${PART_QUADS.moments}u * place] = near;
        partial[${PART_QUADS.moments}u * place + 1u] = rest / count;
        partial[${PART_QUADS.moments}u * place + 2u] = relu(squares - rest * rest / count);
      }`,
  },
  products: {
    left: PART_QUADS.products,
    storage: [read("input"), read("mean"), PARTIAL],
    activations: ["input"],
    constants: ["partial_quads", ...placeConstants("input")],
    declarations: [
      "var<private> count: f32;",
      ...["gradients", "products"].map((name) => `var<private> ${name}: vec4f;`),
    ],
    suffix: "_products",
    take: (at) => wgsl`
      gradients += made;
      products = fma(made, input[input_place + ${at}] - mean[${at}], products);
      count += 1.0;`,
    leave: (part, at) => wgsl`
      if (count > 0.0) {
        let place = ${placeOfPart(part, at)};
        partial[${PART_QUADS.products}u * place] = gradients;
        partial[${PART_QUADS.products}u * place + 1u] = products;
      }`,
  },
};

export const gathering = (gathered: Gathered): Gathering => GATHERINGS[gathered];
