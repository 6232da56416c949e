/** The plugin for esbuild. */
export { esbuild as default } from "./index.js";
