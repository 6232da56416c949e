/** What there is to run on, what would be chosen and why, and what would be faster. */
import { Device, type AdapterSummary } from "../device.js";
import {
  findAdapter,
  listAdapters,
  wishedAdapter,
  type Attempt,
  type NodeAdapter,
} from "./adapters.js";
import type { AdapterSource } from "./dawn.js";

/** An adapter in the report of `doctor`. */
export interface DoctorAdapter {
  readonly name: string;
  readonly source: AdapterSource;
  readonly software: boolean;
  readonly description: string;
}

/** What `netc doctor --json` prints. */
export interface DoctorReport {
  /** `linux x64, Node v20.11.0`. */
  readonly system: string;
  /** What was asked for: `auto`, or the user's choice. */
  readonly wish: string;
  readonly adapters: readonly DoctorAdapter[];
  readonly tried: readonly Attempt[];
  readonly chosen?: AdapterSummary & { readonly source: AdapterSource; readonly reason: string };
  /** Why no adapter could be chosen. */
  readonly problem?: string;
  /** Of the chosen adapter's device, as netc opens it. */
  readonly limits: Readonly<Record<string, number>>;
  readonly features: readonly string[];
  /** What would be faster, or how to get anything to run on. */
  readonly advice: readonly string[];
}

/**
 * Looks at all adapters and opens a device on the one that `wish` chooses. Never rejects for want
 * of a GPU.
 */
export async function doctor(wish?: string): Promise<DoctorReport> {
  const tried: Attempt[] = [];
  const adapters = await listAdapters(tried);
  const report = {
    system: `${process.platform} ${process.arch}, Node ${process.version}`,
    wish: wishedAdapter(wish),
    adapters: adapters.map(describeAdapter),
    tried,
  };
  try {
    const chosen = await findAdapter(wish);
    return { ...report, ...(await describeChosen(chosen)), advice: adviseOn(chosen, adapters) };
  } catch (error) {
    const problem = (error as Error).message;
    return { ...report, problem, limits: {}, features: [], advice: adviseOn(undefined, adapters) };
  }
}

function describeAdapter({ name, source, software, adapter }: NodeAdapter): DoctorAdapter {
  return { name, source, software, description: adapter.info.description };
}

async function describeChosen(
  found: NodeAdapter,
): Promise<Required<Pick<DoctorReport, "chosen" | "limits" | "features">>> {
  const device = await Device.open(found, ["shader-f16"]);
  const { summary, gpu } = device;
  const chosen = { ...summary, source: found.source, reason: found.reason };
  const description = {
    chosen,
    limits: listLimits(gpu.limits),
    features: [...gpu.features].sort(),
  };
  device.release();
  return description;
}

/** The limits are properties of their prototype, so they have to be listed from there. */
function listLimits(limits: GPUSupportedLimits): Record<string, number> {
  const entries: [string, number][] = [];
  for (const name in limits) {
    const value = limits[name as keyof GPUSupportedLimits];
    if (typeof value === "number") entries.push([name, value]);
  }
  return Object.fromEntries(entries);
}

function adviseOn(chosen: NodeAdapter | undefined, adapters: readonly NodeAdapter[]): string[] {
  const hardware = adapters.find(({ software }) => !software);
  if (chosen !== undefined && !chosen.software) return [];
  if (hardware !== undefined) return [`\`--adapter "${hardware.name}"\` uses the hardware adapter`];
  const advice = ["a GPU with a Vulkan, Metal or Direct3D 12 driver is faster than any software"];
  if (chosen?.source === "embedded") advice.unshift(adviseLavapipe(adapters));
  return advice;
}

function adviseLavapipe(adapters: readonly NodeAdapter[]): string {
  const installed = adapters.some(({ adapter }) => /llvmpipe/i.test(adapter.info.description));
  const faster = "Mesa's lavapipe is several times faster than the embedded adapter";
  if (installed) return `${faster}, and it is installed: \`--adapter lavapipe\``;
  return `${faster}: install it (Debian and Ubuntu: mesa-vulkan-drivers, Mesa 23 or later)`;
}
