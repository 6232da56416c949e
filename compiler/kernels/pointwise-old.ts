import { EpiloguePrinter } from "./epilogue-old.js";
import type { Declared } from "./code.js";
import type { Epilogue } from "./epilogue.js";
import { gathering, type Gathering } from "./gather-old.js";
import type { Gathered } from "./gather.js";
import { assemble, type Kernel } from "./kernel.js";
import { placeConstants, placeOf, splitPixel } from "./place.js";
import { wgsl } from "./wgsl.js";

export const POINTWISE_WORKGROUP = 64;

/**
 * The skeleton of every kernel in which a thread makes one channel quad of one pixel: it finds the
 * thread's place, `result` computes a vec4 named `value`, and the epilogue is applied as it is
 * stored. Place constants of `inputs` are at hand as `NAME_place`.
 */
export interface QuadKernel {
  readonly name: string;
  readonly summary: string;
  readonly storage: Kernel["storage"];
  readonly constants?: readonly string[];
  /** Activations that `result` reads at the thread's own pixel. */
  readonly inputs: readonly string[];
  readonly declarations?: readonly (string | Declared)[];
  readonly result: string;
  /** Statements after y is stored, such as a second output. */
  readonly after?: string;
  readonly epilogue: Epilogue;
}

export function quadKernel(parts: QuadKernel): Kernel {
  const fused = new EpiloguePrinter(parts.epilogue);
  const places = ["y", ...parts.inputs, ...fused.activations];
  return assemble({
    name: `${parts.name}${fused.suffix}`,
    summary: parts.summary,
    storage: [
      ...parts.storage,
      { name: "result", access: "read_write", element: "vec4f" },
      ...fused.storage,
    ],
    constants: [
      ...["pixels", "width", "quads"],
      ...placeConstants("y"),
      ...parts.inputs.flatMap((name) => placeConstants(name)),
      ...fused.constants,
      ...(parts.constants ?? []),
    ],
    workgroupSize: POINTWISE_WORKGROUP,
    declarations: [...(parts.declarations ?? []), ...fused.declarations],
    body: wgsl`
      let thread = block * ${POINTWISE_WORKGROUP}u + lane;
      let pixel = thread / constants.quads;
      let quad = thread % constants.quads;
      if (pixel >= frame.batch * constants.pixels) {
        return;
      }
      ${splitPixel("pixel")}
      ${places.map((name) => `let ${name}_place = ${placeOf(name)};`)}
      ${parts.result}
      result[y_place + quad] = ${fused.print("value", "quad", "pixel", (name) => `${name}_place`)};
      ${parts.after ?? ""}`,
  });
}

/** One of the two forms of the skeleton. */
export type QuadSkeleton = (parts: QuadKernel) => Kernel;

/**
 * The skeleton's other form: a thread makes a channel quad of a line (a row of an image's pixels),
 * pixel by pixel. It finds its place and reads vectors once for all of them, and may gather what it
 * stores for a reduction of each channel, of which the line is a part.
 */
export function lineKernel(parts: QuadKernel, gathered?: Gathered): Kernel {
  const fused = new EpiloguePrinter(parts.epilogue);
  const gather = gathered && gathering(gathered);
  const activations = [...fused.activations, ...(gather?.activations ?? [])];
  const places = ["y", ...parts.inputs, ...activations];
  return assemble({
    name: `${parts.name}_lines${fused.suffix}${gather?.suffix ?? ""}`,
    summary: parts.summary,
    storage: [
      ...parts.storage,
      { name: "result", access: "read_write", element: "vec4f" },
      ...fused.storage,
      ...(gather?.storage ?? []),
    ],
    constants: [
      ...["height", "width", "quads", ...(fused.usesCounter ? ["pixels"] : [])],
      ...placeConstants("y"),
      ...parts.inputs.flatMap((name) => placeConstants(name)),
      ...fused.constants,
      ...(gather?.constants ?? []),
      ...(parts.constants ?? []),
    ],
    workgroupSize: POINTWISE_WORKGROUP,
    declarations: [
      ...(parts.declarations ?? []),
      ...fused.declarations,
      ...(gather?.declarations ?? []),
    ],
    body: wgsl`
      let thread = block * ${POINTWISE_WORKGROUP}u + lane;
      let line = thread / constants.quads;
      let quad = thread % constants.quads;
      if (line >= frame.batch * constants.height) {
        return;
      }
      let image = line / constants.height;
      let y = line % constants.height;
      ${fused.vectors.map((name) => `let ${name}_quad = ${name}[quad];`)}
      ${places.map((name) => `var ${name}_place = ${lineOf(name)};`)}
      for (var x = 0u; x < constants.width; x++) {
        ${parts.result}
        ${storeInLine(fused, gather)}
        ${places.map((name) => `${name}_place += constants.${name}_column;`)}
      }
      ${gather ? gather.leave("line", "quad") : []}`,
  });
}

/** Where a line's first pixel lies, from `image` and `y`. */
const lineOf = (name: string) =>
  `constants.${name}_base + image * constants.${name}_image + y * constants.${name}_row`;

function storeInLine(fused: EpiloguePrinter, gather: Gathering | undefined): readonly string[] {
  const pixel = "(line * constants.width + x)";
  const made = fused.print(
    ...(["value", "quad", pixel] as const),
    (name) => `${name}_place`,
    (name) => `${name}_quad`,
  );
  const store = (value: string) => `result[y_place + quad] = ${value};`;
  return gather ? [`let made = ${made};`, store("made"), gather.take("quad")] : [store(made)];
}
