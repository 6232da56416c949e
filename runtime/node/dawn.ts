/** Dawn, the `webgpu` package, asked for adapters from one source at a time. */
import { NoAdapterError } from "../errors.js";
import {
  DRIVER_VARIABLES,
  findLavapipe,
  hasVulkanDrivers,
  loadForever,
  VULKAN_LOADER,
} from "./drivers.js";
import { unpackEmbeddedAdapter } from "./embedded.js";
import { importPackage } from "./import-package.js";
import { pollPolitely } from "./polling.js";

/** Where an adapter comes from: what the system offers, its lavapipe, or the one from npm. */
export type AdapterSource = "system" | "lavapipe" | "embedded";

/**
 * One instance for each source and name, for good. Dawn polls an instance from a timer for a while
 * after its last device is gone, and hangs or crashes where it was collected before; and lavapipe
 * gives memory back only with the instance, but to the instance's next device at once.
 */
const instances = new Map<string, GPU>();

/**
 * The adapter of that name, or the one that Dawn prefers. Throws an error that says why there is
 * none.
 */
export async function requestAdapter(source: AdapterSource, name?: string): Promise<GPUAdapter> {
  const { create, globals } = await loadDawn();
  const driver = prepareDriver(source);
  const key = `${source} ${name ?? ""}`;
  const instance = instances.get(key) ?? create(name === undefined ? [] : [`adapter=${name}`]);
  instances.set(key, instance);
  const adapter = await withDriver(driver, () =>
    instance.requestAdapter({ powerPreference: "high-performance" }),
  );
  if (adapter === null) throw new NoAdapterError("there is no adapter that Dawn can use");
  if (adapter.info.isFallbackAdapter) pollPolitely(globals);
  return adapter;
}

/**
 * The names of a source's adapters. Dawn has no call for that; asked for one that cannot be, it
 * lists those there are: ` * backend: 'vulkan', name: 'llvmpipe (LLVM 15.0.6, 256 bits)'`.
 */
export async function adapterNames(source: AdapterSource): Promise<string[]> {
  try {
    await requestAdapter(source, "no adapter has this name");
    return [];
  } catch (error) {
    const { message } = error as Error;
    const names = [...message.matchAll(/backend: '[^']*', name: '(.*)'/g)].map(([, name]) => name!);
    if (names.length === 0) throw error;
    return names;
  }
}

async function loadDawn(): Promise<typeof import("webgpu")> {
  try {
    return (await importPackage("webgpu")) as typeof import("webgpu");
  } catch (error) {
    throw new NoAdapterError(
      `the package \`webgpu\` does not load on ${process.platform} ${process.arch}: ` +
        `${(error as Error).message}`,
    );
  }
}

/**
 * Sees to it that Dawn will find a Vulkan loader. Returns the driver file to tell it of; undefined
 * leaves the choice to the system. Dawn complains on stderr where nothing is installed, so it is
 * not asked there.
 */
function prepareDriver(source: AdapterSource): string | undefined {
  if (source === "embedded") {
    const { loader, driver, library } = unpackEmbeddedAdapter();
    // The loader unloads a driver with its last user, and SwiftShader's threads crash when their
    // code goes away.
    for (const path of [loader, library]) {
      if (!loadForever(path)) throw new NoAdapterError(`${path} cannot be loaded`);
    }
    return driver;
  }
  if (process.platform === "linux") assertVulkan();
  if (source === "system") return undefined;
  const driver = findLavapipe();
  if (driver === undefined) throw new NoAdapterError("lavapipe is not installed");
  return driver;
}

/** Drivers without a loader are common in containers: the embedded loader serves them too. */
function assertVulkan(): void {
  if (!hasVulkanDrivers()) throw new NoAdapterError("no Vulkan driver is installed");
  if (loadForever(VULKAN_LOADER) || loadForever(unpackEmbeddedAdapter().loader)) return;
  throw new NoAdapterError(`the Vulkan loader ${VULKAN_LOADER} is not installed`);
}

/**
 * Calls `request` with the variables that name Vulkan drivers set to one of them. Dawn loads
 * drivers before its call returns, so the variables need not wait for the promise, and nothing else
 * sees them.
 */
function withDriver<T>(driver: string | undefined, request: () => T): T {
  if (driver === undefined) return request();
  const before = DRIVER_VARIABLES.map((name) => [name, process.env[name]] as const);
  for (const name of DRIVER_VARIABLES) process.env[name] = driver;
  try {
    return request();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
