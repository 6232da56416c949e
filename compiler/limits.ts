/**
 * What a program needs of a device, against what the device grants: at the spec's line, before
 * anything runs.
 */
import { formatBytes } from "../program/format-bytes.js";
import { bindableBytes, type DeviceLimits } from "../program/limits.js";
import { groupsOf } from "../program/pieces.js";
import type { Affine, ParameterLayout, ParameterPiece, Program } from "../program/program.js";
import { largestSlice } from "../program/slices.js";
import { createDiagnostic } from "./diagnostics/create.js";
import type { Diagnostic } from "./diagnostics/diagnostic.js";
import type { Graph } from "./ir/graph.js";
import type { Origin } from "./ir/origin.js";
import type { StepDraft } from "./lower/step-draft.js";
import type { Storage } from "./plan/storage.js";
import type { CompiledProgram } from "./program.js";

/**
 * What a batch of a program needs and the limits do not grant, and what is done about it; errors
 * where nothing can be.
 */
export function checkLimits(
  traces: readonly CompiledProgram[],
  batch: number,
  limits: DeviceLimits,
): readonly Diagnostic[] {
  const [first] = traces;
  if (!first) return [];
  const found = [
    ...checkWeights(first, limits),
    ...traces.flatMap((trace) => checkScratch(trace, limits)),
    ...checkBatch(traces, batch, limits),
    ...traces.flatMap((trace) => checkKernels(trace, limits)),
  ];
  // Programs for several adapters say the same of one place only once.
  // The first is the cause of others: weights too large have gradients too large.
  const byPlace = new Map(
    found.toReversed().map((each) => [`${each.code} ${startOf(each)}`, each]),
  );
  return [...byPlace.values()].sort((a, b) => startOf(a) - startOf(b));
}

const startOf = ({ primary }: Diagnostic) => primary.span.start.offset;

const graphOf = ({ lists }: CompiledProgram): Graph => (lists.train ?? lists.predict).plan.graph;

/** Weights beyond the limit are split into shards; a shard is made for the default limits. */
function checkWeights(trace: CompiledProgram, limits: DeviceLimits): Diagnostic[] {
  const { program } = trace;
  const most = bindableBytes(limits);
  const holds = `a storage binding holds ${formatBytes(most)} at most`;
  return program.parameters.flatMap(({ name, layout, pieces, shape }) => {
    const sizes = pieces.map(({ buffer }) => program.buffers[buffer]!.bytes.fixed);
    const whole = sizes.reduce((sum, size) => sum + size, 0);
    if (whole <= most) return [];
    const origin = graphOf(trace).parameters.find(({ value }) => value.name === name)!.value.origin;
    const message = `\`${name}\` takes ${formatBytes(whole)}, and ${holds}`;
    const largest = Math.max(...sizes);
    if (largest > most) {
      const piece = pieces[sizes.indexOf(largest)]!;
      const notes = [describeShard(layout, { piece, bytes: largest, shape })];
      return [createDiagnostic("NET4003", { message, span: origin.span, notes })];
    }
    const over = isGrouped(layout) ? "groups and output channels" : "output channels";
    const notes = [`it is sharded into ${pieces.length} buffers over ${over}; no change is needed`];
    return [createDiagnostic("NET4001", { message, span: origin.span, notes })];
  });
}

const isGrouped = (layout: ParameterLayout) => layout.kind === "contraction" && layout.groups > 1;

interface Shard {
  readonly piece: Pick<ParameterPiece, "start" | "count">;
  readonly bytes: number;
  /** Of the whole parameter. */
  readonly shape: readonly number[];
}

/** Why a shard cannot be smaller. */
function describeShard(layout: ParameterLayout, { piece, bytes, shape }: Shard): string {
  if (layout.kind !== "contraction") {
    const reason =
      layout.kind === "plain"
        ? "channels of a group that are not a multiple of 4"
        : "one dimension";
    return (
      `${shape.join(" x ")} values of 4 bytes in one buffer: ` +
      `weights of ${reason} are not sharded`
    );
  }
  const { outputs } = groupsOf(piece, layout);
  if (outputs > 4) return `its largest shard, of ${outputs} channels, takes ${formatBytes(bytes)}`;
  const each = bytes / 16;
  return (
    "a shard holds 4 output channels at least: " +
    `4 x ${each} values of 4 bytes take ${formatBytes(bytes)}`
  );
}

