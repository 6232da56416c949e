/**
 * In the place of capture.ts in standalone modules whose spec does not say how pictures become
 * inputs.
 */
import { noPreparation } from "./eval-split.js";
import type { Capture } from "./picture.js";

export const refusePictures: Capture = (given) => ({
  count: [given].flat().length,
  prepare: ({ program }) => Promise.reject(noPreparation(program)),
});
