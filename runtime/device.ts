/** A GPUDevice with the limits that programs want, and what went wrong on it. */
import type { Target } from "../program/program.js";
import { inErrorScopes } from "./error-scopes.js";
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
 * Whether a GPUDevice was lost. One for each device, however many networks share it: what waits for
 * `lost` would keep all of them.
 */
class Health {
  private static readonly known = new WeakMap<GPUDevice, Health>();

  loss: DeviceLostError | undefined;
  private readonly waiting = new Set<() => void>();

  private constructor(gpu: GPUDevice) {
    void gpu.lost.then((information) => this.noteLoss(information));
  }

  static of(gpu: GPUDevice): Health {
    const health = Health.known.get(gpu) ?? new Health(gpu);
    Health.known.set(gpu, health);
    return health;
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

/** A network's device: memory, pipelines and queues. */
export class Device {
  private readonly health: Health;
  private reported: DeviceLostError | undefined;
  private released = false;

  private constructor(
    /** A borrowed one reports errors of calls that are made with this object, and no others. */
    readonly gpu: GPUDevice,
    readonly summary: AdapterSummary,
    /** Undefined for one that is ours. */
    private readonly borrowed?: GPUDevice,
  ) {
    this.health = Health.of(borrowed ?? gpu);
    if (!borrowed) gpu.addEventListener("uncapturederror", this.hear);
  }

  /**
   * Opens a device of our own on an adapter, with more features where it has them. Throws
   * NoAdapterError if the adapter refuses.
   */
  static async open(found: FoundAdapter, more: readonly GPUFeatureName[] = []): Promise<Device> {
    const gpu = await requestDevice(found, [...WANTED_FEATURES, ...more]);
    return new Device(gpu, summarize(informationOf(found.adapter), gpu.features, found));
  }

  /** Takes over a device that the user made, and leaves its life to them. */
  static async borrow(gpu: GPUDevice): Promise<Device> {
    const { reporting } = await import("./borrowed-device.js");
    const information = informationOf(gpu);
    const found = { name: adapterName(information), software: isSoftware(information) };
    const summary = summarize(information, gpu.features, found);
    const own = reporting(gpu, (error) => device.note(error), inErrorScopes);
    const device = new Device(own, summary, gpu);
    return device;
  }

  /** Throws what went wrong on the device, if anything did. */
  assertUsable(): void {
    const failure = this.reported ?? this.health.loss;
    if (failure) throw failure;
  }

  /** Settles when a loss that has just happened was noted: calls under way may reject before. */
  async settled(): Promise<void> {
    await this.health.lost(LOSS_DELAY);
  }

  /** Leaves the device, and destroys it if it is ours. May be called again. */
  release(): void {
    if (this.released) return;
    this.released = true;
    if (this.borrowed) return;
    this.gpu.removeEventListener("uncapturederror", this.hear);
    this.gpu.destroy();
  }

  private readonly hear = (event: GPUUncapturedErrorEvent): void => {
    event.preventDefault();
    this.note(event.error);
  };

  /** What a lost device reports follows from its loss. */
  private note(error: GPUError): void {
    if (!this.health.loss) this.reported ??= reportedError(error);
  }
}

/** A device with all that programs profit from; with less, where the adapter refuses that. */
async function requestDevice(
  found: FoundAdapter,
  features: readonly GPUFeatureName[],
): Promise<GPUDevice> {
  const { adapter } = found;
  const known = WANTED_LIMITS.filter((limit) => adapter.limits[limit] !== undefined);
  const requiredLimits = Object.fromEntries(known.map((limit) => [limit, adapter.limits[limit]]));
  const requiredFeatures = features.filter((feature) => adapter.features.has(feature));
  const requests: readonly GPUDeviceDescriptor[] = [
    { requiredLimits, requiredFeatures },
    { requiredFeatures },
    {},
  ];
  let refusal: unknown;
  for (const request of requests) {
    try {
      return await adapter.requestDevice(request);
    } catch (error) {
      refusal ??= error;
    }
  }
  throw new NoAdapterError(`adapter \`${found.name}\` refused a device: ${String(refusal)}`);
}

/** What an adapter says of itself. Browsers leave out some of it, or all. */
export type AdapterInformation = Partial<GPUAdapterInfo>;

/** Of an adapter or a device. */
export function informationOf(source: GPUAdapter | GPUDevice): AdapterInformation {
  const { info, adapterInfo } = source as Partial<GPUAdapter & GPUDevice>;
  return info ?? adapterInfo ?? {};
}

function summarize(
  information: AdapterInformation,
  features: GPUSupportedFeatures,
  found: Pick<FoundAdapter, "name" | "software">,
): AdapterSummary {
  const { vendor = "", architecture = "", description = "" } = information;
  const subgroups = features.has("subgroups");
  const minimum = (subgroups && information.subgroupMinSize) || 0;
  const maximum = (subgroups && information.subgroupMaxSize) || 0;
  return {
    name: found.name,
    vendor,
    architecture,
    description,
    software: found.software,
    subgroupSizes: [minimum, maximum],
    half: features.has("shader-f16"),
    target: targetFor({ software: found.software, lanes: minimum }),
  };
}

/** Software by its names, for browsers that do not say what is software. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i;

/** Whether a CPU does the work of an adapter. */
export function isSoftware(information: AdapterInformation): boolean {
  const { isFallbackAdapter, vendor, architecture, device, description } = information;
  const names = [vendor, architecture, device, description].join(" ");
  return isFallbackAdapter ?? SOFTWARE.test(names);
}

/**
 * A name to show. Software tells of itself in the description, drivers of hardware only of
 * themselves.
 */
export function adapterName(information: AdapterInformation): string {
  const { description, device, vendor, architecture } = information;
  const both = [vendor, architecture].filter(Boolean).join(" ");
  const isSoft = isSoftware(information);
  const names = isSoft ? [description, device, both] : [device, description, both];
  return names.find(Boolean) ?? "unnamed adapter";
}

/**
 * The best target for an adapter whose subgroups have at least this many lanes; 0 means none.
 */
export function targetFor({ software, lanes }: { software: boolean; lanes: number }): Target {
  if (!software || lanes < 4) return "gpu";
  return lanes >= 8 ? "lanes8" : "lanes4";
}
