/** The plugin for Rollup. */
export { rollup as default } from "./index.js";
