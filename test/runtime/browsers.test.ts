/** What browsers lack, and what they do that Node's WebGPU never does. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findAdapter as findInBrowser } from "../../runtime/browser.js";
import { adapterName, Device, isSoftware } from "../../runtime/device.js";
import {
  BatchTooLargeError,
  createNetwork,
  DeviceLostError,
  findAdapter,
  fromErrorMessage,
  parseTensors,
  toErrorMessage,
  type NetworkOptions,
} from "../../runtime/index.js";
import { openSeparateDevices } from "../shared-devices.js";
import { altered } from "./mock-device.js";
import { tinyProgram } from "./tiny-program.js";

openSeparateDevices();

const images = Float32Array.of(1, 0, 0, 0, 1, 0);

let gpu: GPUDevice;
beforeAll(async () => {
  gpu = (await Device.open(await findAdapter())).gpu;
});
afterAll(() => gpu.destroy());

const create = (options: NetworkOptions) =>
  createNetwork([tinyProgram], { batch: 2, seed: 3, ...options });

async function predictOn(device: GPUDevice): Promise<number[]> {
  const network = await create({ device });
  try {
    return [...(await network.predict(images))];
  } finally {
    network.destroy();
  }
}

describe("a device of a browser that lacks", () => {
  test.each([
    "adapterInfo", // Safari 26
    "pushErrorScope",
    "createComputePipelineAsync",
  ])("%s", async (member) => {
    const expected = await predictOn(gpu);
    expect(await predictOn(altered(gpu, { [member]: undefined }))).toEqual(expected);
  });
});

test("adapters without any information have a name, and software is known by its names", () => {
  expect(adapterName({})).toBe("unnamed adapter");
  expect(isSoftware({})).toBe(false);
  expect(isSoftware({ vendor: "google", architecture: "swiftshader" })).toBe(true);
  expect(isSoftware({ description: "llvmpipe (LLVM 15.0.6, 256 bits)" })).toBe(true);
  expect(isSoftware({ vendor: "apple", architecture: "common-3" })).toBe(false);
  expect(isSoftware({ isFallbackAdapter: true, vendor: "microsoft" })).toBe(true);
});

test("an adapter without `isFallbackAdapter` runs the same program", async () => {
  const found = await findAdapter();
  const { vendor, architecture, description, subgroupMinSize, subgroupMaxSize } =
    found.adapter.info;
  const info = { vendor, architecture, description, subgroupMinSize, subgroupMaxSize };
  const device = altered(gpu, { adapterInfo: info });
  const [lacking, whole] = await Promise.all([device, gpu].map((each) => Device.borrow(each)));
  expect(lacking!.summary.target).toBe(whole!.summary.target);
});

describe("an adapter that refuses", () => {
  /** Refuses the first `refusals` requests, and notes all of them. */
  async function refusing(refusals: number) {
    const found = await findAdapter();
    const requests: GPUDeviceDescriptor[] = [];
    const requestDevice = (request: GPUDeviceDescriptor) => {
      requests.push(request);
      if (requests.length <= refusals) return Promise.reject(new Error("limit exceeded"));
      return found.adapter.requestDevice(request);
    };
    return { requests, found: { ...found, adapter: altered(found.adapter, { requestDevice }) } };
  }

  test("high limits is asked for less", async () => {
    const { requests, found } = await refusing(2);
    const device = await Device.open(found);
    device.release();
    expect(requests.length).toBe(3);
    expect(requests[0]!.requiredLimits).toHaveProperty("maxBufferSize");
    expect(requests[2]).toEqual({});
  });

  test("everything is an error with its name and its first reason", async () => {
    const { found } = await refusing(9);
    await expect(Device.open(found)).rejects.toMatchObject({
      name: "NoAdapterError",
      message: expect.stringMatching(/refused a device: Error: limit exceeded/) as string,
    });
  });

  test("limits that it does not know are not asked for", async () => {
    const { requests, found } = await refusing(0);
    const { maxBufferSize } = found.adapter.limits;
    const adapter = altered(found.adapter, { limits: { maxBufferSize } });
    (await Device.open({ ...found, adapter })).release();
    expect(requests[0]!.requiredLimits).toEqual({ maxBufferSize });
  });
});

describe("a page's own mistakes on the device that it lends", () => {
  /** A buffer larger than any device allows. */
  const mistake = (device: GPUDevice) => {
    const size = 2 * device.limits.maxBufferSize;
    return device.createBuffer({ size, usage: 0x80 });
  };

  test("are not the network's", async () => {
    const heard: string[] = [];
    const hear = (event: GPUUncapturedErrorEvent) => {
      event.preventDefault();
      heard.push(event.error.message);
    };
    gpu.addEventListener("uncapturederror", hear);
    const network = await create({ device: gpu });
    const before = await network.predict(images);
    mistake(gpu);
    await gpu.queue.onSubmittedWorkDone();
    expect(await network.predict(images)).toEqual(before);
    network.destroy();
    gpu.removeEventListener("uncapturederror", hear);
    expect(heard).toHaveLength(1);
  });

  test("while those of the network's calls are", async () => {
    const network = await create({ device: gpu });
    const { device } = network as unknown as { readonly device: Device };
    const buffer = device.gpu.createBuffer({ size: 16, usage: 0x80 });
    // Without the usage COPY_DST.
    device.gpu.queue.writeBuffer(buffer, 0, new Uint32Array(4));
    await gpu.queue.onSubmittedWorkDone();
    await expect(network.predict(images)).rejects.toThrow("the GPU reported an error");
    network.destroy();
  });
});

