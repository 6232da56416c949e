/** Kernels in which a thread makes channel quads of an activation, and what they have in common. */
import { written, type Bindings } from "./bindings.js";
import { code, frame, local, startThread, type Code, type Hole } from "./code.js";
import { namedConstants, type Constants, type PlaceCode } from "./constants.js";
import {
  defineKernel,
  scopeOf,
  type Fragment,
  type KernelParts,
  type Scope,
  type TypedKernel,
} from "./define-kernel.js";
import { epilogueFragment, type Epilogue } from "./epilogue.js";
import { gatherFragment, type Gathered } from "./gather.js";
import { placeName, splitPixel } from "./pixels.js";
import { withoutUndefined } from "../../program/without-undefined.js";

const LANES = 64;

/**
 * What distinguishes one of them. In scope of its code: `image`, `y`, `x`, the thread's channel
 * `quad`, and `NAME_place` of each of `inputs`; in the form of quads `thread` and `pixel`, too.
 */
export interface QuadParts<B extends Bindings, C extends Constants> extends Fragment<B, C> {
  readonly suffix?: string;
  readonly summary: string;
  /** Activations, by their places among the constants, that are read at the thread's own pixel. */
  readonly inputs?: readonly (keyof C & string)[];
  /** Statements that make a vec4 named `value`. */
  readonly value: (scope: Scope<B, C>) => Code;
  /** Statements after the value is stored, such as a second output. */
  readonly after?: (scope: Scope<B, C>) => Hole;
}

/**
 * How the values are made and what becomes of them. In the form of lines, a thread makes a channel
 * quad of a row of an image's pixels. It finds its place and reads vectors once for all of them,
 * and may leave a part of a reduction of each channel.
 */
export interface QuadForm {
  readonly form: "quads" | "lines";
  readonly epilogue: Epilogue;
  readonly gathered?: Gathered | undefined;
}

/** A kernel but for its form. */
export interface QuadKernel<B extends Bindings = Bindings, C extends Constants = Constants> {
  readonly in: (form: QuadForm) => TypedKernel;
  /** Types of what it is given apart from its result. */
  readonly own?: Fragment<B, C>;
}

type AnyParts = QuadParts<Bindings, Constants>;

/** Names of what forms, epilogues and gathered reductions are given: of nothing else. */
type Taken = keyof typeof SIZES | "channels" | "result" | "partial" | "normalized" | "mean";
type Free = { readonly [Name in Taken]?: never };

export function defineQuads<
  Variant extends readonly unknown[],
  const B extends Bindings & Free,
  const C extends Constants & Free,
>(
  name: string,
  make: (...variant: Variant) => QuadParts<B, C>,
): (...variant: Variant) => QuadKernel<B, C> {
  const kernel = defineKernel(name, (form: QuadForm, ...variant: Variant) => {
    const parts = make(...variant) as unknown as AnyParts;
    return form.form === "quads" ? inQuads(parts, form) : inLines(parts, form);
  });
  return (...variant) => ({ in: (form) => kernel(form, ...variant) });
}

const SIZES = { pixels: "u32", height: "u32", width: "u32", quads: "u32" } as const;

/** What all of them are given; `pixels` in the form of quads, `height` in that of lines. */
export const sizes = scopeOf({ bindings: {}, constants: SIZES }).k;

const [THREAD, IMAGE, Y, X] = [code`thread`, code`image`, code`y`, code`x`];
const [QUAD, VALUE, RESULT_PLACE] = [code`quad`, code`value`, code`result_place + quad`];

/** Places as constants by their names. */
const asPlaces = (names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, "place"] as const));

const placesOf = (names: readonly string[]) =>
  scopeOf({ bindings: {}, constants: asPlaces(names) }).k as Readonly<Record<string, PlaceCode>>;

/** Constants but for places of inputs, which come before an epilogue's. */
function otherConstants({ constants, inputs = [] }: AnyParts): Fragment {
  const others = namedConstants(constants).filter(([name]) => !inputs.includes(name));
  return { bindings: {}, constants: Object.fromEntries(others) };
}

const scopesOf = ({ bindings, constants }: AnyParts) => ({
  own: scopeOf({ bindings, constants }),
  result: scopeOf({ bindings: { result: written("vec4f") }, constants: {} }).io.result,
});

