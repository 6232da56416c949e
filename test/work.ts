/** Work counted instead of timed: the same on every machine, busy or not. */
import { Session } from "node:inspector/promises";

/** Calls of one function alone. */
export interface Counted {
  readonly file?: string;
  readonly name?: string;
}

/**
 * How many function calls a run makes, in the sources and in packages alike. Node's own functions
 * and built-in ones do not count. V8 counts them as it does for test coverage.
 */
export async function callsOf(run: () => unknown, counted: Counted = {}): Promise<number> {
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
    await session.post("Profiler.takePreciseCoverage");
    await run();
    const { result } = await session.post("Profiler.takePreciseCoverage");
    const functions = result
      .filter(({ url }) => url.startsWith("file:") || url.startsWith("/"))
      .filter(({ url }) => url.includes(counted.file ?? ""))
      .flatMap((script) => script.functions)
      .filter(({ functionName }) => functionName === (counted.name ?? functionName));
    return functions.reduce((sum, { ranges }) => sum + ranges[0]!.count, 0);
  } finally {
    await session.post("Profiler.stopPreciseCoverage");
    session.disconnect();
  }
}
