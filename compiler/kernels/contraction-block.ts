import { accumulatedRows, type ContractionSchedule } from "../schedules/schedule.js";
import { code, helper, joined, local, times, type Code } from "./code.js";
import type { ConstantCode } from "./constants.js";
import type { Exchange } from "./exchange.js";

/**
 * The contraction skeleton: a block of rows times vec4 columns in registers, four steps of K (or
 * four rows) a load. Three index maps over it give linear and convolution layers, forward and both
 * gradients:
 *
 * - `pixels`: rows are output pixels, columns output channels, K runs over the kernel window and
 *   the input channels
 * - `features`: rows are rows of a weight matrix, columns images, K the output channels: a linear
 *   layer's input gradient
 * - `weights`: rows are (kernel row, kernel column, input channel), columns output channels, K the
 *   output pixels
 *
 * Every size is a constant of the step, not of the kernel, so that layers share pipelines. Tint
 * leaves loops with bounds from uniforms an extra counter; in a register block of this size
 * that is not noticeable.
 */

/** The components of a vec4. */
export const COMPONENTS = [0, 1, 2, 3] as const;

/**
 * Where a window's values lie: `segments` runs of `run` vec4, `segments_per_row` of them in each
 * kernel row.
 */
export const SEGMENT = {
  segments_per_row: "u32",
  segment_row: "u32",
  segment_column: "u32",
  run: "u32",
} as const;

export const SEGMENTS = { segments: "u32", ...SEGMENT } as const;

type Segments = Omit<ConstantCode<typeof SEGMENTS>, "run" | "segments">;

/** Place of a segment relative to the window's corner. */
export const segmentPlace = (
  { segments_per_row, segment_row, segment_column }: Segments,
  segment: Code,
): Code => {
  const ofRow = code`${segment} / ${segments_per_row} * ${segment_row}`;
  return code`${ofRow} + ${segment} % ${segments_per_row} * ${segment_column}`;
};

const WEIGHTS = COMPONENTS.map((row) => local("weights", row));
const PARAMETERS = joined(
  WEIGHTS.map((name) => code`${name}: vec4f`),
  ", ",
);

/** One fma at a time: a sum of products would not fuse. */
const MULTIPLY_ADD = helper(
  "multiply_add",
  code`
    fn multiply_add(sum: vec4f, row: vec4f, ${PARAMETERS}) -> vec4f {
      let first = fma(vec4f(row.x), weights0, sum);
      let second = fma(vec4f(row.y), weights1, first);
      let third = fma(vec4f(row.z), weights2, second);
      return fma(vec4f(row.w), weights3, third);
    }`,
);

/** Register block: a row of the first operand times four rows of the second, added to each sum. */
export function multiplyAdd(
  exchange: Exchange,
  schedule: ContractionSchedule,
  a: readonly Code[],
): readonly Code[] {
  return times(accumulatedRows(schedule), (row) => {
    const sum = local("sum", row);
    const given = joined([sum, exchange.row(a, row), ...WEIGHTS], ", ");
    return code`${sum} = ${MULTIPLY_ADD}(${given});`;
  });
}

/**
 * What a workgroup knows of its place: which block of rows, which column, and which of its rows the
 * lane accumulates.
 */
export const places = ({ rowLane, firstRow }: Exchange): readonly Code[] => [
  code`let row_lane = ${rowLane};`,
  ...(firstRow ? [code`let own_row = ${firstRow};`] : []),
];

/** The first of a block's rows that the lane accumulates, where it is not the block's first. */
export const ownRow = ({ firstRow }: Exchange): Code | undefined => firstRow && code` + own_row`;

export const tileName = (schedule: ContractionSchedule, rows: number, columns: number): string =>
  `${rows}x${columns}${(schedule.splits ?? 1) > 1 ? "_split" : ""}`;
