// What a contender asks of WebGPU, counted in the methods of Dawn's classes: all of them use
// the same ones.
import { globals } from "webgpu";

const totals = { dispatches: 0, submits: 0, submitted: 0, insideQueue: 0, bytes: 0, peakBytes: 0 };
const pipelineKeys = new Set();
const shaderCode = new WeakMap();
const pipelineCode = new WeakMap();
const passPipeline = new WeakMap();
let dispatchListener;

/**
 * Calls `listener` with the WGSL, the entry point and the workgroups of every dispatch from now on;
 * undefined ends it.
 */
export function listenToDispatches(listener) {
  dispatchListener = listener;
}

/** Starts to count a step. Returns a function that gives its counts. */
export function beginCounting() {
  const { dispatches, submits, insideQueue } = totals;
  const start = performance.now();
  return () => ({
    dispatches: totals.dispatches - dispatches,
    submits: totals.submits - submits,
    // The queue copies data, and a software adapter may even do its work within submit: that is not
    // JavaScript.
    javascript: totals.submitted - start - (totals.insideQueue - insideQueue),
    pipelines: pipelineKeys.size,
    peakBytes: totals.peakBytes,
  });
}

/** Replaces a method by what `wrap` makes of it. */
function replace(type, name, wrap) {
  const { prototype } = globals[type];
  const method = prototype[name];
  prototype[name] = wrap(method);
}

function notePipeline(pipeline, { compute: { module, entryPoint, constants } }) {
  const code = shaderCode.get(module);
  pipelineKeys.add(JSON.stringify([code, entryPoint, constants]));
  pipelineCode.set(pipeline, { code, entryPoint, constants });
  return pipeline;
}

replace("GPUDevice", "createShaderModule", (method) => {
  return function (descriptor) {
    const module = method.call(this, descriptor);
    shaderCode.set(module, descriptor.code);
    return module;
  };
});

replace("GPUDevice", "createComputePipeline", (method) => {
  return function (descriptor) {
    return notePipeline(method.call(this, descriptor), descriptor);
  };
});

replace("GPUDevice", "createComputePipelineAsync", (method) => {
  return async function (descriptor) {
    return notePipeline(await method.call(this, descriptor), descriptor);
  };
});

replace("GPUComputePassEncoder", "setPipeline", (method) => {
  return function (pipeline) {
    passPipeline.set(this, pipeline);
    return method.call(this, pipeline);
  };
});

replace("GPUComputePassEncoder", "dispatchWorkgroups", (method) => {
  return function (...workgroups) {
    totals.dispatches++;
    dispatchListener?.({ ...pipelineCode.get(passPipeline.get(this)), workgroups });
    return method.apply(this, workgroups);
  };
});

replace("GPUQueue", "submit", (method) => {
  return function (commands) {
    const start = performance.now();
    method.call(this, commands);
    totals.submits++;
    totals.submitted = performance.now();
    totals.insideQueue += totals.submitted - start;
  };
});

replace("GPUQueue", "writeBuffer", (method) => {
  return function (...values) {
    const start = performance.now();
    method.apply(this, values);
    totals.insideQueue += performance.now() - start;
  };
});

// A buffer that is left to the garbage collector counts as alive.
const aliveBytes = new WeakMap();

replace("GPUDevice", "createBuffer", (method) => {
  return function (descriptor) {
    const buffer = method.call(this, descriptor);
    aliveBytes.set(buffer, descriptor.size);
    totals.bytes += descriptor.size;
    totals.peakBytes = Math.max(totals.peakBytes, totals.bytes);
    return buffer;
  };
});

replace("GPUBuffer", "destroy", (method) => {
  return function () {
    totals.bytes -= aliveBytes.get(this) ?? 0;
    aliveBytes.delete(this);
    return method.call(this);
  };
});
