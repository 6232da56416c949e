/**
 * A program that is not a network: its predictions take as long as an adapter's limits let them.
 */
import {
  PROGRAM_FORMAT,
  type Program,
  type ProgramBuffer,
  type ProgramStep,
  type Target,
} from "../program/program.js";
import {
  CEILING_LANES,
  LANE_MULTIPLY_ADDS,
  LANE_QUADS,
  multiplyAdds,
  passageBinds,
  passQuads,
  type Passage,
} from "../compiler/kernels/ceilings.js";
import { fixed } from "../compiler/plan/storage.js";

/** Accumulators to try. */
const BLOCKS = [2, 4, 8, 16, 32] as const;

/** Workgroups of the multiply-adds: enough to fill a large GPU, or a few milliseconds of a CPU. */
const WORKGROUPS: Readonly<Record<Target, number>> = { gpu: 4096, lanes8: 64, lanes4: 16 };

/** Too large for the caches of most adapters. */
const PASSED_BYTES = 64 << 20;

const buffers: readonly ProgramBuffer[] = [
  { name: "image", purpose: "images", bytes: fixed(32) },
  { name: "prediction", purpose: "prediction", bytes: fixed(16) },
  { name: "from", purpose: "scratch", bytes: fixed(PASSED_BYTES) },
  { name: "to", purpose: "scratch", bytes: fixed(PASSED_BYTES) },
];
const [IMAGES, PREDICTION, FROM, TO] = [0, 1, 2, 3] as const;

const NUMBER = { dtype: "f32", shape: [1], axes: ["channel"] } as const;
const NOTHING = { reads: [], gives: [] };
const PREDICT = { reads: [0], gives: [1] };

/** Bytes that each passage moves, by its step's label. */
export const PASSAGES: Readonly<Record<Passage, number>> = {
  copy: 2 * PASSED_BYTES,
  read: PASSED_BYTES,
  change: 2 * PASSED_BYTES,
};

const NO_STEPS = {
  initialize: [],
  train: [],
  accumulate: [],
  update: [],
  average: [],
  fold: [],
  evaluate: [],
};

/**
 * Runs on one image of one value. The steps are passages through memory, and multiply-adds, which
 * their `macs` count.
 */
export function ceilingsProgram(target: Target): Program {
  const passages = Object.keys(PASSAGES) as Passage[];
  const typed = [
    ...BLOCKS.map((count) => multiplyAdds(count)),
    ...passages.map((each) => passQuads(each)),
  ];
  const kernels = typed.map((kernel) => {
    const { name, wgsl, storage } = kernel.print();
    return { name, wgsl, bindings: storage.map(({ access, element }) => ({ access, element })) };
  });
  const lanes = WORKGROUPS[target] * CEILING_LANES;
  const common = { constants: [], location: { line: 0, column: 0 } };
  const perGroup = (count: number, tile: number) => ({ x: { ...fixed(count), tile }, z: 1 });
  const predict: ProgramStep[] = [
    ...BLOCKS.map((count, kernel) => ({
      ...common,
      kernel,
      buffers: [IMAGES, TO],
      label: `${count} accumulators`,
      macs: 4 * LANE_MULTIPLY_ADDS * lanes,
      workgroups: perGroup(lanes, CEILING_LANES),
    })),
    ...passages.map((passage, index) => ({
      ...common,
      kernel: BLOCKS.length + index,
      label: passage,
      macs: 0,
      buffers: passageBinds(passage).map((name) => (name === "source" ? FROM : TO)),
      workgroups: perGroup(PASSED_BYTES / 16, CEILING_LANES * LANE_QUADS),
    })),
  ];
  return {
    format: PROGRAM_FORMAT,
    target,
    model: "Ceilings",
    kernels,
    buffers,
    parameters: [],
    source: { file: "", hash: "" },
    tensors: [
      { name: "image", role: "input", ...NUMBER, buffer: IMAGES },
      { name: "prediction", role: "prediction", ...NUMBER, buffer: PREDICTION, pitch: 4 },
    ],
    uses: { train: NOTHING, accumulate: NOTHING, evaluate: NOTHING, predict: PREDICT },
    metrics: [],
    fractions: [],
    sums: { train: [], evaluate: [] },
    classTotals: [],
    steps: { ...NO_STEPS, predict },
    optimizer: { kind: "adam", learningRate: 0, weightDecay: 0, beta1: 0, beta2: 0, epsilon: 1 },
  };
}
