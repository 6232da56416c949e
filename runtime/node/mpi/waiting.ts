/** Waiting for what a library tells only those who ask. */
import { setTimeout as sleep } from "node:timers/promises";

/** Milliseconds for which answers are asked for without a pause: most come at once. */
const EAGER = 2;

/** Asks until it is so, and lets everything else in this process run meanwhile. */
export async function until(isSo: () => boolean): Promise<void> {
  const start = performance.now();
  while (!isSo()) {
    if (performance.now() - start < EAGER) await new Promise((resolve) => setImmediate(resolve));
    else await sleep(1);
  }
}
