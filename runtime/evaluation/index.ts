export { classResults, worstConfusions } from "./confusion.js";
export type { ClassResult, Confusion, ConfusionMatrix } from "./confusion.js";
export { evaluateClassifier, examineDataset } from "./examine.js";
export type { Classifier, Examination, ExamineOptions, Mistake } from "./examine.js";
export { rowOf, toProbabilities } from "./probabilities.js";
export type { Scores } from "../../program/tensors.js";
