import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NoAdapterError } from "../../runtime/errors.js";
import { doctor, findAdapter } from "../../runtime/index.js";

const embeddedOnly = process.platform === "linux" && process.arch === "x64";
const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);

/** The runtime as one module, for separate processes whose end can be watched. */
let folder: string;
beforeAll(async () => {
  // Inside the checkout, so that the packages are found.
  folder = mkdtempSync(join(root, "node_modules", ".netc-test-"));
  await build({
    stdin: {
      contents: `
        export * from "./runtime/index.ts";
        export * from "./test/runtime/tiny-program.ts";`,
      resolveDir: root,
    },
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    outfile: join(folder, "netc.mjs"),
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function runScript(
  body: string,
  environment: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const script = `import { createNetwork, findAdapter, tinyProgram } from "./netc.mjs";\n${body}`;
  const options = {
    cwd: folder,
    env: {
      ...process.env,
      NETC_ADAPTER: process.env["NETC_ADAPTER"] ?? "embedded",
      ...environment,
    },
    timeout: 30_000,
  };
  const file = join(folder, `script-${Math.random().toString(36).slice(2)}.mjs`);
  writeFileSync(file, script);
  try {
    return { code: 0, ...(await run(process.execPath, [file], options)) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

const USE = `
const network = await createNetwork([tinyProgram], { batch: 2, seed: 3 });
console.log([...await network.predict(new Float32Array([1, 0, 0]))].join());
`;

describe("the process", () => {
  test.each([
    ["after destroy", `${USE} network.destroy();`],
    ["without destroy", USE],
    [
      "with steps under way",
      `${USE} for (let i = 0; i < 9; i++) network.step(new Float32Array(3), [0]);`,
    ],
    ["after several networks", `for (let i = 0; i < 3; i++) { ${USE} network.destroy(); }`],
  ])("ends by itself with code 0 %s", async (_when, body) => {
    const { code, stdout, stderr } = await runScript(body);
    expect({ code, stderr: stderr.replace(/^Warning: max.*\n/gm, "") }).toEqual({
      code: 0,
      stderr: "",
    });
    expect(stdout.split("\n")[0]).toBe("16,18");
  });

  test("keeps its own setImmediate", async () => {
    const body = `const before = setImmediate; ${USE} console.log(setImmediate === before);`;
    expect((await runScript(body)).stdout.trim()).toBe("16,18\ntrue");
  });
});

describe.runIf(embeddedOnly)("the embedded adapter", () => {
  test("is unpacked once by processes that start together, with its own loader", async () => {
    const cache = mkdtempSync(join(tmpdir(), "netc-cache-"));
    const body = `${USE}
      const { readFileSync } = await import("node:fs");
      const maps = readFileSync("/proc/self/maps", "utf8");
      console.log([...new Set(maps.match(/\\/\\S*libvulkan\\.so\\S*/g))].join());`;
    const environment = { NETC_ADAPTER: "embedded", XDG_CACHE_HOME: cache };
    const runs = await Promise.all([runScript(body, environment), runScript(body, environment)]);
    const folders = readdirSync(join(cache, "netc"));
    expect(folders).toEqual([expect.stringMatching(/^swiftshader-[0-9a-f]{12}$/)]);
    for (const { stdout } of runs) {
      const [prediction, loaders] = stdout.trim().split("\n");
      expect(prediction).toBe("16,18");
      // The system's loader, if there is one, was not needed.
      expect(loaders).toBe(join(cache, "netc", folders[0]!, "libvulkan.so.1"));
    }
    rmSync(cache, { recursive: true });
  });

  test("is unpacked again if a file is missing, truncated, damaged or a folder", async () => {
    const cache = mkdtempSync(join(tmpdir(), "netc-cache-"));
    const environment = { NETC_ADAPTER: "embedded", XDG_CACHE_HOME: cache };
    const expectWorking = async () => {
      const { stdout, stderr } = await runScript(USE, environment);
      expect({ stdout: stdout.trim(), stderr }).toEqual({ stdout: "16,18", stderr: "" });
    };
    await expectWorking();
    const unpacked = join(cache, "netc", readdirSync(join(cache, "netc"))[0]!);
    const library = join(unpacked, "libvk_swiftshader.so");
    const bytes = readFileSync(library);
    const damaged = Buffer.from(bytes);
    damaged[5000]! ^= 1;
    const damages: (() => void)[] = [
      () => rmSync(library),
      () => writeFileSync(library, ""),
      () => writeFileSync(library, bytes.subarray(0, 100_000)),
      () => writeFileSync(library, damaged),
      () => writeFileSync(join(unpacked, "vk_swiftshader_icd.json"), "{"),
      () => writeFileSync(join(unpacked, "sha256.json"), "{"),
      () => {
        rmSync(library);
        mkdirSync(join(library, "inside"), { recursive: true });
      },
      () => {
        rmSync(unpacked, { recursive: true });
        writeFileSync(unpacked, "a file in its place");
      },
    ];
    for (const damage of damages) {
      damage();
      await expectWorking();
      expect(readFileSync(library).equals(bytes)).toBe(true);
    }
    rmSync(cache, { recursive: true });
  });

  test("serves `auto` where no Vulkan driver is installed", async () => {
    const { embedded, ...found } = await summarizeAuto();
    expect(found.name).toBe(embedded);
    expect(found.reason).toBe("there is neither a hardware adapter nor lavapipe");
  });

  test("is unpacked elsewhere where the cache cannot be written", async () => {
    const environment = { NETC_ADAPTER: "embedded", XDG_CACHE_HOME: "/etc/passwd" };
    expect((await runScript(USE, environment)).stdout.trim()).toBe("16,18");
  });
});

/** What `auto` finds when the system's driver folders are out of sight. */
async function summarizeAuto(): Promise<{ name: string; reason: string; embedded: string }> {
  const body = `
    import fs from "node:fs"; import { syncBuiltinESMExports } from "node:module";
    const real = fs.readdirSync;
    const isDrivers = (path) => String(path).endsWith("vulkan/icd.d");
    fs.readdirSync = (path, ...rest) => isDrivers(path) ? [] : real(path, ...rest);
    syncBuiltinESMExports();
    const { name, reason } = await findAdapter("auto");
    const { name: embedded } = await findAdapter("embedded");
    console.log(JSON.stringify({ name, reason, embedded }));`;
  return JSON.parse((await runScript(body)).stdout) as Awaited<ReturnType<typeof summarizeAuto>>;
}

describe("finding an adapter", () => {
  test("an unknown name is refused with the names there are", async () => {
    const error = await findAdapter("no such thing").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(NoAdapterError);
    const { message, tried } = error as NoAdapterError;
    expect(message).toContain("no GPU adapter for `no such thing`");
    expect(message).toContain("netc doctor");
    expect(tried.map((line) => line.split(":")[0])).toEqual(["system", "lavapipe", "embedded"]);
    if (embeddedOnly) expect(tried.at(-1)).toContain("SwiftShader");
  });

  test("where an adapter was found is a wish for it", async () => {
    const { name, source } = await findAdapter("auto");
    expect((await findAdapter(source)).name).toBe(name);
  });

  test.runIf(embeddedOnly)("part of a name will do, in any case", async () => {
    const found = await findAdapter("swiftSHADER");
    expect(found.name).toContain("SwiftShader");
    expect(found.software).toBe(true);
  });
});

describe("doctor", () => {
  test("says what there is, what was chosen, and why", async () => {
    const wish = process.env["NETC_ADAPTER"] ?? "embedded";
    const report = await doctor(wish);
    expect(report.chosen?.name).toBeTruthy();
    expect(report.chosen?.reason).toBeTruthy();
    expect(report.adapters.length).toBeGreaterThan(0);
    expect(report.limits["maxStorageBufferBindingSize"]).toBeGreaterThanOrEqual(2 ** 27);
    expect(report.features).toContain("core-features-and-limits");
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  test("reports a problem instead of throwing", async () => {
    const report = await doctor("no such thing");
    expect(report.chosen).toBeUndefined();
    expect(report.problem).toContain("no such thing");
    expect(report.advice.length).toBeGreaterThan(0);
  });
});