/**
 * What no slice makes smaller: weights turned for a gradient, or sums of parts of a weight
 * gradient.
 */
function checkScratch(trace: CompiledProgram, limits: DeviceLimits): Diagnostic[] {
  const most = bindableBytes(limits);
  return stepsOf(trace).flatMap(({ storage, origin }) => {
    const excess = storage.find(
      ({ purpose, bytes }) => purpose === "scratch" && bytes.perImage === 0 && bytes.fixed > most,
    );
    if (!excess) return [];
    const message =
      `\`${excess.name}\` takes ${formatBytes(excess.bytes.fixed)}, ` +
      `and a storage binding holds ${formatBytes(most)} at most`;
    return [createDiagnostic("NET4003", { message, span: origin.span })];
  });
}

/** What grows with the batch: beyond the limit, netc splits the batch into slices. */
function checkBatch(
  traces: readonly CompiledProgram[],
  batch: number,
  limits: DeviceLimits,
): Diagnostic[] {
  const most = bindableBytes(limits);
  const slice = Math.min(...traces.map(({ program }) => sliceOf(program, batch, most)));
  if (slice >= batch) return [];
  const needed = slice < 1 ? 1 : batch;
  const { storage, origin } = largestStorage(traces, needed);
  const images = needed === 1 ? "for a single image" : `at a batch of ${batch}`;
  const size = formatBytes(bytesAt(storage.bytes, needed));
  const details = {
    message:
      `\`${storage.name}\` takes ${size} ${images}, ` +
      `and a storage binding holds ${formatBytes(most)} at most`,
    span: origin.span,
  };
  if (slice < 1) return [createDiagnostic("NET4003", details)];
  const slices = Math.ceil(batch / slice);
  const normalizes = graphOf(traces[0]!).parameters.some(
    ({ role, isKept }) => role === "statistic" && !isKept,
  );
  const notes = [
    `netc splits the batch into ${slices} slices of up ` +
      `to ${Math.ceil(batch / slices)} images, with one update for all`,
    ...(normalizes ? ["batch normalization takes the statistics of each slice"] : []),
  ];
  return [createDiagnostic("NET4002", { ...details, notes })];
}

const bytesAt = ({ fixed, perImage }: Affine, batch: number) => fixed + perImage * batch;

/** What does not grow is judged by itself. */
const sliceOf = ({ buffers }: Program, batch: number, most: number) =>
  largestSlice(
    buffers.filter(
      ({ bytes }) => bytes.perImage > 0 && Math.max(bytes.fixed, bytes.least ?? 0) <= most,
    ),
    batch,
    most,
  );

interface BoundStorage {
  readonly storage: Storage;
  readonly origin: Origin;
}

const stepsOf = ({ lists }: CompiledProgram): readonly StepDraft[] =>
  [lists.train, lists.evaluate, lists.predict].flatMap((list) => list?.steps ?? []);

/** With the place of the step that first needs it. */
function largestStorage(traces: readonly CompiledProgram[], batch: number): BoundStorage {
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
function checkKernels(trace: CompiledProgram, limits: DeviceLimits): Diagnostic[] {
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
  return [
    {
      limit: "maxStorageBuffersPerShaderStage",
      needed: kernel.storage.length,
      what: "storage buffers",
    },
    {
      limit: "maxComputeWorkgroupStorageSize",
      needed: kernel.workgroupBytes,
      what: "bytes of workgroup memory",
    },
    {
      limit: "maxComputeInvocationsPerWorkgroup",
      needed: kernel.lanes,
      what: "invocations a workgroup",
    },
    { limit: "maxComputeWorkgroupsPerDimension", needed: workgroups.z, what: "workgroups" },
  ];
}
