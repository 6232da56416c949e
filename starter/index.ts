/** From somebody's data to a first spec: `netc init`. */
export { findDense, type DenseFolders } from "./dense-folders.js";
export { planFor, type Plan } from "./plan.js";
export type { PretrainedNetwork } from "./pretrained.js";
export { pretrainedText, specText, type SpecNames } from "./spec-text.js";
export {
  trainCount,
  type ListedTable,
  type Survey,
  type PictureSurvey,
  type TableSurvey,
} from "./survey.js";
export { surveyListed } from "./survey-listed.js";
export { surveyPictures } from "./survey-pictures.js";
export { surveyTable } from "./survey-table.js";
