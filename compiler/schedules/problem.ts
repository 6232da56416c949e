import type { Affine } from "../../program/program.js";

/**
 * A contraction as the schedules see it: the form of its skeleton (kernels/contraction-block.ts)
 * and its sizes. `transposed` is the form `pixels` with the weights of a linear layer read the
 * other way round, for its input gradient.
 */
export interface ContractionProblem {
  readonly form: "pixels" | "transposed" | "features" | "weights";
  /** Rows of the result: pixels, or features, or fours of weights' rows. */
  readonly rows: Affine;
  /** Columns of a group: vec4 of channels or, of the form `features`, images. */
  readonly columns: Affine;
  /** Turns of the loop over K: vec4 of a window or, of the form `weights`, pixels. */
  readonly depth: Affine;
  readonly groups: number;
  /** Tiles of 2x2 outputs, where Winograd's F(2x2, 3x3) is open to it. */
  readonly tiles?: Affine;
}

export interface ProblemSizes {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
}

export function sizesAt({ rows, columns, depth }: ContractionProblem, batch: number): ProblemSizes {
  const at = ({ fixed, perImage }: Affine) => fixed + perImage * batch;
  return { rows: at(rows), columns: at(columns), depth: at(depth) };
}

/** The matrix products of Winograd's way, a group for each position of a tile. */
export function winogradProducts(
  { columns, depth }: ContractionProblem,
  tiles: Affine,
): ContractionProblem {
  const scaled = ({ fixed, perImage }: Affine) => ({ fixed: fixed / 9, perImage: perImage / 9 });
  return { form: "pixels", rows: tiles, columns, depth: scaled(depth), groups: 16 };
}

/** A name for the problem, the same for layers of the same sizes: the key of tuned choices. */
export function keyOf({ form, rows, columns, depth, groups, tiles }: ContractionProblem): string {
  const size = ({ fixed, perImage }: Affine) =>
    perImage > 0 ? `${fixed > 0 ? `${fixed}+` : ""}${perImage}n` : `${fixed}`;
  const groupsText = groups > 1 ? ` in ${groups} groups` : "";
  const tilesText = tiles ? ` or ${size(tiles)} tiles` : "";
  return `${form} ${size(rows)} x ${size(columns)} x ${size(depth)}${groupsText}${tilesText}`;
}
