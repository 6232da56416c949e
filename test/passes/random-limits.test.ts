/**
 * Random networks compiled for small limits: whatever a step binds or dispatches fits, or a
 * diagnostic says at a line why not.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { checkLimits } from "../../compiler/limits.js";
import { bindableBytes, DEFAULT_LIMITS, type DeviceLimits } from "../../program/limits.js";
import { bufferBytes } from "../../program/planned-memory.js";
import { stepsFor, type Program } from "../../program/program.js";
import { largestSlice } from "../../program/slices.js";

const channels = fc.integer({ min: 1, max: 6 }).map((count) => 8 * count);
const groups = fc.constantFrom(1, 1, 2, 4);

const layer = fc.oneof(
  fc
    .record({ channels, groups, kernel: fc.constantFrom(1, 3), stride: fc.constantFrom(1, 1, 2) })
    .map((own) => {
      const padding = own.kernel === 3 ? ", padding=1" : "";
      return (
        `conv(${own.channels}, kernel=${own.kernel}${padding}, ` +
        `stride=${own.stride}, groups=${own.groups})`
      );
    }),
  fc
    .record({ channels, groups })
    .map((own) => `conv_transpose(${own.channels}, kernel=2, stride=2, groups=${own.groups})`),
  fc.constantFrom("relu", "batchnorm", "silu", "dropout(0.3)", "maxpool(3, stride=1, padding=1)"),
  fc.constantFrom("layernorm", "avgpool(3, stride=1, padding=1)", "lrn(5)"),
);

const optimizer = fc.constantFrom(
  "sgd(lr=0.1, momentum=0.9)",
  "adam(lr=1e-3)",
  "adamw(lr=1e-3)\n  clip_norm = 1",
  "sgd(lr=0.1)\n  precision = f16",
  "sgd(lr=0.1)\n  average = ema(0.99)",
);

const spec = fc
  .record({
    layers: fc.array(layer, { minLength: 1, maxLength: 5 }),
    hidden: fc.integer({ min: 1, max: 300 }),
    optimizer,
    size: fc.constantFrom(6, 9, 16),
  })
  .map(
    ({ layers, hidden, optimizer, size }) => `model Random {
  input image: f32[N, 8, ${size}, ${size}]
  target label: u32[N] in 0..10
  ${layers.join(" -> ")} -> flatten -> linear(${hidden}) -> relu -> linear(10) as logits
  loss cross_entropy(logits, label)
}
train Base of Random {
  epochs = 1
  batch = 8
  optimizer = ${optimizer}
}
`,
  );

const smallLimits = fc
  .record({
    bytes: fc.integer({ min: 2_000, max: 300_000 }),
    planes: fc.integer({ min: 2, max: 9 }),
  })
  .map(({ bytes, planes }): DeviceLimits => ({
    ...DEFAULT_LIMITS,
    maxStorageBufferBindingSize: bytes,
    maxBufferSize: 2 * bytes,
    maxComputeWorkgroupsPerDimension: planes,
  }));

const target = fc.constantFrom("gpu" as const, "software" as const);

const BATCH = 8;

/** What does not fit, in words. */
function excessesOf(program: Program, limits: DeviceLimits): readonly string[] {
  const most = bindableBytes(limits);
  const slice = largestSlice(program.buffers, BATCH, most);
  if (slice < 1) return ["a single image does not fit"];
  return Object.values(program.steps).flatMap((steps) =>
    stepsFor(steps, slice).flatMap(({ label, buffers, workgroups }) => [
      ...buffers
        .map((index) => program.buffers[index]!)
        .filter(({ bytes }) => bufferBytes(bytes, slice) > most)
        .map(({ name }) => `${label} binds ${name}`),
      ...(workgroups.z > limits.maxComputeWorkgroupsPerDimension
        ? [`${label} dispatches ${workgroups.z}`]
        : []),
    ]),
  );
}

test("every binding of every program fits, or it is said at a line why not", () => {
  const seen = { fitting: 0, split: 0, refused: 0 };
  fc.assert(
    fc.property(spec, smallLimits, target, (text, limits, target) => {
      const options = { file: "random.net", limits, target };
      const { compiled, programs, diagnostics } = compile(text, options);
      expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
      const refusals = checkLimits(compiled, BATCH, limits).filter(
        ({ severity }) => severity === "error",
      );
      const excesses = programs.flatMap((program) => excessesOf(program, limits));
      expect(refusals.length > 0, `${excesses.join("; ")}\n${text}`).toBe(excesses.length > 0);
      for (const { primary, message } of refusals) {
        expect(primary.span.start.line).toBeGreaterThan(1);
        expect(message).toMatch(/\d/);
      }
      const isSplit = programs.some(({ parameters }) =>
        parameters.some(({ pieces }) => pieces.length > 1),
      );
      if (refusals.length > 0) seen.refused++;
      else if (isSplit) seen.split++;
      else seen.fitting++;
    }),
    { numRuns: process.env["NETC_TEST_FULL"] ? 400 : 20, seed: 11, endOnFailure: true },
  );
  // The property means something only if all three happen.
  expect(Math.min(...Object.values(seen)), JSON.stringify(seen)).toBeGreaterThan(2);
}, 600_000);
