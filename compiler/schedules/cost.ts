import type { Target } from "../../program/program.js";
import { accumulatedRows, rowsPerBlock, type ContractionSchedule } from "./schedule.js";
import { sizesAt, winogradProducts, type ContractionProblem } from "./problem.js";

/**
 * What an adapter takes for the parts of a contraction, in nanoseconds of one of its workers: a
 * core of a software adapter, a SIMD of a GPU. `netc tune` measures instead; this is the guess of a
 * compiler without an adapter.
 */
interface Machine {
  readonly workers: number;
  /** Workgroups that a worker must have at once to be busy all the time. */
  readonly workgroupsToHide: number;
  /**
   * A turn of the loop over K: multiply-adds of a vec4, in one lane's count; loads of a vec4; and
   * the rest of the loop.
   */
  readonly multiplyAdd: number;
  readonly load: number;
  readonly turn: number;
  /** No turn is faster than this: the multiply-adds of one accumulator wait for each other. */
  readonly leastTurn: number;
  /** Accumulators beyond this many are kept in slower memory, by this factor. */
  readonly registers: number;
  readonly spilling: number;
  /** Lanes that run together: a workgroup of more takes its turns one after the other. */
  readonly lanes: number;
  /**
   * Nanoseconds to bring a byte of the second operand from memory, all workers together, in rows of
   * a kibibyte, and in short ones.
   */
  readonly byte: number;
  readonly shortByte: number;
  /** Workgroups that must be under way for the memory to be busy all the time. */
  readonly workgroupsToStream: number;
  /** The start of a workgroup, for each of its waves; each row's end; and a dispatch. */
  readonly start: number;
  readonly row: number;
  readonly dispatch: number;
}

/**
 * lanes8 and lanes4: fitted to two cores of an AMD EPYC under lavapipe and SwiftShader; gpu:
 * counted in RDNA3's code at 2.3 GHz.
 */
const MACHINES: Readonly<Record<Target, Machine>> = {
  lanes8: {
    workers: 2,
    workgroupsToHide: 1,
    lanes: 8,
    multiplyAdd: 2.36,
    load: 3,
    turn: 0,
    leastTurn: 150,
    registers: 24,
    spilling: 1.08,
    byte: 0.12,
    shortByte: 0.2,
    workgroupsToStream: 1,
    start: 300,
    row: 15,
    dispatch: 50_000,
  },
  lanes4: {
    workers: 2,
    workgroupsToHide: 1,
    lanes: 4,
    multiplyAdd: 2.5,
    load: 4,
    turn: 20,
    leastTurn: 0,
    registers: 16,
    spilling: 1.3,
    byte: 0.12,
    shortByte: 0.2,
    workgroupsToStream: 1,
    start: 2000,
    row: 60,
    dispatch: 100_000,
  },
  gpu: {
    workers: 192,
    workgroupsToHide: 2,
    lanes: 32,
    multiplyAdd: 0.9,
    load: 1.3,
    turn: 17,
    leastTurn: 0,
    registers: 32,
    spilling: 4,
    byte: 0.001,
    shortByte: 0.001,
    workgroupsToStream: 384,
    start: 2000,
    row: 10,
    dispatch: 5000,
  },
};

/** Bytes of the second operand from which on it does not stay in a cache. */
const CACHE_BYTES = 4 << 20;

/**
 * Computing and memory traffic overlap, but not fully: of two schedules that wait for memory alike,
 * the one with less to do is better.
 */
const OVERLAP = 0.05;

/** Estimated nanoseconds of a contraction under a schedule. */
export function estimate(
  problem: ContractionProblem,
  schedule: ContractionSchedule,
  target: Target,
  batch: number,
): number {
  const machine = MACHINES[target];
  if (schedule.algorithm === "winograd" && problem.tiles) {
    const tile = { ...schedule, algorithm: undefined };
    const products = winogradProducts(problem, problem.tiles);
    return estimate(products, tile, target, batch) + transforming(products, machine, batch);
  }
  const { rows, columns, depth } = sizesAt(problem, batch);
  const { splits = 1 } = schedule;
  const blocks = Math.ceil(rows / rowsPerBlock(schedule)) * problem.groups;
  const workgroups = blocks * Math.ceil(columns / schedule.columns) * splits;
  const waves = Math.ceil((schedule.columns * (schedule.rowGroups ?? 1)) / machine.lanes);
  const turns = (depth / splits) * turnOf(problem, schedule, machine) * waves;
  const ends = accumulatedRows(schedule) * machine.row * waves;
  const rounds = Math.ceil(workgroups / machine.workers);
  const idle = Math.max(1, machine.workgroupsToHide / rounds);
  const computing = rounds * idle * (turns + ends + machine.start * waves);
  const waiting = Math.max(1, machine.workgroupsToStream / workgroups);
  const traffic = waiting * trafficOf(problem, schedule, { blocks, rows, columns, depth, machine });
  const summed = splits > 1 ? summing(rows * columns, splits, machine) : 0;
  return Math.max(computing, traffic) + OVERLAP * Math.min(computing, traffic) + summed;
}

function turnOf(
  { form }: ContractionProblem,
  schedule: ContractionSchedule,
  machine: Machine,
): number {
  const own = accumulatedRows(schedule);
  // A load holds four steps of K, and `weights` four rows; where lanes hold images, accumulators
  // are scalars.
  const multiplyAdds = form === "features" ? own : 4 * own;
  const accumulators = form === "weights" ? 4 * own : own;
  const seconds = form === "pixels" || form === "transposed" ? 4 : 1;
  const shared = schedule.exchange === "workgroup" ? own : 0;
  const loads = (schedule.loads + seconds + shared / 3) * machine.load;
  const spilling = accumulators > machine.registers ? machine.spilling : 1;
  const busy = multiplyAdds * machine.multiplyAdd * spilling + loads + machine.turn;
  return Math.max(machine.leastTurn, busy);
}

interface Traffic {
  readonly blocks: number;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly machine: Machine;
}

/** How often weights and what the optimizer keeps of them are read or written by an update. */
const UPDATE_PASSES = 4;

/**
 * Every block of rows goes through the second operand, from memory if that is larger than a cache;
 * a weight gradient's rows of four go through the weights and their momentum once.
 */
function trafficOf(
  { form }: ContractionProblem,
  schedule: ContractionSchedule,
  { blocks, rows, columns, depth, machine }: Traffic,
): number {
  if (form === "features") return 0;
  const isUpdate = form === "weights";
  const bytes = 64 * columns * (isUpdate ? rows : depth);
  if (bytes < CACHE_BYTES) return 0;
  const isShort = form === "transposed" || schedule.columns * 16 < 1024;
  const passes = isUpdate ? UPDATE_PASSES : blocks;
  return passes * bytes * (isShort ? machine.shortByte : machine.byte);
}

/** The second pass: every part is written and read once. */
function summing(quads: number, splits: number, { byte, dispatch }: Machine): number {
  return dispatch + 2 * 16 * quads * splits * byte;
}

/**
 * Winograd's transforms: tiles are written and read at all positions, before and after the
 * products.
 */
function transforming(
  products: ContractionProblem,
  { byte, dispatch }: Machine,
  batch: number,
): number {
  const { rows: tiles, columns, depth } = sizesAt(products, batch);
  const quads = tiles * (depth + columns) + 4 * depth * columns;
  return 3 * dispatch + 2 * 16 * products.groups * quads * byte;
}
