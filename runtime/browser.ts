/** The runtime for browsers: the same names as in Node, and nothing but `navigator.gpu`. */
export * from "./core.js";
// By star: bundlers then see that a page which imports one name loads no other code.
export * from "./browser-network.js";
