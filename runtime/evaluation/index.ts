export type { Calibration, CalibrationBin } from "./calibration.js";
export { classResults, worstConfusions } from "./confusion.js";
export type { ClassResult, Confusion, ConfusionMatrix } from "./confusion.js";
export {
  classNames,
  evaluateClassifier,
  examineDataset,
  examinedClasses,
  MOST_CLASSES_OF_TOKENS,
} from "./examine.js";
export type {
  Classifier,
  CountedTokens,
  Examination,
  ExamineOptions,
  JudgedExample,
  Mistake,
} from "./examine.js";
export { PrecisionRecallCounts } from "./precision-recall.js";
export type { CurvePoint, PrecisionRecallCurve } from "./precision-recall.js";
export {
  firstOf,
  indexOfLargest,
  numbersOf,
  rowOf,
  scoresOf,
  toProbabilities,
} from "./probabilities.js";
export type { Scores } from "../../program/tensors.js";
