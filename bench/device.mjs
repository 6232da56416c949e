// Dawn in Node for libraries written for browsers: navigator.gpu and WebGPU's constants as globals.
// Adapters come from netc's runtime, so all contenders get the same one (NETC_ADAPTER says which),
// and all wait for it alike: Dawn asks for its events with setImmediate, in a loop that takes a
// whole core from a software adapter, and the runtime has it ask once a millisecond.
import { findAdapter } from "netc/runtime";
import { globals } from "webgpu";

export function provideNavigatorGpu() {
  Object.assign(globalThis, globals);
  const gpu = {
    requestAdapter: async () => (await findAdapter()).adapter,
    getPreferredCanvasFormat: () => "bgra8unorm",
    wgslLanguageFeatures: new Set(),
  };
  const navigator = { gpu, userAgent: `Node.js/${process.versions.node}` };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
}

export async function adapterName() {
  return (await findAdapter()).name;
}
