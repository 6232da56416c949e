/** Imported where a file is not one of weights: bundlers keep apart what nothing else imports. */
export { explained } from "./foreign-files.js";
