/** Mean and standard deviation of pictures, at the size at which training sees them. */
import { inTurns, type Progress } from "./in-turns.js";
import { type PixelSums, sumPixels } from "./probe.js";
import type { Statistics, UnreadableFile } from "./survey.js";

export interface Measured {
  readonly statistics: Statistics;
  /** Pictures without any color. */
  readonly gray: number;
  readonly decoded: number;
  /** Files that are damaged behind their header. */
  readonly failed: readonly UnreadableFile[];
}

/** Decodes pictures scaled to `size` pixels on their shorter side. */
export async function measurePictures(
  paths: readonly string[],
  size: number,
  progress: Progress,
): Promise<Measured> {
  const failed: UnreadableFile[] = [];
  const results = await inTurns(
    paths,
    (path) =>
      sumPixels(path, size).catch((error: Error) => {
        failed.push({ file: path, reason: error.message });
        return undefined;
      }),
    progress,
  );
  const sums = results.filter((each) => each !== undefined);
  return {
    statistics: statisticsOf(sums),
    gray: sums.filter(({ hasColor }) => !hasColor).length,
    decoded: sums.length,
    failed,
  };
}

/**
 * Every picture counts alike, as in training, which sees a square of each: one that is 1000 times
 * as wide as high would else decide the result.
 */
function statisticsOf(all: readonly PixelSums[]): Statistics {
  const channels = [0, 1, 2] as const;
  const mean = channels.map((channel) => {
    return all.reduce((sum, { sums, pixels }) => sum + sums[channel] / pixels, 0) / all.length;
  });
  const std = channels.map((channel) => {
    const square =
      all.reduce((sum, { squares, pixels }) => sum + squares[channel] / pixels, 0) / all.length;
    return Math.sqrt(Math.max(0, square - mean[channel]! ** 2));
  });
  return { mean, std };
}
