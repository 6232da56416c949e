/** What the adapter can do at most, measured: what a network's kernels are held against. */
import { ceilingsProgram, PASSAGES } from "./ceilings-program.js";
import type { AdapterSummary } from "../runtime/device.js";

export interface Ceilings {
  /** Billions of operations a second; a multiply-add is two. */
  readonly gflops: number;
  /** Billions of bytes a second, read and written. */
  readonly gbps: number;
}

/** By the adapter that is wished for. */
const measured = new Map<string, Promise<Ceilings>>();

/** Measures an adapter once in a process: it takes seconds, and the results hardly differ. */
export function measureCeilings(
  wish: string,
  adapter: Pick<AdapterSummary, "target">,
): Promise<Ceilings> {
  const known = measured.get(wish);
  if (known) return known;
  const ceilings = measure(wish, adapter);
  measured.set(wish, ceilings);
  ceilings.catch(() => measured.delete(wish));
  return ceilings;
}

async function measure(
  wish: string,
  { target }: Pick<AdapterSummary, "target">,
): Promise<Ceilings> {
  const { createNetwork, profileSteps } = await import("../runtime/index.js");
  const network = await createNetwork([ceilingsProgram(target)], { adapter: wish, batch: 1 });
  try {
    const examples = { images: new Float32Array(1) };
    const { steps } = await profileSteps(network, "predict", examples, { seconds: 2 });
    const bytes: Readonly<Record<string, number>> = PASSAGES;
    const rates = steps.map(({ step, milliseconds }) => ({
      gflops: (2 * step.macs) / milliseconds / 1e6,
      gbps: (bytes[step.label] ?? 0) / milliseconds / 1e6,
    }));
    return {
      gflops: Math.max(...rates.map(({ gflops }) => gflops)),
      gbps: Math.max(...rates.map(({ gbps }) => gbps)),
    };
  } finally {
    network.destroy();
  }
}
