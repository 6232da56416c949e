/** Pictures in textures to staged bytes, on the device. */
import type { Preparation } from "../../program/program.js";
import type { Size } from "../data/decide.js";
import type { Memory, Owned } from "../memory.js";
import type { DeviceBytes, PictureTarget } from "./picture.js";
import { LANES, RESIZE_KERNELS } from "./resize-kernels.js";
import { filtersOf, resizingOf, type Filters } from "./resizing.js";

/** Puts a picture into a texture of its size. Throws where the browser does not allow it. */
export type Fill = (texture: GPUTexture) => void;

/** A picture by its size and how it comes into a texture. */
export interface DevicePicture extends Size {
  readonly fill: Fill;
}

type Kernels = Readonly<Record<"across" | "down", GPUComputePipeline>>;

/** What resizes pictures of one size. */
interface Sized {
  readonly filters: Filters;
  readonly texture: GPUTexture;
  /** All that is allocated for the size. */
  readonly owned: readonly Owned[];
  readonly sizes: GPUBuffer;
  readonly words: GPUBuffer;
  readonly narrowed: GPUBuffer;
}

/** Sizes of pictures that are kept ready: those of a camera and of a canvas, for instance. */
const MOST_SIZES = 4;

/** The resizer of a network, made with its first picture: its memory is used by each call again. */
export function resizerOf(target: PictureTarget, preparation: Preparation): Resizer {
  let resizer = resizers.get(target.memory);
  if (resizer === undefined) {
    resizer = new Resizer(target, preparation);
    resizers.set(target.memory, resizer);
  }
  return resizer;
}

const resizers = new WeakMap<object, Resizer>();

export class Resizer {
  private readonly gpu: GPUDevice;
  private readonly memory: Pick<Memory, "extra">;
  private readonly sizes = new Map<string, Sized>();
  private kernels: Promise<Kernels> | undefined;
  private staged: GPUBuffer | undefined;

  constructor(
    { gpu, memory }: PictureTarget,
    private readonly preparation: Preparation,
  ) {
    this.gpu = gpu;
    this.memory = memory;
  }

  /** Whether the device can resize pictures of that size. */
  canResize(picture: Size): boolean {
    const most = this.gpu.limits.maxTextureDimension2D;
    if (picture.width > most || picture.height > most) return false;
    return resizingOf(this.preparation, picture) !== undefined;
  }

  /**
   * The bytes of pictures, a slot each. They hold until the next call: a network's calls are
   * submitted one after the other.
   */
  async resize(pictures: readonly DevicePicture[]): Promise<DeviceBytes> {
    const kernels = await (this.kernels ??= compileKernels(this.gpu));
    const { slot } = this.preparation.staged;
    const staged = this.stagedFor(slot * pictures.length);
    pictures.forEach((picture, index) => {
      const sized = this.sizedFor(picture);
      picture.fill(sized.texture);
      this.submit(kernels, { sized, staged, firstWord: (index * slot) / 4 });
    });
    return new Bytes(this.gpu, staged, { start: 0, length: slot * pictures.length });
  }

  private submit(
    { across, down }: Kernels,
    { sized, staged, firstWord }: { sized: Sized; staged: GPUBuffer; firstWord: number },
  ): void {
    const { gpu } = this;
    const { width, height, rows, channels } = sized.filters.sizes;
    gpu.queue.writeBuffer(sized.sizes, 0, uniformOf(sized.filters, firstWord));
    const encoder = gpu.createCommandEncoder({ label: "pictures" });
    const pass = encoder.beginComputePass();
    const { sizes, words, narrowed } = sized;
    const inputs = [sizes, sized.texture.createView(), words, narrowed];
    pass.setPipeline(across);
    pass.setBindGroup(0, this.bind(across, inputs));
    pass.dispatchWorkgroups(Math.ceil(width / LANES), rows);
    pass.setPipeline(down);
    pass.setBindGroup(0, this.bind(down, [sizes, undefined, words, narrowed, staged]));
    pass.dispatchWorkgroups(Math.ceil((width * height * channels) / (4 * LANES)));
    pass.end();
    gpu.queue.submit([encoder.finish()]);
  }

