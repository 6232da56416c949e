/**
 * How a contraction is laid over lanes. A workgroup of `columns * rowGroups` lanes makes a block of
 * `rowLanes * loads` rows (four times as many where a load holds four rows of one step of K) times
 * `columns` vec4; each lane accumulates the rows of its group.
 */
export interface ContractionSchedule {
  /** `broadcast`: through the subgroup; `workgroup`: through workgroup memory. */
  readonly exchange: "broadcast" | "workgroup";
  /** Lanes that load a row each. */
  readonly rowLanes: number;
  /** Loads (vec4) per such lane and step. */
  readonly loads: number;
  /** Lanes side by side, a vec4 of columns each. */
  readonly columns: number;
  /** Groups of lanes that share the block's rows; 1 if absent, and always with `broadcast`. */
  readonly rowGroups?: number;
  /** Parts of K that separate workgroups sum, to be added in a fixed order; 1 if absent. */
  readonly splits?: number;
  /** Winograd's F(2x2, 3x3) instead of the sum over the window (winograd.ts); the sum if absent. */
  readonly algorithm?: "winograd" | undefined;
}

/** How many rows (or fours of rows) of the result a workgroup makes. */
export const rowsPerBlock = ({ rowLanes, loads }: ContractionSchedule) => rowLanes * loads;

/** Those of them that one lane accumulates. */
export const accumulatedRows = (schedule: ContractionSchedule) =>
  rowsPerBlock(schedule) / (schedule.rowGroups ?? 1);

export const lanesOf = ({ columns, rowGroups = 1 }: ContractionSchedule) => columns * rowGroups;

export const isSplit = ({ splits = 1 }: ContractionSchedule) => splits > 1;
