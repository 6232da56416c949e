/** The runtime for browsers: the same names as in Node, and nothing but `navigator.gpu`. */
export * from "./core.js";
export { createNetwork, findAdapter } from "./browser-network.js";
