/** The plugin for Vite. */
export { vite as default } from "./index.js";
