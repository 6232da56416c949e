export type {
  Batch,
  Dataset,
  Example,
  ExampleKey,
  Image,
  Images,
  InputShape,
  Stage,
  StagedImages,
} from "./dataset.js";
export { countBatches } from "./dataset.js";
export { DataError } from "./error.js";
export { loadBatches } from "./loader.js";
export type { LoaderOptions } from "./loader.js";
export { applyTransforms } from "./apply.js";
export { chooseStaging } from "./stage.js";
export type { Staging } from "./stage.js";
