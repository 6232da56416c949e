import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { checkLimits } from "../../compiler/limits.js";
import { normalizesByBatch } from "../../program/statistics.js";
import { DEFAULT_LIMITS, type DeviceLimits } from "../../program/limits.js";

const folder = join(import.meta.dirname, "../../specs");

function check(spec: string, batch: number, limits: Partial<DeviceLimits> = {}): string[] {
  const text = readFileSync(join(folder, spec), "utf8");
  const { compiled } = compile(text, { file: spec });
  return checkLimits(compiled, batch, { ...DEFAULT_LIMITS, ...limits }).map(
    ({ code, message, notes }) => [code, message, ...notes].join("; "),
  );
}

const SHARDS = "a storage binding holds 128 MiB at most; it is sharded into";

test("the weights of AlexNet's and VGG's fc6 are sharded", () => {
  expect(check("alexnet.net", 1)).toEqual([
    `NET4001; \`classifier.fc6.weight\` takes 144 MiB, ` +
      `and ${SHARDS} 2 buffers over output channels; no change is needed`,
  ]);
  expect(check("vgg16.net", 1)[0]).toContain("takes 392 MiB");
});

test("the batch of 2012 is split into slices", () => {
  const [conv1] = check("alexnet-2012.net", 128);
  expect(conv1).toMatch(/^NET4002; `features.\w+` takes 1\d\d MiB at a batch of 128, /);
  expect(conv1).toContain("netc splits the batch into 2 slices of up to 64 images");
});

test("slices are said to change batch normalization where training moves its statistics", () => {
  const text = readFileSync(join(folder, "errors/NET4002/spec.net"), "utf8");
  const noteOf = (source: string) => {
    const { compiled, programs } = compile(source, { file: "tall.net" });
    const [found] = checkLimits(compiled, 64, DEFAULT_LIMITS);
    expect(found?.code).toBe("NET4002");
    const isSaid = found!.notes.includes("batch normalization takes the statistics of each slice");
    return [isSaid, normalizesByBatch(programs[0]!.parameters)];
  };
  expect(noteOf(text)).toEqual([true, true]);
  const kept = text.replace("epochs ", "freeze_statistics = [kind(batchnorm)]\n  epochs ");
  expect(noteOf(kept)).toEqual([false, false]);
  const layers = "conv(64, kernel=3, padding=1) -> relu -> global_avgpool -> flatten -> linear(10)";
  const teacher = `model Student {
    input image: f32[N, 3, 112, 112]
    target label: u32[N] in 0..10
    teacher { conv(64, kernel=3, padding=1) -> batchnorm -> ${layers} as logits }
    from image -> ${layers} as logits
    loss cross_entropy(logits, label) + kl(logits, teacher.logits)
  }
  train Base of Student {
    teacher   = load("t.safetensors", into=teacher)
    epochs    = 1
    batch     = 64
    optimizer = sgd(lr=0.1)
  }`;
  expect(noteOf(teacher)).toEqual([false, false]);
});

test("where a device grants less than a kernel needs, nothing can be done", () => {
  const [error] = check("digits.net", 1, { maxStorageBuffersPerShaderStage: 3 });
  expect(error).toMatch(/^NET4004; .* needs \d storage buffers, and the limit is 3$/);
  const shards = check("alexnet.net", 1, { maxStorageBufferBindingSize: 64 * 1024 * 1024 });
  expect(shards.some((found) => found.startsWith("NET4003; `classifier.fc6.weight`"))).toBe(true);
});

/**
 * A model of three classes, its metric written before its loss, at the default limits and a single
 * image.
 */
function checkModel(input: string, layers: string): string[] {
  const text = `model M {
  input image: f32[N, ${input}]
  target label: u32[N] in 0..3
  ${layers} as logits
  metric top1 = accuracy(logits, label)
  loss cross_entropy(logits, label)
}
`;
  const { compiled, programs } = compile(text, { file: "m.net", target: "gpu" });
  expect(programs[0]!.metrics).toEqual(["loss", "top1"]);
  return checkLimits(compiled, 1, DEFAULT_LIMITS).map(
    ({ code, message, notes, primary }) =>
      `${code} line ${primary.span.start.line}: ${[message, ...notes].join("; ")}`,
  );
}

const HOLDS = "and a storage binding holds 128 MiB at most";

test.each([
  {
    input: "3, 8, 8",
    layers:
      "conv(1024, kernel=3) -> conv(4096, kernel=3) -> global_avgpool -> flatten -> linear(3)",
    found: [
      `NET4001 line 4: \`conv2.weight\` takes 144 MiB, ${HOLDS}; ` +
        "it is sharded into 2 buffers over output channels; no change is needed",
    ],
  },
  {
    input: "3, 4, 4",
    layers:
      "conv(4096, kernel=1) -> conv(8192, kernel=3, " +
      "groups=2) -> global_avgpool -> flatten -> linear(3)",
    found: [
      `NET4001 line 4: \`conv2.weight\` takes 576 MiB, ${HOLDS}; ` +
        "it is sharded into 6 buffers over groups and output channels; no change is needed",
    ],
  },
  {
    input: "3, 1500, 1500",
    layers: "flatten -> linear(3)",
    found: [
      `NET4003 line 4: \`logits.weight\` takes 137 MiB, ${HOLDS}; ` +
        "a shard holds 4 output channels at least: 4 x 9000000 values of 4 bytes take 137 MiB",
    ],
  },
  {
    input: "3, 4096, 4096",
    layers: "conv(16, kernel=3, padding=1) -> global_avgpool -> flatten -> linear(3)",
    found: [`NET4003 line 4: \`conv1\` takes 1.0 GiB for a single image, ${HOLDS}`],
  },
  {
    input: "6, 8, 8",
    layers:
      "conv(15006, kernel=1) -> conv(15006, kernel=1, " +
      "groups=3) -> global_avgpool -> flatten -> linear(3)",
    found: [
      `NET4003 line 4: \`conv2.weight\` takes 286 MiB, ${HOLDS}; ` +
        "15006 x 5002 x 1 x 1 values of 4 bytes in one buffer: " +
        "weights of channels of a group that are not a multiple of 4 are not sharded",
    ],
  },
  // More features than a dispatch has workgroups in z.
  {
    input: "3, 512, 512",
    layers: "conv(8, kernel=3, padding=1) -> flatten -> linear(3)",
    found: [],
  },
])("$layers of $input runs, or it is said why not", ({ input, layers, found }) => {
  expect(checkModel(input, layers)).toEqual(found);
});
