/**
 * `verifyInBrowser` and the page of `netc verify --page`, in Chromium: right kernels, wrong ones, a
 * driver that goes wrong after the first run, and modules that do not belong to the spec.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Verification } from "../../workbench/verify/in-browser.js";
import { runNetc } from "../cli/netc.js";
import { chromiumPath, launchChromium } from "./chromium.js";
import { addressOf, serve } from "./server.js";

const root = join(import.meta.dirname, "../..");

/** Convolution, batch normalization, pooling, preparation from bytes, an import, and training. */
const SPEC = `import { gate } from "blocks/gate.net"

model Shapes {
  input  image: f32[N, 1, 8, 8]
  target label: u32[N] in 0..3
  conv(4, kernel=3, padding=1) as first -> batchnorm -> gate -> maxpool(2)
  flatten -> linear(3) as logits
  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
}
data Drawings for Shapes {
  train folder("drawings") { resize(8) -> center_crop(8) -> normalize(mean=0.5, std=0.5) }
  eval folder("drawings") { resize(8) -> center_crop(8) -> normalize(mean=0.5, std=0.5) }
}
train Base of Shapes on Drawings {
  epochs    = 1
  batch     = 2
  optimizer = sgd(lr=0.1)
}
`;
const GATE = "block gate() { relu }\n";

/** Few layers, for what does not depend on them. */
const SMALL = `import { gate } from "blocks/gate.net"

model Small {
  input  image: f32[N, 1, 8, 8]
  target label: u32[N] in 0..3
  gate
  maxpool(2)
  flatten -> linear(3) as logits
  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
}
train Base of Small {
  epochs    = 1
  batch     = 2
  optimizer = sgd(lr=0.1)
}
`;

/** Of the driver: every kernel with a maximum has a minimum in its place. */
const WRONG_KERNEL = `
  const create = GPUDevice.prototype.createShaderModule;
  GPUDevice.prototype.createShaderModule = function (descriptor) {
    const code = descriptor.code.replaceAll("candidate > winner", "candidate < winner");
    return create.call(this, { ...descriptor, code });
  };`;

/** Of the driver: from the third long pass on, the last kernel of a pass does not run. */
const WRONG_LATER = `
  let passes = 0;
  const begin = GPUCommandEncoder.prototype.beginComputePass;
  GPUCommandEncoder.prototype.beginComputePass = function (...given) {
    const pass = begin.apply(this, given);
    const calls = [];
    const dispatch = pass.dispatchWorkgroups.bind(pass);
    const [pipeline, group, end] = ["setPipeline", "setBindGroup", "end"].map((name) =>
      pass[name].bind(pass));
    let state = {};
    pass.setPipeline = (one) => (state = { ...state, pipeline: one });
    pass.setBindGroup = (...one) => (state = { ...state, group: one });
    pass.dispatchWorkgroups = (...size) => calls.push({ ...state, size });
    pass.end = () => {
      if (calls.length > 3 && ++passes > 2) calls.pop();
      for (const each of calls) {
        pipeline(each.pipeline);
        group(...each.group);
        dispatch(...each.size);
      }
      end();
    };
    return pass;
  };`;

