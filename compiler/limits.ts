/** What a program needs of a device, against what the device grants: at the spec's line, before anything runs. */
import { formatBytes } from "../program/format-bytes.js";
import type { Affine, Program } from "../program/program.js";
import { createDiagnostic } from "./diagnostics/create.js";
import type { Diagnostic } from "./diagnostics/diagnostic.js";
import type { Graph } from "./ir/graph.js";
import type { Origin } from "./ir/origin.js";
import { MOST_BINDINGS } from "./kernels/kernel.js";
import type { StepDraft, Storage } from "./lower/storage.js";
import type { TracedProgram } from "./trace.js";

/** Of WebGPU's limits those that a network can run into, by WebGPU's names. */
export interface DeviceLimits {
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupsPerDimension: number;
}

/** What every device with WebGPU grants. */
export const DEFAULT_LIMITS: DeviceLimits = {
  maxStorageBufferBindingSize: 128 * 1024 * 1024,
  maxBufferSize: 256 * 1024 * 1024,
  maxStorageBuffersPerShaderStage: MOST_BINDINGS,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupsPerDimension: 65535,
};

/** What a batch of a program needs and the limits do not grant, and what is done about it; errors where nothing can be. */
export function checkLimits(
  traces: readonly TracedProgram[],
  batch: number,
  limits: DeviceLimits,
): readonly Diagnostic[] {
  const [first] = traces;
  if (!first) return [];
  const found = [
    ...checkWeights(first, limits),
    ...checkBatch(traces, batch, limits),
    ...traces.flatMap((trace) => checkKernels(trace, limits)),
  ];
  // Programs for several adapters say the same of one place only once.
  const byPlace = new Map(found.map((each) => [`${each.code} ${startOf(each)}`, each]));
  return [...byPlace.values()].sort((a, b) => startOf(a) - startOf(b));
}

const startOf = ({ primary }: Diagnostic) => primary.span.start.offset;

const bindable = ({ maxStorageBufferBindingSize, maxBufferSize }: DeviceLimits) =>
  Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize) / 16) * 16;

const graphOf = ({ lists }: TracedProgram): Graph => (lists.train ?? lists.predict).graph;

/** Weights beyond the limit are sharded over output channels; a shard is made for the default limits. */
function checkWeights(trace: TracedProgram, limits: DeviceLimits): Diagnostic[] {
  const { program } = trace;
  const most = bindable(limits);
  const holds = `a storage binding holds ${formatBytes(most)} at most`;
  return program.parameters.flatMap(({ name, pieces }) => {
    const sizes = pieces.map(({ buffer }) => program.buffers[buffer]!.bytes.fixed);
    const whole = sizes.reduce((sum, size) => sum + size, 0);
    if (whole <= most) return [];
    const origin = graphOf(trace).parameters.find(({ value }) => value.name === name)!.value.origin;
    const message = `\`${name}\` takes ${formatBytes(whole)}, and ${holds}`;
    const largest = Math.max(...sizes);
    if (largest > most) {
      const notes = [`its largest shard, of ${pieces.length}, takes ${formatBytes(largest)}`];
      return [createDiagnostic("NET4003", { message, span: origin.span, notes })];
    }
    const notes = [
      `it is sharded into ${pieces.length} buffers over output channels; nothing is left to do`,
    ];
    return [createDiagnostic("NET4001", { message, span: origin.span, notes })];
  });
}

/** What grows with the batch: beyond the limit, the batch comes in slices. */
function checkBatch(
  traces: readonly TracedProgram[],
  batch: number,
  limits: DeviceLimits,
): Diagnostic[] {
  const most = bindable(limits);
  const slice = Math.min(...traces.map(({ program }) => largestSlice(program, batch, most)));
  if (slice >= batch) return [];
  const { storage, origin } = largestStorage(traces, batch);
  const needed = slice < 1 ? 1 : batch;
  const images = needed === 1 ? "for a single image" : `at a batch of ${batch}`;
  const size = formatBytes(bytesAt(storage.bytes, needed));
  const details = {
    message: `\`${storage.name}\` takes ${size} ${images}, and a storage binding holds ${formatBytes(most)} at most`,
    span: origin.span,
  };
  if (slice < 1) return [createDiagnostic("NET4003", details)];
  const slices = Math.ceil(batch / slice);
  const normalizes = graphOf(traces[0]!).parameters.some(({ role }) => role === "statistic");
  const notes = [
    `the batch comes in ${slices} slices of up to ${Math.ceil(batch / slices)} images, with one update for all`,
    ...(normalizes ? ["batch normalization takes the statistics of each slice"] : []),
  ];
  return [createDiagnostic("NET4002", { ...details, notes })];
}

