/** Which GPU is used in Node, where Dawn replaces the browser's `navigator.gpu`. */
import { adapterName, isSoftware, type FoundAdapter } from "../device.js";
import { NoAdapterError } from "../errors.js";
import { adapterNames, requestAdapter, type AdapterSource } from "./dawn.js";
import { mesaVersion, OLDEST_MESA } from "./drivers.js";

/** The adapter that netc chose in Node, and why. */
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

const SOURCES: readonly AdapterSource[] = ["system", "lavapipe", "embedded"];

/**
 * The adapter for a wish: `auto`, `system`, `lavapipe`, `embedded`, or part of a name. Without one,
 * NETC_ADAPTER's, else `auto`. Throws NoAdapterError with all that was tried.
 */
export async function findAdapter(wish?: string): Promise<NodeAdapter> {
  const name = wishedAdapter(wish);
  const tried: Attempt[] = [];
  const found = await search(name, tried);
  if (found === undefined) throw noAdapter(name, tried);
  return found;
}

/** What is asked for when the user says nothing, or this. */
export function wishedAdapter(wish?: string): string {
  return (wish ?? process.env["NETC_ADAPTER"]) || "auto";
}

/** Every adapter there is. Notes in `tried` what was looked at. */
export async function listAdapters(tried: Attempt[]): Promise<NodeAdapter[]> {
  const found = new Map<string, NodeAdapter>();
  for (const source of SOURCES) {
    for (const name of await namesAt(source, tried)) {
      const adapter = await open(source, { name, reason: "it is there" }, tried);
      if (adapter !== undefined && !found.has(name)) found.set(name, adapter);
    }
  }
  return [...found.values()];
}

function search(wish: string, tried: Attempt[]): Promise<NodeAdapter | undefined> {
  if (wish === "auto") return findBest(tried);
  const source = SOURCES.find((each) => each === wish);
  return source
    ? open(source, { reason: `\`${wish}\` was asked for` }, tried)
    : findByName(wish, tried);
}

/** Hardware before lavapipe before the embedded adapter before any other software. */
async function findBest(tried: Attempt[]): Promise<NodeAdapter | undefined> {
  const lavapipe = "there is no hardware adapter, and lavapipe is the fastest software";
  const embedded = "there is neither a hardware adapter nor lavapipe";
  const system = await open("system", { reason: "it is hardware" }, tried);
  if (system !== undefined && !system.software) return system;
  if (system !== undefined && isLavapipe(system)) return { ...system, reason: lavapipe };
  return (
    (await open("lavapipe", { reason: lavapipe }, tried)) ??
    (await open("embedded", { reason: embedded }, tried)) ??
    (system && { ...system, reason: "there is no other" })
  );
}

async function findByName(wish: string, tried: Attempt[]): Promise<NodeAdapter | undefined> {
  for (const source of SOURCES) {
    const names = await namesAt(source, tried);
    const name = names.find((candidate) => candidate.toLowerCase().includes(wish.toLowerCase()));
    if (name !== undefined) {
      return open(source, { name, reason: `its name contains \`${wish}\`` }, tried);
    }
  }
  return undefined;
}

interface OpenOptions {
  /** The adapter of exactly this name; otherwise the one that Dawn prefers. */
  readonly name?: string;
  readonly reason: string;
}

/** Asks a source for an adapter, and notes what came of it. */
async function open(
  source: AdapterSource,
  { name, reason }: OpenOptions,
  tried: Attempt[],
): Promise<NodeAdapter | undefined> {
  try {
    const adapter = await requestAdapter(source, name);
    assertRecent(adapter.info);
    const software = isSoftware(adapter.info);
    const shown = name ?? adapterName(adapter.info);
    tried.push({ source, outcome: `found ${shown}` });
    return { adapter, source, reason, name: shown, software };
  } catch (error) {
    tried.push({ source, outcome: (error as Error).message });
    return undefined;
  }
}

async function namesAt(source: AdapterSource, tried: Attempt[]): Promise<string[]> {
  try {
    const names = await adapterNames(source);
    tried.push({ source, outcome: `has ${names.join(", ")}` });
    return names;
  } catch (error) {
    tried.push({ source, outcome: (error as Error).message });
    return [];
  }
}

function assertRecent({ description, isFallbackAdapter }: GPUAdapterInfo): void {
  const mesa = mesaVersion(description);
  if (isFallbackAdapter && mesa !== undefined && mesa < OLDEST_MESA) {
    throw new NoAdapterError(`lavapipe is Mesa ${mesa}, and Dawn needs ${OLDEST_MESA} or later`);
  }
}

function isLavapipe({ adapter }: FoundAdapter): boolean {
  return /llvmpipe/i.test(adapter.info.description);
}

function noAdapter(wish: string, tried: readonly Attempt[]): NoAdapterError {
  const lines = tried.map(({ source, outcome }) => `${source}: ${outcome}`);
  const triedEmbedded = tried.some(({ source }) => source === "embedded");
  return new NoAdapterError(
    `no GPU adapter for \`${wish}\`\n  ${lines.join("\n  ")}\n` +
      "Install your GPU's Vulkan driver, or Mesa's lavapipe " +
      "(Debian and Ubuntu: mesa-vulkan-drivers " +
      `${OLDEST_MESA} or later)${triedEmbedded ? "" : ", or choose `embedded`"}; ` +
      `\`netc doctor\` says more.`,
    lines,
  );
}
