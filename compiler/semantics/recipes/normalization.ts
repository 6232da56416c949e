/**
 * Whether pixels come to the network as numbers that it can learn from, and the same in both
 * splits.
 */
import type { Identifier } from "../../../grammar/ast.js";
import type { TransformOf } from "../../../program/transforms.js";
import type { Environment } from "../../calls/environment.js";
import type { TransformUse } from "./image-flow.js";

/** A split and what it does to images. */
export interface SplitUses {
  readonly name: Identifier;
  readonly uses: readonly TransformUse[];
}

type Normalize = TransformOf<"normalize">;

const isNormalize = ({ transform }: TransformUse) => transform.kind === "normalize";

/**
 * Pixels from 0 to 1 have no larger mean. Their deviations end at 0.5, but a `std` may be a mere
 * scale, such as 256 / 255 for Caffe's 1/256, and deviations of pixels from 0 to 255 are larger.
 */
const LARGEST = { mean: 1, std: 2 } as const;

/** Warns of means and deviations that are for pixels from 0 to 255. */
export function checkPixelStatistics(uses: readonly TransformUse[], environment: Environment) {
  for (const { transform, bound, call } of uses) {
    if (transform.kind !== "normalize") continue;
    for (const name of ["mean", "std"] as const) {
      const largest = Math.max(...transform[name]);
      if (largest > LARGEST[name]) {
        const span = bound.spans.get(name) ?? call.span;
        reportLarge({ name, largest, span, call }, environment);
      }
    }
  }
}

interface LargeStatistic extends Pick<TransformUse, "call"> {
  readonly name: "mean" | "std";
  readonly largest: number;
  readonly span: Identifier["span"];
}

function reportLarge(
  { name, largest, span, call }: LargeStatistic,
  { reporter }: Environment,
): void {
  reporter.report("NET3062", {
    message:
      `\`${name}\` of \`${call.callee.name}\` is ${largest}, but pixels are numbers ` +
      "from 0 to 1",
    span,
    label: name === "mean" ? "at most 1" : "at most 0.5",
    notes: [`of pixels from 0 to 255 it would be ${largest} / 255 = ${short(largest / 255)} here`],
  });
}

/**
 * Warns where an image of one split comes to the network as other numbers than in the other split.
 */
export function compareNormalizations(
  { train, eval: evaluation }: Readonly<Record<"train" | "eval", SplitUses>>,
  { reporter }: Environment,
): void {
  const [learned, measured] = [train, evaluation].map(({ uses }) => uses.filter(isNormalize));
  if (textOf(learned!) === textOf(measured!)) return;
  const place = (split: SplitUses, uses: readonly TransformUse[]) =>
    uses[0]?.call.span ?? split.name.span;
  const channel = differingChannel(learned!, measured!);
  const [learnedPixel, measuredPixel] = [learned!, measured!].map((uses) =>
    short(normalized(PIXEL, uses, channel)),
  );
  reporter.report("NET3061", {
    message: "the `train` and `eval` splits normalize their examples differently",
    span: place(evaluation, measured!),
    label: measured!.length > 0 ? "in evaluations" : "not normalized in evaluations",
    related: [
      {
        span: place(train, learned!),
        message: learned!.length > 0 ? "in training" : "not normalized in training",
      },
    ],
    notes: [
      `a value of ${PIXEL} is ${learnedPixel} in training and ${measuredPixel} in evaluations`,
    ],
  });
}

function textOf(uses: readonly TransformUse[]): string {
  return JSON.stringify(uses.map(({ transform }) => transform));
}

/** An example for messages. */
const PIXEL = 0.5;

/** The first channel whose pixels come out different; 0 where none is found. */
function differingChannel(
  learned: readonly TransformUse[],
  measured: readonly TransformUse[],
): number {
  const counts = [...learned, ...measured].map(({ transform }) => meanOf(transform).length);
  const channels = Array.from({ length: Math.max(...counts) }, (_, channel) => channel);
  const differs = (channel: number) =>
    normalized(PIXEL, learned, channel) !== normalized(PIXEL, measured, channel);
  return channels.find(differs) ?? 0;
}

const meanOf = (transform: TransformUse["transform"]) => (transform as Normalize).mean;

function normalized(pixel: number, uses: readonly TransformUse[], channel: number): number {
  return uses.reduce((value, { transform }) => {
    const { mean, std } = transform as Normalize;
    return (value - (mean[channel] ?? 0)) / (std[channel] ?? 1);
  }, pixel);
}

const short = (value: number) => String(Number(value.toPrecision(3)));