/** Finds errors in the scopes of calls that allocate, as long as `isFull` says so. */
function withoutRoom(isFull: () => boolean): GPUDevice {
  const popErrorScope = async (): Promise<GPUError | null> => {
    const found = await gpu.popErrorScope();
    return isFull() ? { message: "out of memory" } : found;
  };
  return altered(gpu, { popErrorScope });
}

test("an allocation that fails is tried again with the next call", async () => {
  const expected = await predictOn(gpu);
  let isFull = false;
  let fails = 0;
  const network = await create({ device: withoutRoom(() => isFull && fails++ < 1) });
  isFull = true;
  const error: unknown = await network.predict(images).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(BatchTooLargeError);
  expect((error as Error).message).toContain("(out of memory)");
  isFull = false;
  expect([...(await network.predict(images))]).toEqual(expected);
  network.destroy();
});

test("a kernel that does not compile is tried again with the next call", async () => {
  let fails = 1;
  const createComputePipelineAsync = (descriptor: GPUComputePipelineDescriptor) => {
    const isFailing = descriptor.label === "forward" && fails-- > 0;
    if (isFailing) return Promise.reject(new Error("the driver is busy"));
    return gpu.createComputePipelineAsync(descriptor);
  };
  const network = await create({ device: altered(gpu, { createComputePipelineAsync }) });
  await expect(network.predict(images)).rejects.toMatchObject({ name: "DeviceLimitError" });
  expect([...(await network.predict(images))]).toEqual(await predictOn(gpu));
  network.destroy();
});

const PHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 " +
  "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const CHROME =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) " +
  "Chrome/140.0.0.0 Safari/537.36";
const MAC =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 " +
  "(KHTML, like Gecko) Version/18.5 Safari/605.1.15";

describe("a browser without an adapter", () => {
  /** Runs `findAdapter` of browsers with these globals. */
  async function failure(given: {
    readonly userAgent: string;
    readonly gpu?: object;
    readonly isSecureContext?: boolean;
  }): Promise<Error> {
    const { userAgent, gpu: own, isSecureContext = true } = given;
    const globals = { navigator: { userAgent, gpu: own }, isSecureContext };
    const before = new Map(
      Object.keys(globals).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]),
    );
    for (const [name, value] of Object.entries(globals)) {
      Object.defineProperty(globalThis, name, { value, configurable: true });
    }
    try {
      return await findInBrowser().then(
        () => new Error("found an adapter"),
        (error: unknown) => error as Error,
      );
    } finally {
      for (const [name, descriptor] of before) {
        if (descriptor) Object.defineProperty(globalThis, name, descriptor);
        else Reflect.deleteProperty(globalThis, name);
      }
    }
  }

  test.each([
    [PHONE, /iOS 26/],
    [FIREFOX, /dom\.webgpu\.enabled/],
    [CHROME, /chrome:\/\/flags/],
    [MAC, /Safari 26/],
    ["something else", /use a current Chrome/],
  ])("%s", async (userAgent, advice) => {
    const error = await failure({ userAgent });
    expect(error).toMatchObject({ name: "NoAdapterError" });
    expect(error.message).toMatch(/no WebGPU \(`navigator\.gpu`\): /);
    expect(error.message).toMatch(advice);
  });

  test("on a page over http", async () => {
    const error = await failure({ userAgent: CHROME, isSecureContext: false });
    expect(error.message).toMatch(/over https or from localhost/);
  });

  test("whose `requestAdapter` rejects says why", async () => {
    const requestAdapter = () => Promise.reject(new Error("the GPU process crashed"));
    const error = await failure({ userAgent: CHROME, gpu: { requestAdapter } });
    expect(error).toMatchObject({
      name: "NoAdapterError",
      tried: ["Error: the GPU process crashed", "Error: the GPU process crashed"],
    });
    expect(error.message).toMatch(/found no adapter .* \(Error: the GPU process crashed\): /);
  });
});

test("errors keep name, class and fields on their way between threads", () => {
  const sent = structuredClone(toErrorMessage(new DeviceLostError("the device was lost", true)));
  const error = fromErrorMessage(sent);
  expect(error).toBeInstanceOf(DeviceLostError);
  expect(error).toMatchObject({
    name: "DeviceLostError",
    message: "the device was lost",
    isGone: true,
  });
  const other = fromErrorMessage(structuredClone(toErrorMessage(new RangeError("too long"))));
  expect(other).toMatchObject({ name: "RangeError", message: "too long" });
  expect(fromErrorMessage(toErrorMessage("a text")).message).toBe("a text");
});

test("weights in shared memory load", async () => {
  const network = await create({ device: gpu });
  const saved = await network.save();
  const shared = new SharedArrayBuffer(saved.length);
  new Uint8Array(shared).set(saved);
  await network.load(shared);
  expect([...parseTensors(new Uint8Array(shared)).tensors.keys()]).toContain("fc.bias");
  network.destroy();
});