function inQuads(parts: AnyParts, { epilogue }: QuadForm): KernelParts<Bindings, Constants> {
  const fused = epilogueFragment(epilogue);
  const { summary, inputs = [], declarations = [] } = parts;
  const { own, result } = scopesOf(parts);
  const { pixels, width, quads } = SIZES;
  const names = ["result", ...inputs, ...fused.activations];
  const places = placesOf(names);
  const finished = fused.finish({
    value: VALUE,
    quad: QUAD,
    pixel: code`pixel`,
    pixels: sizes.pixels,
    place: placeName,
  });
  return {
    suffix: `${parts.suffix ?? ""}${fused.suffix}`,
    summary,
    declarations,
    lanes: LANES,
    bindings: { ...parts.bindings, result: written("vec4f") },
    constants: { pixels, width, quads, result: "place", ...asPlaces(inputs) },
    fragments: [fused, otherConstants(parts)],
    body: () => code`
      ${startThread(LANES)}
      let pixel = ${THREAD} / ${sizes.quads};
      let quad = ${THREAD} % ${sizes.quads};
      if (pixel >= ${frame.batch} * ${sizes.pixels}) {
        return;
      }
      ${splitPixel(code`pixel`, sizes)}
      ${names.map((name) => code`let ${placeName(name)} = ${places[name]!.at(IMAGE, Y, X)};`)}
      ${parts.value(own)}
      ${result.store(RESULT_PLACE, finished)}
      ${parts.after?.(own)}`,
  };
}

function inLines(
  parts: AnyParts,
  { epilogue, gathered }: QuadForm,
): KernelParts<Bindings, Constants> {
  const fused = epilogueFragment(epilogue);
  const gather = gathered && gatherFragment(gathered);
  const { summary, inputs = [], declarations = [] } = parts;
  const { own, result } = scopesOf(parts);
  const { pixels, height, width, quads } = SIZES;
  const names = ["result", ...inputs, ...fused.activations, ...(gather?.activations ?? [])];
  const places = placesOf(names);
  const made = fused.finish({
    value: VALUE,
    quad: QUAD,
    pixel: PIXEL_OF_LINE,
    pixels: sizes.pixels,
    place: placeName,
    vector: quadName,
  });
  const store = gather
    ? [code`let made = ${made};`, result.store(RESULT_PLACE, code`made`), gather.take(QUAD)]
    : result.store(RESULT_PLACE, made);
  return {
    suffix: `${parts.suffix ?? ""}_lines${fused.suffix}${gather?.suffix ?? ""}`,
    summary,
    declarations,
    lanes: LANES,
    bindings: { ...parts.bindings, result: written("vec4f") },
    constants: {
      height,
      width,
      quads,
      ...withoutUndefined({ pixels: fused.readsPixels ? pixels : undefined }),
      ...asPlaces(["result", ...inputs]),
    },
    fragments: [fused, gather, otherConstants(parts)],
    body: () => code`
      ${startThread(LANES)}
      let line = ${THREAD} / ${sizes.quads};
      let quad = ${THREAD} % ${sizes.quads};
      if (line >= ${frame.batch} * ${sizes.height}) {
        return;
      }
      let image = line / ${sizes.height};
      let y = line % ${sizes.height};
      ${fused.vectors.map((name) => code`let ${quadName(name)} = ${fused.loadVector(name, QUAD)};`)}
      ${names.map((name) => code`var ${placeName(name)} = ${lineOf(places[name]!)};`)}
      for (var x = 0u; x < ${sizes.width}; x++) {
        ${parts.value(own)}
        ${store}
        ${names.map((name) => code`${placeName(name)} += ${places[name]!.column};`)}
      }
      ${gather?.leave(code`line`, QUAD)}`,
  };
}

const PIXEL_OF_LINE = code`(line * ${sizes.width} + x)`;

/** The variable for a vector's quad. */
const quadName = (name: string) => local(`${name}_quad`);

/** Where a line's first pixel lies, from `image` and `y`. */
const lineOf = ({ base, image, row }: PlaceCode) => code`${base} + image * ${image} + y * ${row}`;
