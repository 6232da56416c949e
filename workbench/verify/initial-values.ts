/**
 * How parameters start: the counter-based generator on the CPU (the WGSL twin is
 * kernels/initialize.ts).
 */
import type { Initializer } from "../../program/program.js";
import { threefry, toUnit } from "../../program/random.js";

/** The value of a parameter's element, by its index in PyTorch's order. */
export function initialValue(
  initializer: Initializer,
  { seed, stream, index }: Readonly<Record<"seed" | "stream" | "index", number>>,
): number {
  const { zeros } = initializer;
  if (zeros && index >= zeros.first && index < zeros.first + zeros.count) return 0;
  if (initializer.kind === "constant") return initializer.value;
  const [x, y] = threefry(seed, stream, index, 0xffffffff).map(toUnit) as [number, number];
  if (initializer.kind === "uniform") {
    return initializer.low + (initializer.high - initializer.low) * x;
  }
  const radius = Math.sqrt(-2 * Math.log(1 - x));
  return initializer.mean + initializer.deviation * radius * Math.cos(2 * Math.PI * y);
}

/**
 * How far a kernel's value may be off. WGSL grants the cosine an absolute error of 2^-11, and the
 * radius is at most 6.
 */
export function initialTolerance(initializer: Initializer): number {
  switch (initializer.kind) {
    case "constant":
      return 1e-6 * Math.abs(initializer.value) + 1e-30;
    case "uniform":
      return 1e-6 * Math.max(Math.abs(initializer.low), Math.abs(initializer.high));
    case "normal":
      return 6 * 2 ** -11 * initializer.deviation + 1e-6 * Math.abs(initializer.mean);
  }
}
