/** What weights measured before they were made small, which their file remembers. */
import type { Evaluation } from "../runtime/training/evaluate.js";
import { formatCount, formatNumber } from "./format.js";

/** Where the metadata of small weights have it. */
export const ORIGINAL = "original";

/** An evaluation of the weights that small ones were made of. */
export type Original = Pick<Evaluation, "examples" | "metrics">;

export const originalMetadata = ({ examples, metrics }: Original): Record<string, string> => ({
  [ORIGINAL]: JSON.stringify({ examples, metrics }),
});

/** The evaluation that a file remembers; undefined where it has none that can be read. */
export function originalOf(metadata: Readonly<Record<string, string>>): Original | undefined {
  try {
    const { examples, metrics } = Object(JSON.parse(metadata[ORIGINAL] ?? "null")) as Original;
    const isRight = Object.values(metrics).every(Number.isFinite) && Number.isInteger(examples);
    return isRight ? { examples, metrics } : undefined;
  } catch {
    return undefined;
  }
}

/** `top1 81.2%, 0.14 points less than the original weights`: each metric that both have. */
export function describeCost(
  original: Original,
  { examples, metrics }: Original,
  fractions: readonly string[],
): string {
  if (examples !== original.examples) {
    return (
      `the original weights were measured on ${formatCount(original.examples)} other examples: ` +
      "what the small ones cost cannot be said"
    );
  }
  const names = Object.keys(metrics).filter((name) => original.metrics[name] !== undefined);
  const lines = names.map((name) => {
    const [before, now] = [original.metrics[name]!, metrics[name]!];
    return `${name.padEnd(8)}  ${describeChange(before, now, fractions.includes(name))}`;
  });
  return ["compared with the original weights:", ...lines].join("\n");
}

function describeChange(before: number, now: number, isFraction: boolean): string {
  if (!isFraction) return `${formatNumber(before)} -> ${formatNumber(now)}`;
  const points = formatPoints(100 * (now - before));
  return `${(100 * before).toFixed(2)}% -> ${(100 * now).toFixed(2)}% (${points})`;
}

/** `0.14 points less`. */
function formatPoints(points: number): string {
  const size = Math.abs(points).toFixed(2);
  if (Number(size) === 0) return "no change";
  return `${size} points ${points < 0 ? "less" : "more"}`;
}
