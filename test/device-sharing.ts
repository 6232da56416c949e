/**
 * One device for all networks of a process. Alone, each network opens a device, and each device
 * compiles its kernels again: on the embedded adapter that was half of the tests' time.
 *
 * Devices with the same adapter, features and limits are one, which `destroy` leaves alone, and its
 * pipelines are kept. Networks still destroy their buffers.
 */
type RequestDevice = GPUAdapter["requestDevice"];

/** Kept with what it changes: vitest loads modules again for each file of a process. */
interface Sharing {
  isOn: boolean;
  readonly devices: Map<string, Promise<GPUDevice>>;
}

/** Shares the devices of all adapters with this prototype. */
export function shareDevices(adapters: GPUAdapter & { sharing?: Sharing }): Sharing {
  return (adapters.sharing ??= share(adapters));
}

function share(adapters: GPUAdapter): Sharing {
  const state: Sharing = { isOn: true, devices: new Map() };
  const original: RequestDevice = Reflect.get(adapters, "requestDevice");
  adapters.requestDevice = function (this: GPUAdapter, request?: GPUDeviceDescriptor) {
    const open = () => original.call(this, request);
    return state.isOn ? sharedDevice(state.devices, keyOf(this, request), open) : open();
  };
  return state;
}

function keyOf({ info }: GPUAdapter, request: GPUDeviceDescriptor | undefined): string {
  return JSON.stringify([info.vendor, info.device, info.description, request]);
}

function sharedDevice(
  devices: Sharing["devices"],
  key: string,
  open: () => Promise<GPUDevice>,
): Promise<GPUDevice> {
  let device = devices.get(key);
  if (device === undefined) {
    device = open().then((opened) => {
      keepPipelines(opened);
      opened.destroy = () => undefined;
      void opened.lost.then(() => devices.delete(key));
      return opened;
    });
    devices.set(key, device);
    device.catch(() => devices.delete(key));
  }
  return device;
}

/** Compiles each kernel once, for as long as the device lives. */
function keepPipelines(device: GPUDevice): void {
  const texts = new WeakMap<object, string>();
  const textOf = (object: object) => texts.get(object)!;
  const noting =
    <Descriptor, Result extends object>(
      create: (descriptor: Descriptor) => Result,
      describe: (descriptor: Descriptor) => string,
    ) =>
    (descriptor: Descriptor): Result => {
      const result = create(descriptor);
      texts.set(result, describe(descriptor));
      return result;
    };
  device.createShaderModule = noting(
    device.createShaderModule.bind(device),
    ({ code }: GPUShaderModuleDescriptor) => code,
  );
  device.createBindGroupLayout = noting(
    device.createBindGroupLayout.bind(device),
    ({ entries }: GPUBindGroupLayoutDescriptor) => JSON.stringify(entries),
  );
  device.createPipelineLayout = noting(
    device.createPipelineLayout.bind(device),
    ({ bindGroupLayouts }: GPUPipelineLayoutDescriptor) =>
      [...bindGroupLayouts].map((layout) => textOf(layout!)).join(),
  );

  const pipelines = new Map<string, Promise<GPUComputePipeline>>();
  const create = device.createComputePipelineAsync.bind(device);
  device.createComputePipelineAsync = (descriptor) => {
    const { layout, compute } = descriptor;
    if (layout === "auto" || compute.constants !== undefined) return create(descriptor);
    const key = textOf(compute.module) + textOf(layout);
    let pipeline = pipelines.get(key);
    if (pipeline === undefined) {
      pipeline = create(descriptor);
      pipelines.set(key, pipeline);
      pipeline.catch(() => pipelines.delete(key));
    }
    return pipeline;
  };
}
