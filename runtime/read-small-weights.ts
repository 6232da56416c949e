/** What a network imports to load small weights: bundlers keep apart what nothing else imports. */
export { readSmallWeights } from "./small-weights.js";
