/** How a GPU is found in Node, where Dawn (the `webgpu` package) stands for the browser's `navigator.gpu`. */
import type { FoundAdapter } from "../device.js";
import { NoAdapterError } from "../errors.js";
import { findLavapipe, mesaVersion, OLDEST_MESA } from "./drivers.js";
import { preloadVulkanLoader, unpackEmbeddedAdapter } from "./embedded.js";
import { pollPolitely } from "./polling.js";

/** Where an adapter comes from: what the system offers, its lavapipe, or the one from npm. */
export type AdapterSource = "system" | "lavapipe" | "embedded";

export interface NodeAdapter extends FoundAdapter {
  readonly source: AdapterSource;
  /** Why this one. */
  readonly reason: string;
}

/** One place that was looked at, and what came of it. */
export interface Attempt {
  readonly source: AdapterSource;
  readonly outcome: string;
}

type Dawn = typeof import("webgpu");

/** What the Vulkan loader of these variables is told; the second replaces the first in newer loaders. */
const DRIVER_VARIABLES = ["VK_ICD_FILENAMES", "VK_DRIVER_FILES"] as const;

/** The adapter for a wish: `auto`, `embedded`, `lavapipe`, or part of a name. Without one, NETC_ADAPTER's, else `auto`. */
export async function findAdapter(wish?: string): Promise<NodeAdapter> {
  const chosen = (wish ?? process.env["NETC_ADAPTER"]) || "auto";
  const tried: Attempt[] = [];
  const found = await search(chosen, tried);
  if (found === undefined) throw noAdapter(chosen, tried);
  if (found.software) pollPolitely((await loadDawn()).globals);
  return found;
}

/** Every adapter there is, for `doctor`. Notes in `tried` what was looked at. */
export async function listAdapters(tried: Attempt[]): Promise<NodeAdapter[]> {
  const found: NodeAdapter[] = [];
  for (const source of SOURCES) {
    for (const name of await namesAt(source, tried)) {
      const adapter = await open(source, name, tried, "it is there");
      const known = found.some((other) => other.name === name);
      if (adapter !== undefined && !known) found.push(adapter);
    }
  }
  return found;
}

const SOURCES: readonly AdapterSource[] = ["system", "lavapipe", "embedded"];

async function search(wish: string, tried: Attempt[]): Promise<NodeAdapter | undefined> {
  if (wish === "auto") return findBest(tried);
  if (wish === "embedded" || wish === "lavapipe") {
    return open(wish, undefined, tried, `\`${wish}\` was asked for`);
  }
  return findByName(wish, tried);
}

/** Hardware before lavapipe before the embedded adapter. */
async function findBest(tried: Attempt[]): Promise<NodeAdapter | undefined> {
  const system = await open(
    "system",
    undefined,
    tried,
    "Dawn prefers it of what the system offers",
  );
  if (system !== undefined && (!system.software || isLavapipe(system))) {
    const reason = system.software
      ? "there is no hardware adapter, and lavapipe is the fastest software"
      : "it is hardware";
    return { ...system, reason };
  }
  const lavapipe = "there is no hardware adapter, and lavapipe is the fastest software";
  const embedded = "there is neither a hardware adapter nor lavapipe";
  return (
    (await open("lavapipe", undefined, tried, lavapipe)) ??
    (await open("embedded", undefined, tried, embedded)) ??
    system
  );
}

async function findByName(wish: string, tried: Attempt[]): Promise<NodeAdapter | undefined> {
  for (const source of SOURCES) {
    const names = await namesAt(source, tried);
    const name = names.find((candidate) => candidate.toLowerCase().includes(wish.toLowerCase()));
    if (name !== undefined) return open(source, name, tried, `its name contains \`${wish}\``);
  }
  return undefined;
}

