/** The frame: what every kernel may know of the present step (see FRAME_WORDS in program.ts). */
import { FRAME_WORDS, type OptimizerSettings } from "../program/program.js";

export interface Frame {
  /** Images in this step. */
  readonly batch: number;
  /** Training steps done before. */
  readonly step: number;
  readonly seed: number;
  readonly training: boolean;
  readonly optimizer: Omit<OptimizerSettings, "kind">;
}

export function packFrame(frame: Frame): ArrayBuffer {
  const bytes = new ArrayBuffer(FRAME_WORDS * 4);
  const { optimizer } = frame;
  const convention = optimizer.convention === "caffe" ? 1 : 0;
  new Uint32Array(bytes).set([frame.batch, frame.step, frame.seed, Number(frame.training)]);
  new Float32Array(bytes).set(
    [optimizer.learningRate, optimizer.momentum, optimizer.weightDecay],
    4,
  );
  new Uint32Array(bytes).set([Number(optimizer.nesterov), convention], 7);
  return bytes;
}
