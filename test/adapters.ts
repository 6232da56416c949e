/** The adapters that tests of optional features run on. */
import { findAdapter, type NodeAdapter } from "../runtime/index.js";

/**
 * Set where every adapter and the browser must be there (`.ci/run` installs them and sets it): if
 * one is missing, the tests that need it then fail instead of being skipped.
 */
const mayNotSkip = process.env["NETC_TEST_NO_SKIP"] === "1";

/**
 * Whether every variant of a kernel test runs. On the embedded adapter, which takes several times
 * as long as others to compile kernels, those that users' programs have run: `.ci/run` runs all of
 * them on lavapipe, and `npm run test:full` does everywhere.
 */
export const runsAllVariants =
  process.env["NETC_TEST_FULL"] === "1" || (await findAdapter()).source !== "embedded";

/**
 * All cases where every variant runs; elsewhere the first of every `step`, since each takes the
 * embedded adapter's compiler seconds.
 */
export const sampled = <Case>(cases: readonly Case[], step: number): readonly Case[] =>
  runsAllVariants ? cases : cases.filter((_, index) => index % step === 0);

/**
 * An adapter with `shader-f16`: the chosen one, else lavapipe, since the embedded adapter has no
 * 16-bit floats. `undefined` where neither has them, so that the tests can skip.
 *
 * Throws if there is none and `NETC_TEST_NO_SKIP` says that there must be.
 */
export async function adapterWithHalves(): Promise<NodeAdapter | undefined> {
  const failures: string[] = [];
  for (const wish of [process.env["NETC_ADAPTER"], "lavapipe"]) {
    try {
      const found = await findAdapter(wish);
      if (found.adapter.features.has("shader-f16")) return found;
      failures.push(`${found.name} has no shader-f16`);
    } catch (error) {
      failures.push((error as Error).message);
    }
  }
  if (mayNotSkip) throw new Error(`no adapter with shader-f16: ${failures.join("; ")}`);
  return undefined;
}
