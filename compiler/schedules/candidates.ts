import type { Target } from "../../program/program.js";
import type { ContractionSchedule } from "./schedule.js";
import { sizesAt, type ContractionProblem } from "./problem.js";

/**
 * Shapes of a workgroup's block: rows that its lanes load, and how its lanes divide the columns.
 */
type Tile = Omit<ContractionSchedule, "splits">;

const broadcast = (rowLanes: number, loads: number, columns: number): Tile => ({
  exchange: "broadcast",
  rowLanes,
  loads,
  columns,
});

/**
 * One wave of 32 lanes: `columns * rowGroups` is 32, and each lane accumulates
 * `own` rows.
 */
const wave = (columns: number, own: number): Tile => {
  const rowGroups = 32 / columns;
  const rows = own * rowGroups;
  const rowLanes = Math.min(32, rows);
  return { exchange: "workgroup", rowLanes, loads: rows / rowLanes, columns, rowGroups };
};

const across = <Result>(
  columns: readonly number[],
  counts: readonly number[],
  make: (columns: number, count: number) => Result,
): Result[] => columns.flatMap((column) => counts.map((count) => make(column, count)));

/** Software adapters: all rows of a lane in few loads, as wide as the subgroup is. */
const software = (lanes: 4 | 8, rows: readonly number[], columns: readonly number[]): Tile[] =>
  across(columns, rows, (column, count) =>
    broadcast(Math.min(lanes, count), Math.max(1, count / lanes), column),
  );

/**
 * What is worth trying, by form. Registers bound the rows: 32 vec4 accumulators are what RDNA3
 * keeps without spilling, and software adapters keep them in the first cache. With `features` a
 * lane accumulates scalars.
 */
const TILES: Readonly<
  Record<Target, Readonly<Record<ContractionProblem["form"], readonly Tile[]>>>
> = {
  lanes8: {
    pixels: software(8, [8, 16, 24, 32], [8, 16, 64]),
    transposed: software(8, [8], [8]),
    features: software(8, [8, 16, 24], [8]),
    weights: software(8, [4, 8], [8, 64]),
  },
  lanes4: {
    pixels: software(4, [8, 16, 24], [8, 16, 64]),
    transposed: software(4, [8], [4]),
    features: software(4, [8, 16], [4]),
    weights: software(4, [4, 8], [8, 64]),
  },
  gpu: {
    pixels: across([32, 16, 8], [8, 16, 32], wave),
    transposed: across([32, 16], [8, 16], wave),
    features: across([32], [16], wave),
    weights: across([32, 16, 8], [4, 8], wave),
  },
};

const SPLITS = [1, 2, 4, 8, 16, 32, 64] as const;

/** Fewer turns of the loop than this are not worth a workgroup. */
const LEAST_TURNS = 8;

/**
 * Schedules that may be best for a problem, for networks of about `batch` images: sums over the
 * window, and Winograd's way where it is open.
 */
export function candidates(
  problem: ContractionProblem,
  target: Target,
  batch: number,
): readonly ContractionSchedule[] {
  const { depth } = sizesAt(problem, batch);
  const canSplit = target === "gpu" && problem.form !== "features";
  const splits = SPLITS.filter(
    (count) => count === 1 || (canSplit && depth >= count * LEAST_TURNS),
  );
  const tiles = TILES[target][problem.form];
  const sums = tiles.flatMap((tile) =>
    splits.map((count) => (count === 1 ? tile : { ...tile, splits: count })),
  );
  if (!problem.tiles) return sums;
  return [...sums, ...tiles.map((tile) => ({ ...tile, algorithm: "winograd" as const }))];
}
