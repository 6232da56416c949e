/** A GPUDevice with the limits that programs want, and a memory of what went wrong on it. */
import type { Target } from "../program/program.js";
import { DeviceLostError, NoAdapterError } from "./errors.js";

/** An adapter, and how it was found. */
export interface FoundAdapter {
  readonly adapter: GPUAdapter;
  /** The name to show: `NVIDIA GeForce RTX 4090`. */
  readonly name: string;
  /** Whether a CPU does the work. */
  readonly software: boolean;
}

/** Finds an adapter by the user's wish (`auto`, `embedded`, `lavapipe`, or part of a name). */
export type AdapterProvider = (wish: string | undefined) => Promise<FoundAdapter>;

/** What a network says about the adapter it runs on. */
export interface AdapterSummary {
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  readonly software: boolean;
  /** Lanes of a subgroup, at least and at most; both 0 without subgroups. */
  readonly subgroupSizes: readonly [minimum: number, maximum: number];
  /** Whether the device was opened with numbers of 16 bits. */
  readonly half: boolean;
  /** The target that suits the adapter best. */
  readonly target: Target;
}

/** The limits a program may profit from: each is taken as high as the adapter goes. */
const WANTED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;

/**
 * The features that programs use where there are any: kernels for subgroups, and profiles for
 * timestamps.
 */
const WANTED_FEATURES: readonly GPUFeatureName[] = ["subgroups", "timestamp-query"];

/**
 * What went wrong on a GPUDevice, as long as anything uses it. However many networks share a
 * device, there is one listener on it, and none once they have gone: a listener would keep the
 * device alive.
 */
class Health {
  private static readonly known = new WeakMap<GPUDevice, Health>();

  private loss: DeviceLostError | undefined;
  private reported: DeviceLostError | undefined;
  private users = 0;
  private readonly waiting = new Set<() => void>();
  private readonly noteError = (event: GPUUncapturedErrorEvent): void => {
    event.preventDefault();
    // What a lost device reports follows from its loss.
    if (!this.loss) this.reported ??= reportedError(event.error);
  };

  private constructor(gpu: GPUDevice) {
    void gpu.lost.then((information) => this.noteLoss(information));
  }

  static of(gpu: GPUDevice): Health {
    const health = Health.known.get(gpu) ?? new Health(gpu);
    Health.known.set(gpu, health);
    return health;
  }

  get failure(): DeviceLostError | undefined {
    return this.reported ?? this.loss;
  }

  watch(gpu: GPUDevice): void {
    if (this.users++ > 0) return;
    // Results of earlier networks are nothing to this one.
    this.reported = undefined;
    gpu.addEventListener("uncapturederror", this.noteError);
  }

  unwatch(gpu: GPUDevice): void {
    if (--this.users === 0) gpu.removeEventListener("uncapturederror", this.noteError);
  }

  /** Settles once the device is lost, or after this many milliseconds. */
  lost(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, this.loss ? 0 : milliseconds);
      this.waiting.add(done);
    });
  }

  private noteLoss(information: GPUDeviceLostInfo): void {
    this.loss = lossError(information);
    for (const done of this.waiting) done();
  }
}

function reportedError({ message }: GPUError): DeviceLostError {
  return new DeviceLostError(
    `the GPU reported an error, so results since are not to be trusted: ${message}`,
    false,
  );
}

function lossError({ message, reason }: GPUDeviceLostInfo): DeviceLostError {
  return new DeviceLostError(
    `the GPU device was lost (${message || reason}); ` +
      "create the network again, with a smaller batch if this repeats",
    true,
  );
}

/** Milliseconds that a call which failed waits to hear whether the device was lost. */
const LOSS_DELAY = 100;

export class Device {
  private readonly health: Health;
  private released = false;

  private constructor(
    readonly gpu: GPUDevice,
    readonly summary: AdapterSummary,
    private readonly owned: boolean,
  ) {
    this.health = Health.of(gpu);
    this.health.watch(gpu);
  }

  /**
   * Opens a device of our own on an adapter, with more features where it has them. Throws
   * NoAdapterError if the adapter refuses.
   */
  static async open(found: FoundAdapter, more: readonly GPUFeatureName[] = []): Promise<Device> {
    const gpu = await requestDevice(found, [...WANTED_FEATURES, ...more]);
    return new Device(gpu, summarize(found.adapter.info, gpu.features, found), true);
  }

  /** Takes over a device that the user made, and leaves its life to them. */
  static borrow(gpu: GPUDevice): Device {
    const { adapterInfo } = gpu;
    const found = { name: adapterName(adapterInfo), software: adapterInfo.isFallbackAdapter };
    return new Device(gpu, summarize(adapterInfo, gpu.features, found), false);
  }

  /** Throws what went wrong on the device, if anything did. */
  assertUsable(): void {
    if (this.health.failure !== undefined) throw this.health.failure;
  }

  /** Settles when a loss that has just happened was noted: calls under way may reject before. */
  async settled(): Promise<void> {
    await this.health.lost(LOSS_DELAY);
  }

  /** Leaves the device, and destroys it if it is ours. May be called again. */
  release(): void {
    if (this.released) return;
    this.released = true;
    this.health.unwatch(this.gpu);
    if (this.owned) this.gpu.destroy();
  }
}

async function requestDevice(
  found: FoundAdapter,
  features: readonly GPUFeatureName[],
): Promise<GPUDevice> {
  const { adapter } = found;
  const requiredLimits: Record<string, number> = {};
  for (const limit of WANTED_LIMITS) requiredLimits[limit] = adapter.limits[limit];
  const requiredFeatures = features.filter((feature) => adapter.features.has(feature));
  try {
    return await adapter.requestDevice({ requiredLimits, requiredFeatures });
  } catch (error) {
    throw new NoAdapterError(`adapter \`${found.name}\` refused a device: ${String(error)}`);
  }
}

function summarize(
  information: GPUAdapterInfo,
  features: GPUSupportedFeatures,
  found: Pick<FoundAdapter, "name" | "software">,
): AdapterSummary {
  const subgroups = features.has("subgroups");
  const minimum = (subgroups && information.subgroupMinSize) || 0;
  const maximum = (subgroups && information.subgroupMaxSize) || 0;
  return {
    name: found.name,
    vendor: information.vendor,
    architecture: information.architecture,
    description: information.description,
    software: found.software,
    subgroupSizes: [minimum, maximum],
    half: features.has("shader-f16"),
    target: targetFor({ software: found.software, lanes: minimum }),
  };
}

/**
 * A name to show. Software tells of itself in the description, drivers of hardware only of
 * themselves.
 */
export function adapterName(information: GPUAdapterInfo): string {
  const { description, device, vendor, architecture, isFallbackAdapter } = information;
  const both = [vendor, architecture].filter(Boolean).join(" ");
  const names = isFallbackAdapter ? [description, device, both] : [device, description, both];
  return names.find(Boolean) ?? "unnamed adapter";
}

/**
 * The best target for an adapter whose subgroups have at least this many lanes; 0 means none.
 */
export function targetFor({ software, lanes }: { software: boolean; lanes: number }): Target {
  if (!software || lanes < 4) return "gpu";
  return lanes >= 8 ? "lanes8" : "lanes4";
}
