/**
 * What a network adds to a device and to the process goes with it. Counted, on a device that
 * outlives the networks.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Device } from "../../runtime/device.js";
import { createNetwork, profileSteps, type NetworkOptions } from "../../runtime/index.js";
import { openSeparateDevices } from "../shared-devices.js";
import { tinyProgram } from "./tiny-program.js";

openSeparateDevices();

const adapter = process.env["NETC_ADAPTER"] ?? "embedded";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const create = (options: NetworkOptions = {}) =>
  createNetwork([tinyProgram], { adapter, batch: 2, seed: 3, ...options });
type TinyNetwork = Awaited<ReturnType<typeof create>>;

const gpuOf = (network: TinyNetwork) => (network as unknown as { device: Device }).device.gpu;

let owner: TinyNetwork;
let gpu: GPUDevice;
/**
 * Of the device: buffers and query sets that were not destroyed, listeners, pipelines that were not
 * collected.
 */
const alive = { destroyable: 0, listeners: 0, pipelines: 0 };
const collected = new FinalizationRegistry(() => alive.pipelines--);

beforeAll(async () => {
  owner = await create();
  gpu = gpuOf(owner);
  countCreated(gpu);
});
afterAll(() => owner.destroy());

function countCreated(device: GPUDevice): void {
  const createBuffer = device.createBuffer.bind(device);
  const createQuerySet = device.createQuerySet.bind(device);
  const createPipeline = device.createComputePipelineAsync.bind(device);
  device.createBuffer = (descriptor) => counted(createBuffer(descriptor));
  device.createQuerySet = (descriptor) => counted(createQuerySet(descriptor));
  device.createComputePipelineAsync = async (descriptor) => {
    const pipeline = await createPipeline(descriptor);
    alive.pipelines++;
    collected.register(pipeline, undefined);
    return pipeline;
  };
  countListeners(device, (change) => (alive.listeners += change));
}

function counted<Made extends GPUBuffer | GPUQuerySet>(made: Made): Made {
  alive.destroyable++;
  const destroy = made.destroy.bind(made);
  made.destroy = () => {
    alive.destroyable--;
    made.destroy = destroy;
    return destroy();
  };
  return made;
}

function countListeners(device: GPUDevice, count: (change: 1 | -1) => void): void {
  const add = device.addEventListener.bind(device) as (...values: unknown[]) => void;
  const remove = device.removeEventListener.bind(device) as (...values: unknown[]) => void;
  device.addEventListener = (...values: unknown[]) => {
    count(1);
    add(...values);
  };
  device.removeEventListener = (...values: unknown[]) => {
    count(-1);
    remove(...values);
  };
}

const images = Float32Array.of(1, 0, 0, 0, 1, 0);

async function useAll(network: TinyNetwork): Promise<void> {
  await network.step(images, [0, 1]);
  await network.evaluate(images, [0, 1]);
  await network.predict(images);
  await network.load(await network.save({ optimizer: true }));
  await profileSteps(network, "train", { images, targets: [0, 1] }, { rounds: 1, seconds: 0 });
}

async function comeAndGo(): Promise<void> {
  const network = await create({ device: gpu });
  await useAll(network);
  expect(alive.destroyable).toBeGreaterThan(10);
  network.destroy();
  expect(alive.destroyable).toBe(0);
}

const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

test("buffers, query sets, pipelines, listeners and timers go with the network", async () => {
  const timersBefore = timers();
  for (let round = 0; round < 3; round++) await comeAndGo();
  await gpu.queue.onSubmittedWorkDone();
  await collecting(() => alive.pipelines === 0);
  // The owner's listener, from before they were counted, serves all.
  expect(alive).toEqual({ destroyable: 0, listeners: 0, pipelines: 0 });
  expect(timers()).toBeLessThanOrEqual(timersBefore);
});

test("so they do where a network is destroyed in the middle of its first calls", async () => {
  for (const turns of [0, 1, 2, 5, 20]) {
    const network = await create({ device: gpu });
    const calls = [network.step(images, [0, 1]), network.predict(images), network.save()];
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    network.destroy();
    for (const outcome of await Promise.allSettled<unknown>(calls)) {
      expect(outcome).toMatchObject({ reason: { name: "InputError" } });
    }
    expect(alive.destroyable, `after ${turns} turns`).toBe(0);
  }
});

test("networks of one device share one listener, and leave no listener behind", async () => {
  const other = await create();
  const device = gpuOf(other);
  let listeners = 0;
  countListeners(device, (change) => (listeners += change));
  const guests = await Promise.all(Array.from({ length: 12 }, () => create({ device })));
  expect(listeners).toBe(0);
  other.destroy();
  for (const guest of guests) guest.destroy();
  for (const guest of guests) guest.destroy();
  expect(listeners).toBe(-1);
});

test("the devices of destroyed networks are collected", async () => {
  let devices = 0;
  const gone = new FinalizationRegistry(() => devices--);
  for (let round = 0; round < 10; round++) {
    const network = await create();
    await network.step(images, [0, 1]);
    devices++;
    gone.register(gpuOf(network), undefined);
    network.destroy();
  }
  await collecting(() => devices === 0);
  // The last may still be on the stack.
  expect(devices).toBeLessThanOrEqual(1);
});

/** Collects garbage until that is so, ten times at most. */
async function collecting(isDone: () => boolean): Promise<void> {
  for (let round = 0; round < 10 && !isDone(); round++) {
    collectGarbage();
    await sleep(20);
  }
}