  private bind(
    pipeline: GPUComputePipeline,
    resources: readonly (GPUBuffer | GPUTextureView | undefined)[],
  ): GPUBindGroup {
    const entries = resources.flatMap((resource, binding): GPUBindGroupEntry[] => {
      if (!resource) return [];
      return [{ binding, resource: "size" in resource ? { buffer: resource } : resource }];
    });
    return this.gpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  }

  private stagedFor(bytes: number): GPUBuffer {
    if (this.staged && this.staged.size >= bytes) return this.staged;
    if (this.staged) this.free([this.staged]);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC;
    this.staged = this.gpu.createBuffer({ size: bytes, usage, label: "pictures" });
    this.memory.extra.add(this.staged);
    return this.staged;
  }

  /** What resizes pictures of a size: that of the last few sizes is kept. */
  private sizedFor(picture: Size): Sized {
    const key = `${picture.width}x${picture.height}`;
    const sized = this.sizes.get(key) ?? this.prepareSize(picture);
    this.sizes.delete(key);
    this.sizes.set(key, sized);
    const [oldest] = this.sizes.keys();
    if (this.sizes.size > MOST_SIZES) {
      this.free(this.sizes.get(oldest!)!.owned);
      this.sizes.delete(oldest!);
    }
    return sized;
  }

  private prepareSize(picture: Size): Sized {
    const { gpu } = this;
    const filters = filtersOf(this.preparation, picture, resizingOf(this.preparation, picture)!);
    const { width, rows } = filters.sizes;
    const make = (size: number, usage: number) => gpu.createBuffer({ size, usage });
    // Browsers have WebGPU's flags as globals, and only they resize here.
    const { COPY_DST, TEXTURE_BINDING, RENDER_ATTACHMENT } = GPUTextureUsage;
    const words = make(filters.words.byteLength, GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST);
    gpu.queue.writeBuffer(words, 0, filters.words);
    const texture = gpu.createTexture({
      size: [picture.width, picture.height],
      format: "rgba8unorm",
      usage: COPY_DST | TEXTURE_BINDING | RENDER_ATTACHMENT,
    });
    const sizes = make(32, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST);
    const narrowed = make(4 * width * rows, GPUBufferUsage.STORAGE);
    const bytes = 4 * picture.width * picture.height;
    const owned = [words, sizes, narrowed, { size: bytes, destroy: () => texture.destroy() }];
    for (const each of owned) this.memory.extra.add(each);
    return { filters, words, sizes, narrowed, texture, owned };
  }

  /** Frees memory once what was submitted is done. */
  private free(owned: readonly Owned[]): void {
    for (const each of owned) {
      this.memory.extra.delete(each);
      each.destroy();
    }
  }
}

/** `Sizes` of the kernels. */
const uniformOf = ({ sizes }: Filters, firstWord: number): Uint32Array<ArrayBuffer> =>
  Uint32Array.of(
    sizes.width,
    sizes.height,
    sizes.top,
    sizes.rows,
    sizes.tapsAcross,
    sizes.tapsDown,
    sizes.channels,
    firstWord,
  );

async function compileKernels(gpu: GPUDevice): Promise<Kernels> {
  const module = gpu.createShaderModule({ label: "pictures", code: RESIZE_KERNELS });
  const compile = (entryPoint: string) =>
    gpu.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint } });
  const [across, down] = await Promise.all([compile("across"), compile("down")]);
  return { across, down };
}

class Bytes implements DeviceBytes {
  constructor(
    private readonly gpu: GPUDevice,
    private readonly buffer: GPUBuffer,
    private readonly part: { readonly start: number; readonly length: number },
  ) {}

  get length(): number {
    return this.part.length;
  }

  subarray(start: number, end: number): DeviceBytes {
    const part = { start: this.part.start + start, length: end - start };
    return new Bytes(this.gpu, this.buffer, part);
  }

  copyTo(target: GPUBuffer): void {
    const encoder = this.gpu.createCommandEncoder({ label: "pictures" });
    const { start, length } = this.part;
    encoder.copyBufferToBuffer(this.buffer, start, target, 0, length);
    this.gpu.queue.submit([encoder.finish()]);
  }
}
