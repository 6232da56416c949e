/** The plugin for Rspack. */
export { rspack as default } from "./index.js";
