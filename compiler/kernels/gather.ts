/**
 * What a kernel leaves of the values that it stores, for a reduction of each channel that is joined
 * afterwards (channel-statistics.ts).
 */
import { PART_QUADS } from "../ir/fusion.js";
import { read, written, type Stored } from "./bindings.js";
import { code, privateVariable, type Code } from "./code.js";
import { scopeOf, type Fragment } from "./define-kernel.js";
import { RELU } from "./not-a-number.js";

/**
 * `moments`: of the values themselves; `products`: of gradients, with `normalized`, the input
 * of the normalization that they are of, and its `mean`.
 */
export type Gathered = "moments" | "products";

/**
 * A lane's values of one channel quad, one after the other, and the part of the reduction that they
 * are.
 */
export interface GatherFragment extends Fragment {
  /** Names of activations that are read at the value's own pixel. */
  readonly activations: readonly string[];
  /** Word for the kernel's name. */
  readonly suffix: string;
  /** Where an activation's pixel is. */
  readonly placeOf: (name: string, image: Code, y: Code, x: Code) => Code;
  /** Takes in `made`, a vec4 of a channel quad; places of activations are in `NAME_place`. */
  readonly take: (quad: Code) => Code;
  /** Leaves what was taken in as a part, if there was anything. */
  readonly leave: (part: Code, quad: Code) => Code;
}

const [COUNT, NEAR, REST] = [
  privateVariable("count", "f32"),
  privateVariable("near", "vec4f"),
  privateVariable("rest", "vec4f"),
];
const SQUARES = privateVariable("squares", "vec4f");
const [GRADIENTS, PRODUCTS] = [
  privateVariable("gradients", "vec4f"),
  privateVariable("products", "vec4f"),
];

const MOMENTS_INTERFACE = {
  bindings: { partial: written("vec4f") },
  constants: { partial_quads: "u32" },
} as const;

const PRODUCTS_INTERFACE = {
  bindings: { normalized: read("vec4f"), mean: read("vec4f"), partial: written("vec4f") },
  constants: { partial_quads: "u32", normalized: "place" },
} as const;

/** What the fragments are given. */
export const GATHER_INTERFACES = {
  moments: MOMENTS_INTERFACE,
  products: PRODUCTS_INTERFACE,
} as const;

const placeOfPart = (part: Code, partialQuads: Code, quad: Code) =>
  code`${part} * ${partialQuads} + ${quad}`;

const moments = (): GatherFragment => {
  const { io, k } = scopeOf(MOMENTS_INTERFACE);
  return {
    ...MOMENTS_INTERFACE,
    activations: [],
    declarations: [RELU, COUNT, NEAR, REST, SQUARES],
    suffix: "_moments",
    placeOf: () => {
      throw new Error("moments read no activations");
    },
    take: () => code`
      ${NEAR} = select(${NEAR}, made, ${COUNT} == 0.0);
      let distance = made - ${NEAR};
      ${REST} += distance;
      ${SQUARES} = fma(distance, distance, ${SQUARES});
      ${COUNT} += 1.0;`,
    leave: (part, quad) => code`
      if (${COUNT} > 0.0) {
        let place = ${placeOfPart(part, k.partial_quads, quad)};
        ${leaveMoments(io.partial, code`place`)}
      }`,
  };
};

const products = (): GatherFragment => {
  const { io, k } = scopeOf(PRODUCTS_INTERFACE);
  return {
    ...PRODUCTS_INTERFACE,
    activations: ["normalized"],
    declarations: [COUNT, GRADIENTS, PRODUCTS],
    suffix: "_products",
    placeOf: (_, image, y, x) => k.normalized.at(image, y, x),
    take: (quad) => {
      const value = io.normalized.load(code`normalized_place + ${quad}`);
      const distance = code`${value} - ${io.mean.load(quad)}`;
      return code`
        ${GRADIENTS} += made;
        ${PRODUCTS} = fma(made, ${distance}, ${PRODUCTS});
        ${COUNT} += 1.0;`;
    },
    leave: (part, quad) => code`
      if (${COUNT} > 0.0) {
        let place = ${placeOfPart(part, k.partial_quads, quad)};
        ${leaveProducts(io.partial, code`place`)}
      }`,
  };
};

export const gatherFragment = (gathered: Gathered): GatherFragment =>
  gathered === "moments" ? moments() : products();

/** Stores what `near`, and `rest` and `squares` of the distances from it, say of `count` values. */
export const leaveMoments = (partial: Stored, place: Code): Code => code`
  ${partial.store(code`${PART_QUADS.moments} * ${place}`, code`near`)}
  ${partial.store(code`${PART_QUADS.moments} * ${place} + 1u`, code`rest / count`)}
  ${partial.store(
    code`${PART_QUADS.moments} * ${place} + 2u`,
    code`${RELU}(squares - rest * rest / count)`,
  )}`;

/** Stores the sums `gradients` and `products`. */
export const leaveProducts = (partial: Stored, place: Code): Code => code`
  ${partial.store(code`${PART_QUADS.products} * ${place}`, code`gradients`)}
  ${partial.store(code`${PART_QUADS.products} * ${place} + 1u`, code`products`)}`;
