/** The plugin for webpack. */
export { webpack as default } from "./index.js";
