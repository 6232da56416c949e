// Dawn in Node for libraries written for browsers: navigator.gpu and WebGPU's constants as globals.
import { create, globals } from "webgpu";

// Dawn asks for its events with setImmediate, in a loop that takes a whole core from a software adapter while work is
// pending. Asking once a millisecond is better for everyone, and everyone here gets it.
globalThis.setImmediate = (callback, ...values) => setTimeout(callback, 1, ...values);

export function provideNavigatorGpu() {
  Object.assign(globalThis, globals);
  const gpu = create([]);
  const navigator = { gpu, userAgent: `Node.js/${process.versions.node}` };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  return gpu;
}
