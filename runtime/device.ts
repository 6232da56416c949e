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

/** The features that programs use where there are any: kernels for subgroups, and profiles for timestamps. */
const WANTED_FEATURES: readonly GPUFeatureName[] = ["subgroups", "timestamp-query"];

export class Device {
  #failure: DeviceLostError | undefined;
  #released = false;

  private constructor(
    readonly gpu: GPUDevice,
    readonly summary: AdapterSummary,
    private readonly owned: boolean,
  ) {
    void gpu.lost.then((information) => this.#noteLoss(information));
    gpu.addEventListener("uncapturederror", (event) => this.#noteError(event));
  }

  /** Opens a device of our own on an adapter, with more features where it has them. Throws NoAdapterError if the adapter refuses. */
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
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Settles when a loss that has just happened was noted: calls under way may reject before. */
  async settled(): Promise<void> {
    await Promise.race([this.gpu.lost, new Promise((resolve) => setTimeout(resolve, 100))]);
  }

  /** Destroys the device if it is ours. */
  release(): void {
    this.#released = true;
    if (this.owned) this.gpu.destroy();
  }

  #noteLoss(information: GPUDeviceLostInfo): void {
    if (information.reason === "destroyed" && this.#released) return;
    this.#failure ??= new DeviceLostError(
      `the GPU device was lost (${information.message || information.reason}); ` +
        "create the network again, with a smaller batch if this repeats",
      true,
    );
  }

  #noteError(event: GPUUncapturedErrorEvent): void {
    event.preventDefault();
    this.#failure ??= new DeviceLostError(
      `the GPU reported an error, so results since are not to be trusted: ${event.error.message}`,
      false,
    );
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

/** A name to show. Software tells of itself in the description, drivers of hardware only of themselves. */
export function adapterName(information: GPUAdapterInfo): string {
  const { description, device, vendor, architecture, isFallbackAdapter } = information;
  const both = [vendor, architecture].filter(Boolean).join(" ");
  const names = isFallbackAdapter ? [description, device, both] : [device, description, both];
  return names.find(Boolean) ?? "unnamed adapter";
}

/** The best target for an adapter whose subgroups have at least so many lanes; 0 stands for none. */
export function targetFor({ software, lanes }: { software: boolean; lanes: number }): Target {
  if (!software || lanes < 4) return "gpu";
  return lanes >= 8 ? "lanes8" : "lanes4";
}
