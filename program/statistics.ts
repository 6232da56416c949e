/** Running statistics of batch normalization. */
import type { ProgramParameter } from "./program.js";

/**
 * Whether training normalizes by the statistics of what is computed together, so that slices and
 * ranks change a result. Layers of a teacher and of `freeze_statistics` keep their statistics.
 */
export const normalizesByBatch = (
  parameters: readonly Pick<ProgramParameter, "role" | "kept">[],
): boolean => parameters.some(({ role, kept }) => role === "statistic" && !kept);
