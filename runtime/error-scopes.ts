/** Errors that WebGPU reports of calls after they returned. */

const KINDS: readonly GPUErrorFilter[] = ["validation", "out-of-memory"];

export interface Scoped<Result> {
  readonly result: Result;
  /** What was wrong with the calls; undefined if nothing was, and on a lost device. */
  readonly error: Promise<GPUError | undefined>;
}

/**
 * Does synchronous work within error scopes. Without scopes, as in some browsers, errors go to the
 * listeners of the device.
 */
export function inErrorScopes<Result>(gpu: GPUDevice, work: () => Result): Scoped<Result> {
  const kinds = "pushErrorScope" in gpu ? KINDS : [];
  for (const kind of kinds) gpu.pushErrorScope(kind);
  let popped: Promise<(GPUError | null)[]>;
  let result: Result;
  try {
    result = work();
  } finally {
    popped = Promise.all(kinds.map(() => gpu.popErrorScope().catch(() => null)));
  }
  return { result, error: popped.then((errors) => errors.find(Boolean) ?? undefined) };
}
