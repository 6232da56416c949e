import type { Target } from "../../program/program.js";

/**
 * How a contraction is laid over lanes. A workgroup of `columns` lanes, each holding a vec4 of output columns, times a block
 * of `rowLanes * loads` rows (four times as many where a load holds four rows of one step of K).
 */
export interface ContractionSchedule {
  /** `broadcast`: through the subgroup; `workgroup`: through workgroup memory. */
  readonly exchange: "broadcast" | "workgroup";
  /** Lanes that load a row each. */
  readonly rowLanes: number;
  /** Loads (vec4) per lane and step. */
  readonly loads: number;
  /** Lanes of a workgroup. */
  readonly columns: number;
}

export interface TargetSchedules {
  /** Convolution forward and input gradient: rows are pixels, columns output channels. */
  readonly convolution: ContractionSchedule;
  /** Fully connected forward: rows are images. */
  readonly connected: ContractionSchedule;
  /** Fully connected input gradient: rows are features, a lane holds an image. */
  readonly connectedInput: ContractionSchedule;
  /** Weight gradients: rows are (kernel row, kernel column, input channel) in fours. */
  readonly weights: ContractionSchedule;
  /** The same of a fully connected layer, whose weights are most of the memory traffic: wide rows. */
  readonly connectedWeights: ContractionSchedule;
  /** Its update for a few images, eight in `rowLanes * loads`; only where there are subgroups. */
  readonly connectedUpdate?: ContractionSchedule;
}

/**
 * Measured on lavapipe (8 lanes) and SwiftShader (4 lanes); for GPUs chosen by the machine code of RDNA3. There a workgroup is one
 * wave of 32 lanes, whose barriers cost nothing, and rows through workgroup memory give 1.3 to 1.4 multiply-adds per instruction,
 * subgroup broadcasts 0.9: each is an instruction of its own that makes no use of dual issue.
 */
export const SCHEDULES: { readonly [Name in Target]: TargetSchedules } = {
  lanes8: {
    convolution: { exchange: "broadcast", rowLanes: 8, loads: 3, columns: 8 },
    connected: { exchange: "broadcast", rowLanes: 8, loads: 1, columns: 64 },
    connectedInput: { exchange: "broadcast", rowLanes: 8, loads: 2, columns: 8 },
    weights: { exchange: "broadcast", rowLanes: 8, loads: 1, columns: 8 },
    connectedWeights: { exchange: "broadcast", rowLanes: 4, loads: 1, columns: 64 },
    connectedUpdate: { exchange: "broadcast", rowLanes: 8, loads: 1, columns: 8 },
  },
  lanes4: {
    convolution: { exchange: "broadcast", rowLanes: 4, loads: 4, columns: 8 },
    connected: { exchange: "broadcast", rowLanes: 4, loads: 2, columns: 64 },
    connectedInput: { exchange: "broadcast", rowLanes: 4, loads: 4, columns: 4 },
    weights: { exchange: "broadcast", rowLanes: 4, loads: 2, columns: 8 },
    connectedWeights: { exchange: "broadcast", rowLanes: 4, loads: 1, columns: 64 },
    connectedUpdate: { exchange: "broadcast", rowLanes: 4, loads: 2, columns: 8 },
  },
  gpu: {
    convolution: { exchange: "workgroup", rowLanes: 32, loads: 1, columns: 32 },
    connected: { exchange: "workgroup", rowLanes: 8, loads: 1, columns: 32 },
    connectedInput: { exchange: "workgroup", rowLanes: 16, loads: 1, columns: 32 },
    weights: { exchange: "workgroup", rowLanes: 8, loads: 1, columns: 32 },
    connectedWeights: { exchange: "workgroup", rowLanes: 8, loads: 1, columns: 32 },
  },
};