const bytesAt = ({ fixed, perImage }: Affine, batch: number) => fixed + perImage * batch;

/** The most images with which all buffers of a batch can be bound; the runtime's slices.ts finds the same. */
function largestSlice({ buffers }: Program, batch: number, most: number): number {
  const growing = buffers.filter(
    ({ bytes, largestBatch = batch }) => bytes.perImage > 0 && largestBatch >= batch,
  );
  return Math.min(...growing.map(({ bytes }) => Math.floor((most - bytes.fixed) / bytes.perImage)));
}

interface BoundStorage {
  readonly storage: Storage;
  readonly origin: Origin;
}

const stepsOf = ({ lists }: TracedProgram): readonly StepDraft[] =>
  [lists.train, lists.evaluate, lists.predict].flatMap((list) => list?.steps ?? []);

/** With the place of the step that first needs it. */
function largestStorage(traces: readonly TracedProgram[], batch: number): BoundStorage {
  const bound = traces
    .flatMap(stepsOf)
    .filter(({ batches: { atMost = batch } = {} }) => atMost >= batch)
    .flatMap(({ storage, origin }) =>
      storage
        .filter(({ bytes }) => bytes.perImage > 0)
        .map((each): BoundStorage => ({ storage: each, origin })),
    );
  const size = ({ storage }: BoundStorage) => bytesAt(storage.bytes, batch);
  return bound.reduce((largest, each) => (size(each) > size(largest) ? each : largest));
}

/** Kernels are made for the default limits; nothing helps where a device grants less. */
function checkKernels(trace: TracedProgram, limits: DeviceLimits): Diagnostic[] {
  return stepsOf(trace).flatMap((step) => {
    const excess = needsOf(step).find(({ needed, limit }) => needed > limits[limit]);
    if (!excess) return [];
    const { what, needed, limit } = excess;
    return [
      createDiagnostic("NET4004", {
        message: `${step.label} needs ${needed} ${what}, and the limit is ${limits[limit]}`,
        span: step.origin.span,
      }),
    ];
  });
}

interface Need {
  readonly limit: keyof DeviceLimits;
  readonly needed: number;
  readonly what: string;
}

/** What a step's kernel asks of a device. Workgroups in x may be any number: they are folded. */
export function needsOf({ kernel, workgroups }: StepDraft): readonly Need[] {
  const lanes = Number(/@workgroup_size\((\d+)\)/.exec(kernel.wgsl)?.[1] ?? 1);
  return [
    {
      limit: "maxStorageBuffersPerShaderStage",
      needed: kernel.storage.length,
      what: "storage buffers",
    },
    {
      limit: "maxComputeWorkgroupStorageSize",
      needed: workgroupBytes(kernel.wgsl),
      what: "bytes of workgroup memory",
    },
    {
      limit: "maxComputeInvocationsPerWorkgroup",
      needed: lanes,
      what: "invocations a workgroup",
    },
    { limit: "maxComputeWorkgroupsPerDimension", needed: workgroups.z, what: "workgroups" },
  ];
}

const ELEMENT_BYTES: Readonly<Record<string, number>> = { f32: 4, u32: 4, vec4f: 16, vec4u: 16 };

function workgroupBytes(wgsl: string): number {
  const arrays = wgsl.matchAll(/var<workgroup> \w+: array<(\w+), (\d+)>/g);
  return [...arrays].reduce(
    (sum, [, element, length]) => sum + ELEMENT_BYTES[element!]! * Number(length),
    0,
  );
}