/** Asks Dawn for an adapter, the one of that name or its favourite, and notes what came of it. */
async function open(
  source: AdapterSource,
  name: string | undefined,
  tried: Attempt[],
  reason: string,
): Promise<NodeAdapter | undefined> {
  try {
    const options = name === undefined ? [] : [`adapter=${name}`];
    const { owner, adapter } = await request(source, options);
    const found = describe(adapter, owner, source, reason, name);
    tried.push({ source, outcome: `found ${found.name}` });
    return found;
  } catch (error) {
    tried.push({ source, outcome: (error as Error).message });
    return undefined;
  }
}

async function request(
  source: AdapterSource,
  options: string[],
): Promise<{ owner: GPU; adapter: GPUAdapter }> {
  const dawn = await loadDawn();
  return withDrivers(driversOf(source), async () => {
    const owner = dawn.create(options);
    const adapter = await owner.requestAdapter({ powerPreference: "high-performance" });
    if (adapter === null) throw new NoAdapterError("there is no adapter that Dawn can use");
    return { owner, adapter };
  });
}

/**
 * The names of a source's adapters. Dawn has no call for that; asked for a name that cannot be, it lists those there
 * are: ` * backend: 'vulkan', name: 'llvmpipe (LLVM 15.0.6, 256 bits)'`.
 */
async function namesAt(source: AdapterSource, tried: Attempt[]): Promise<string[]> {
  try {
    await request(source, ["adapter=\u0000"]);
    return [];
  } catch (error) {
    const { message } = error as Error;
    const names = [...message.matchAll(/backend: '[^']*', name: '(.*)'/g)].map(
      (match) => match[1]!,
    );
    if (names.length === 0) tried.push({ source, outcome: message });
    return names;
  }
}

/** The driver file that a source needs; undefined leaves the choice to the system. */
function driversOf(source: AdapterSource): string | undefined {
  if (source === "system") return undefined;
  if (source === "lavapipe") {
    const driver = findLavapipe();
    if (driver === undefined) throw new NoAdapterError("lavapipe is not installed");
    return driver;
  }
  const { loader, driver } = unpackEmbeddedAdapter();
  preloadVulkanLoader(loader);
  return driver;
}

/** Dawn reads these variables when it is asked for its first adapter, so they are set for no longer than that. */
async function withDrivers<T>(driver: string | undefined, action: () => Promise<T>): Promise<T> {
  if (driver === undefined) return action();
  const before = DRIVER_VARIABLES.map((name) => [name, process.env[name]] as const);
  for (const name of DRIVER_VARIABLES) process.env[name] = driver;
  try {
    return await action();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

function describe(
  adapter: GPUAdapter,
  owner: GPU,
  source: AdapterSource,
  reason: string,
  name: string | undefined,
): NodeAdapter {
  const { description, device, isFallbackAdapter } = adapter.info;
  const found: NodeAdapter = {
    adapter,
    owner,
    source,
    reason,
    name: name ?? (description || device),
    software: isFallbackAdapter,
  };
  const mesa = mesaVersion(description);
  if (found.software && mesa !== undefined && mesa < OLDEST_MESA) {
    throw new NoAdapterError(`lavapipe is Mesa ${mesa}, and Dawn needs ${OLDEST_MESA} or later`);
  }
  return found;
}

function isLavapipe({ adapter }: FoundAdapter): boolean {
  return (
    /llvmpipe/i.test(adapter.info.description) &&
    mesaVersion(adapter.info.description) !== undefined
  );
}

async function loadDawn(): Promise<Dawn> {
  try {
    return await import("webgpu");
  } catch (error) {
    throw new NoAdapterError(
      `the package \`webgpu\` does not load on ${process.platform} ${process.arch}: ${(error as Error).message}`,
    );
  }
}

function noAdapter(wish: string, tried: readonly Attempt[]): NoAdapterError {
  const lines = tried.map(({ source, outcome }) => `${source}: ${outcome}`);
  return new NoAdapterError(
    `no GPU adapter for \`${wish}\`.\n  ${lines.join("\n  ")}\n` +
      "Install your GPU's Vulkan driver, or Mesa's lavapipe (Debian and Ubuntu: mesa-vulkan-drivers " +
      `${OLDEST_MESA} or later); \`netc doctor\` says more.`,
    lines,
  );
}
