/** COCO's mean average precision, as pycocotools computes it (areaRng=all, maxDets=100). */
import { intersectionOverUnion, type DetectedBox, type LabeledBox } from "./boxes.js";

/** Detections of a class in an image that count, the most certain ones. */
const MOST = 100;
const THRESHOLDS = Array.from({ length: 10 }, (_, index) => 0.5 + 0.05 * index);
const RECALLS = 101;

/** Average precision of a class: at an overlap of 0.5, and the mean over 0.5, 0.55 ... 0.95. */
export interface ClassPrecision {
  readonly ap50: number;
  readonly ap: number;
  /** Boxes of the class that there are. */
  readonly support: number;
  /** At an overlap of 0.5: the best precision at a recall of 0, 0.01 ... 1 or more. */
  readonly curve: readonly number[];
}

export interface MeanPrecision {
  readonly map50: number;
  readonly map: number;
  /** Null of a class without a box. */
  readonly classes: readonly (ClassPrecision | null)[];
}

/** A detection, and at which thresholds it is a box that there is. */
interface Judged {
  readonly score: number;
  readonly isRight: readonly boolean[];
}

export class AveragePrecision {
  private readonly judged: Judged[][];
  private readonly support: number[];

  constructor(private readonly classes: number) {
    this.judged = Array.from({ length: classes }, () => []);
    this.support = Array.from({ length: classes }, () => 0);
  }

  /** An image: what was found, and what there is. */
  add(found: readonly DetectedBox[], truths: readonly LabeledBox[]): void {
    const sorted = [...found].sort((a, b) => b.score - a.score);
    for (let label = 0; label < this.classes; label++) {
      const own = truths.filter(({ index }) => index === label);
      this.support[label]! += own.length;
      const detections = sorted.filter(({ index }) => index === label).slice(0, MOST);
      const right = THRESHOLDS.map((threshold) => matched(detections, own, threshold));
      detections.forEach(({ score }, place) => {
        this.judged[label]!.push({ score, isRight: right.map((each) => each[place]!) });
      });
    }
  }

  /** NaN without any box. */
  result(): MeanPrecision {
    const classes = this.judged.map((judged, label): ClassPrecision | null => {
      const support = this.support[label]!;
      if (support === 0) return null;
      const curves = THRESHOLDS.map((_, place) => curveOf(judged, place, support));
      const precisions = curves.map(meanOf);
      return { ap50: precisions[0]!, ap: meanOf(precisions), support, curve: curves[0]! };
    });
    const present = classes.filter((each) => each !== null);
    return {
      map50: meanOf(present.map(({ ap50 }) => ap50)),
      map: meanOf(present.map(({ ap }) => ap)),
      classes,
    };
  }
}

const meanOf = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Each detection takes the box that it overlaps most, of those that are left. */
function matched(
  detections: readonly DetectedBox[],
  truths: readonly LabeledBox[],
  threshold: number,
): readonly boolean[] {
  const taken = new Set<LabeledBox>();
  return detections.map(({ box }) => {
    let most = threshold;
    let match: LabeledBox | undefined;
    for (const truth of truths) {
      const overlap = intersectionOverUnion(box, truth.box);
      if (taken.has(truth) || overlap < most) continue;
      most = overlap;
      match = truth;
    }
    if (match) taken.add(match);
    return match !== undefined;
  });
}

/** The precision at 101 recalls: at each the best at this recall or a higher one. */
function curveOf(judged: readonly Judged[], place: number, support: number): readonly number[] {
  const sorted = [...judged].sort((a, b) => b.score - a.score);
  let right = 0;
  const points = sorted.map(({ isRight }, index) => {
    if (isRight[place]) right++;
    return { recall: right / support, precision: right / (index + 1) };
  });
  let best = 0;
  const envelope = points.map(({ precision }) => precision);
  for (let index = envelope.length - 1; index >= 0; index--) {
    best = Math.max(best, envelope[index]!);
    envelope[index] = best;
  }
  let at = 0;
  return Array.from({ length: RECALLS }, (_, step) => {
    while (at < points.length && points[at]!.recall < step / (RECALLS - 1)) at++;
    return envelope[at] ?? 0;
  });
}
