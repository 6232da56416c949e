export { decodeImage } from "./decode.js";
export { openData, openEvaluation, openSplit, trainedClasses } from "./open.js";
export type { OpenDataOptions, OpenedData, SplitName } from "./open.js";
export type { SkippedFile } from "./skipped.js";