describe.skipIf(!chromiumPath)("checks of kernels in Chromium", () => {
  let folder: string;
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    mkdirSync(join(root, ".cache"), { recursive: true });
    folder = mkdtempSync(join(root, ".cache", "verify-"));
    mkdirSync(join(folder, "blocks"));
    writeFileSync(join(folder, "shapes.net"), SPEC);
    writeFileSync(join(folder, "small.net"), SMALL);
    writeFileSync(join(folder, "blocks", "gate.net"), GATE);
    const spec = join(folder, "shapes.net");
    await runNetc(["compile", spec]);
    await runNetc(["compile", join(folder, "small.net")]);
    const args = ["verify", spec, "--page", join(folder, "verify.html")];
    console.log((await runNetc(args)).split("\n")[0]);
    server = await serve({ dist: join(root, "dist"), modules: folder });
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The text of the page once it has its result, on a driver with a fault. */
  async function open(verdict: string, fault = ""): Promise<string> {
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
    try {
      if (fault !== "") await page.addInitScript(fault);
      await page.goto(`${addressOf(server)}/modules/verify.html`);
      // The page allows no `eval`, which `waitForFunction` needs.
      await page.waitForSelector("html[data-verdict]:not([data-verdict=running])", {
        timeout: 100_000,
      });
      const text = await page.evaluate<string>("document.body.innerText");
      expect([await page.evaluate("document.documentElement.dataset.verdict"), text]).toEqual([
        verdict,
        text,
      ]);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
      return text;
    } finally {
      await page.close();
    }
  }

  test("the page finds right kernels right, and says where it runs", async () => {
    const text = await open("right");
    expect(text).toMatch(/right: Shapes, batch 2: \d+ kernels, [\d,]+ values compared/);
    expect(text).toMatch(/runs on the CPU\s+yes/);
    expect(text).toContain("first forward");
    expect(text).toContain("predict, call 3 of 3");
    expect(text).not.toContain("What differs");
  });

  test("the page names a wrong kernel with its line and its values", async () => {
    const text = await open("wrong", WRONG_KERNEL);
    expect(text).toContain("What differs");
    expect(text).toMatch(/shapes\.net:6: \S*maxpool\S* forward \(train, round 1\)/);
    expect(text).toMatch(/\] is \S+, expected \S+ to within/);
    expect(text).toMatch(/computed by \S*max_pool/);
    expect(text).toContain("wrong in round 1, 2");
    // What comes after it was computed from the same wrong values, and is right.
    expect(text).toMatch(/logits forward\s.*right/);
  });

  test("the page finds a driver that is right in the first calls only", async () => {
    const text = await open("wrong", WRONG_LATER);
    expect(text).toMatch(/(step|evaluate|predict), call [23] of 3 \(round 1\)/);
    expect(text).toContain("in one submission differ from the same kernels one at a time");
  });

  describe("the function", () => {
    let page: Page;
    beforeAll(async () => {
      page = await browser.newPage();
      await page.goto(`${addressOf(server)}/`);
    });
    afterAll(() => page.close());

    const verify = (programs: string, options: string) =>
      page.evaluate<Verification | string>(`(async () => {
        const { verifyInBrowser } = await import("netc/verify");
        const small = await import("/modules/small.js");
        const text = async (name) => (await fetch("/modules/" + name)).text();
        const given = { spec: await text("small.net"), file: "small.net",
          imports: { "blocks/gate.net": await text("blocks/gate.net") }, rounds: 1 };
        const module = { programs: ${programs} };
        return verifyInBrowser(module, { ...given, ${options} }).catch(String);
      })()`);

    test("checks the kernels of the module itself", async () => {
      const planted = `small.programs.map((program) => ({ ...program, kernels:
        program.kernels.map((kernel) => ({ ...kernel,
          wgsl: kernel.wgsl.replaceAll("max(winner, candidate)", "candidate") })) }))`;
      const wrong = (await verify(planted, "")) as Verification;
      expect(wrong).toMatchObject({ ok: false, model: "Small", batch: 2, rounds: 1 });
      expect(wrong.first).toMatchObject({ list: "train", line: 7 });
      expect(wrong.checks.filter(({ deviation }) => !deviation).length).toBeGreaterThan(20);
    });

    test("refuses a module of another spec, other settings, and a missing import", async () => {
      const other = 'spec: given.spec.replace("linear(3)", "linear(3, bias=false)")';
      expect(await verify("small.programs", other)).toContain("from another text than this spec");
      const slices = "small.programs.map((program) => ({ ...program, slice: 1 }))";
      expect(await verify(slices, "")).toContain("with other settings");
      expect(await verify("small.programs", "imports: {}")).toContain("blocks/gate.net");
    });
  });
});
