import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { findAdapter } from "../../runtime/node/adapters.js";
import { adapterWithHalves } from "../adapters.js";

const folder = join(import.meta.dirname, "../../specs");

const full = process.env.NETC_TEST_FULL === "1";

/**
 * Every kernel of every spec, or in short runs of a third of them, for adapters of all kinds, those
 * that are not here among them.
 */
function kernelsOfAllSpecs(): Map<string, string> {
  const files = readdirSync(folder).filter((file) => file.endsWith(".net"));
  const chosen = files.filter((_, index) => full || index % 3 === 0);
  const programs = chosen.flatMap(
    (file) => compile(readFileSync(join(folder, file), "utf8"), { file }).programs,
  );
  return new Map(
    programs.flatMap(({ target, kernels }) =>
      kernels.map(({ name, wgsl }) => [wgsl, `${name} for ${target}`]),
    ),
  );
}

/**
 * Specs with convolutions, pools, dropout and batch normalization, whose recipes ask for mixed
 * precision.
 */
function halfKernels(): Map<string, string> {
  const programs = ["alexnet", "cifar10-vgg"].flatMap((name) => {
    const text = readFileSync(join(folder, `${name}.net`), "utf8");
    const source = text.replaceAll(/^train .*\{$/gm, "$&\n  precision = f16");
    return compile(source, { file: `${name}.net`, target: "gpu" }).programs;
  });
  return new Map(
    programs.flatMap(({ precision, kernels }) =>
      precision ? kernels.map(({ name, wgsl }) => [wgsl, name]) : [],
    ),
  );
}

const found = await adapterWithHalves();

test.skipIf(!found)("kernels of mixed precision are valid WGSL", async () => {
  const requiredFeatures: GPUFeatureName[] = ["subgroups", "shader-f16"];
  const device = await found!.adapter.requestDevice({ requiredFeatures });
  try {
    const kernels = halfKernels();
    const stored = [...kernels.keys()].filter((code) => code.includes("enable f16;"));
    expect(stored.length).toBeGreaterThan(40);
    for (const [code, name] of kernels) {
      const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
      const errors = messages.filter(({ type }) => type === "error");
      expect(
        errors.map(({ lineNum, message }) => `${lineNum}: ${message}`),
        name,
      ).toEqual([]);
    }
  } finally {
    device.destroy();
  }
});

test("the kernels of all specs are valid WGSL on every target", async () => {
  const { adapter } = await findAdapter(process.env.NETC_ADAPTER);
  const device = await adapter.requestDevice({ requiredFeatures: ["subgroups"] });
  try {
    const kernels = kernelsOfAllSpecs();
    expect(kernels.size).toBeGreaterThan(100);
    for (const [code, name] of kernels) {
      const { messages } = await device.createShaderModule({ code }).getCompilationInfo();
      const errors = messages.filter(({ type }) => type === "error");
      expect(
        errors.map(({ lineNum, message }) => `${lineNum}: ${message}`),
        name,
      ).toEqual([]);
    }
  } finally {
    device.destroy();
  }
});
