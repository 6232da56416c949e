/** Flags that several commands share, and the checks of their values. */
import { InvalidArgumentError, Option } from "commander";
import type { MemoryWish } from "../compiler/index.js";

/** A count of at least 1. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError("Expected a whole number of at least 1.");
  }
  return value;
}

/** A count that may be 0. */
export function nonNegativeInteger(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 0) {
    throw new InvalidArgumentError("Expected a whole number of at least 0.");
  }
  return value;
}

const SCALES: ReadonlyMap<string, number> = new Map([
  ...([
    ["b", 1],
    ["kb", 1e3],
    ["mb", 1e6],
    ["gb", 1e9],
  ] as const),
  ...([
    ["kib", 1024],
    ["mib", 1024 ** 2],
    ["gib", 1024 ** 3],
  ] as const),
]);

/** Bytes: `512MiB`, `1.5 GB`. */
export function byteSize(text: string): number {
  const [, amount, unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(text) ?? [];
  const scale = SCALES.get(unit.toLowerCase());
  if (amount === undefined || scale === undefined || Number(amount) === 0) {
    throw new InvalidArgumentError("Expected a size with its unit, such as 512MiB or 2GB.");
  }
  return Math.floor(Number(amount) * scale);
}

/** `--memory` for the batch that `--batch` says, or else the recipe's. */
export function memoryWish({
  memory,
  batch,
}: {
  readonly memory?: number;
  readonly batch?: number;
}): MemoryWish | undefined {
  return memory === undefined ? undefined : { bytes: memory, batch };
}

/** A seed: a whole number of 32 bits. */
export function seedValue(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new InvalidArgumentError("Expected a whole number from 0 to 4294967295.");
  }
  return value;
}

/** A part of a whole. */
export function shareValue(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError("Expected a number from 0 to 1.");
  }
  return value;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError("Expected a number greater than 0.");
  }
  return value;
}

export interface AdapterOptions {
  readonly adapter: string;
}

/** `--adapter`, where a GPU is used. */
export function adapterOption(): Option {
  return new Option(
    "--adapter <name>",
    "the GPU: auto, embedded, lavapipe, or part of an adapter's name (`netc doctor` lists them)",
  )
    .env("NETC_ADAPTER")
    .default("auto");
}

export function jsonOption(): Option {
  return new Option("--json", "one JSON document on stdout, everything else on stderr");
}
