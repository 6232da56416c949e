/** Flags that several commands share, and the checks of their values. */
import { InvalidArgumentError, Option } from "commander";

/** A count of at least 1. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError("Expected a whole number of at least 1.");
  }
  return value;
}

/** A seed: a whole number of 32 bits. */
export function seedValue(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new InvalidArgumentError("Expected a whole number from 0 to 4294967295.");
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
