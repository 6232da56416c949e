import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { checkLimits } from "../../compiler/limits.js";
import { DEFAULT_LIMITS, type DeviceLimits } from "../../program/limits.js";

const folder = join(import.meta.dirname, "../../specs");
const specs = readdirSync(folder).filter((name) => name.endsWith(".net"));

function check(spec: string, batch: number, limits: Partial<DeviceLimits> = {}): string[] {
  const text = readFileSync(join(folder, spec), "utf8");
  const { traces } = compile(text, { file: spec });
  return checkLimits(traces, batch, { ...DEFAULT_LIMITS, ...limits }).map(
    ({ code, message, notes }) => [code, message, ...notes].join("; "),
  );
}

test.each(specs)("%s keeps to the default limits, a few images at a time", (spec) => {
  const errors = check(spec, 2).filter((found) => !found.startsWith("NET4001"));
  expect(errors).toEqual([]);
});

const SHARDS = "a storage binding holds 128 MiB at most; it is sharded into";

test("the weights of AlexNet's and VGG's fc6 are sharded", () => {
  expect(check("alexnet.net", 1)).toEqual([
    `NET4001; \`classifier.fc6.weight\` takes 144 MiB, and ${SHARDS} 2 buffers over output channels; nothing is left to do`,
  ]);
  expect(check("vgg16.net", 1)[0]).toContain("takes 392 MiB");
});

test("the batch of 2012 comes in slices", () => {
  const [conv1] = check("alexnet-2012.net", 128);
  expect(conv1).toMatch(/^NET4002; `features.\w+` takes 1\d\d MiB at a batch of 128, /);
  expect(conv1).toContain("the batch comes in 2 slices of up to 64 images");
});

test("where a device grants less than a kernel needs, nothing can be done", () => {
  const [error] = check("digits.net", 1, { maxStorageBuffersPerShaderStage: 3 });
  expect(error).toMatch(/^NET4004; .* needs \d storage buffers, and the limit is 3$/);
  const shards = check("alexnet.net", 1, { maxStorageBufferBindingSize: 64 * 1024 * 1024 });
  expect(shards.some((found) => found.startsWith("NET4003; `classifier.fc6.weight`"))).toBe(true);
});
