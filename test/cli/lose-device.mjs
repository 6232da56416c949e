// Loaded before netc: the first device is destroyed after this many submissions (LOSE_AFTER), as by
// a driver that is reset.
import { isMainThread } from "node:worker_threads";

const after = Number(process.env["LOSE_AFTER"]);
let submissions = 0;
let device;

/** Replaces a method by what `wrap` makes of it. */
function replace({ prototype }, name, wrap) {
  const original = prototype[name];
  prototype[name] = function (...parameters) {
    return wrap(() => original.apply(this, parameters));
  };
}

if (isMainThread) {
  const { globals } = await import("webgpu");
  replace(globals.GPUAdapter, "requestDevice", async (request) => {
    const opened = await request();
    device ??= opened;
    return opened;
  });
  replace(globals.GPUQueue, "submit", (submit) => {
    submit();
    if (++submissions === after) device.destroy();
  });
}
