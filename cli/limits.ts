/** The limits that a spec is checked against. */
import { DEFAULT_LIMITS, type DeviceLimits } from "../program/limits.js";
import { describeReadError, readText } from "../runtime/node/read-file.js";
import { wrongInput } from "./failure.js";

const names = Object.keys(DEFAULT_LIMITS) as (keyof DeviceLimits)[];

/**
 * `default`: WebGPU's; `adapter`: those of the adapter that networks would run on; else a JSON file
 * of limits by WebGPU's names.
 */
export async function readLimits(wish: string, adapter: string): Promise<DeviceLimits> {
  if (wish === "default") return DEFAULT_LIMITS;
  return wish === "adapter" ? limitsOfAdapter(adapter) : limitsOfFile(wish);
}

async function limitsOfAdapter(wish: string): Promise<DeviceLimits> {
  // Loaded here: a check against other limits should not wait for Dawn.
  const { findAdapter } = await import("../runtime/node/adapters.js");
  const { limits } = (await findAdapter(wish)).adapter;
  const entries = names.map((name) => [name, limits[name]] as const);
  return Object.fromEntries(entries) as Record<keyof DeviceLimits, number>;
}

/** Limits that the file leaves out are WebGPU's. */
async function limitsOfFile(path: string): Promise<DeviceLimits> {
  const given = await readJson(path);
  for (const [name, value] of Object.entries(given)) {
    if (!(names as string[]).includes(name)) {
      throw wrongInput(`${path}: there is no limit \`${name}\``, `known are ${names.join(", ")}`);
    }
    if (!Number.isSafeInteger(value) || Number(value) < 1) {
      throw wrongInput(`${path}: \`${name}\` is ${JSON.stringify(value)}, not a whole number`);
    }
  }
  return { ...DEFAULT_LIMITS, ...given };
}

async function readJson(path: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readText(path).catch((error: NodeJS.ErrnoException) => {
    throw wrongInput(
      `cannot read limits: ${describeReadError(path, error)}`,
      "`--limits` takes `default`, `adapter` or a JSON file",
    );
  });
  try {
    const value: unknown = JSON.parse(text);
    if (value instanceof Object && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw wrongInput(
    `${path} is not a JSON object of limits`,
    'write, for instance, { "maxStorageBufferBindingSize": 268435456 }',
  );
}
