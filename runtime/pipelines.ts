/** Kernels as pipelines: compiled once for each text, all at the same time. */
import type { ProgramKernel } from "../program/program.js";
import { SHADER_STAGE_COMPUTE } from "./constants.js";
import { DeviceLimitError } from "./errors.js";

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Kernels that are compiled, of those that were asked for so far. */
export interface CompileProgress {
  readonly done: number;
  readonly total: number;
}

/** Uniform bindings before the storage bindings: the frame and the step's constants. */
const UNIFORM_BINDINGS = 2;

export class Pipelines {
  private readonly pipelines = new Map<string, Promise<Pipeline>>();
  private readonly layouts = new Map<string, GPUBindGroupLayout>();

  private done = 0;

  constructor(
    private readonly gpu: GPUDevice,
    private readonly onCompile?: (progress: CompileProgress) => unknown,
  ) {}

  /**
   * The pipelines of these kernels, in order; compiles the new ones. Throws DeviceLimitError naming
   * the kernel, and what `onCompile` throws.
   */
  async compile(kernels: readonly ProgramKernel[]): Promise<Pipeline[]> {
    const before = this.pipelines.size;
    const pipelines = kernels.map((kernel) => this.pipeline(kernel));
    const created = [...this.pipelines.values()].slice(before);
    const reported = created.map(async (pipeline) => {
      await pipeline;
      this.done++;
      await this.report();
    });
    // All together, so that no promise is left alone where one of them fails.
    const begun = created.length > 0 ? this.report() : undefined;
    const [compiled] = await Promise.all([Promise.all(pipelines), begun, ...reported]);
    return compiled;
  }

  private async report(): Promise<void> {
    await this.onCompile?.({ done: this.done, total: this.pipelines.size });
  }

  private pipeline(kernel: ProgramKernel): Promise<Pipeline> {
    let pipeline = this.pipelines.get(kernel.wgsl);
    if (pipeline === undefined) {
      pipeline = this.create(kernel);
      this.pipelines.set(kernel.wgsl, pipeline);
      // The next call tries again.
      pipeline.catch(() => this.pipelines.delete(kernel.wgsl));
    }
    return pipeline;
  }

  private async create(kernel: ProgramKernel): Promise<Pipeline> {
    const allowed = this.gpu.limits.maxStorageBuffersPerShaderStage;
    if (kernel.bindings.length > allowed) {
      const count = kernel.bindings.length;
      throw new DeviceLimitError(
        `kernel \`${kernel.name}\` binds ${count} buffers, and the device allows ${allowed}`,
      );
    }
    const { gpu } = this;
    const layout = this.layout(kernel);
    const label = kernel.name;
    const module = gpu.createShaderModule({ label, code: kernel.wgsl });
    try {
      // Some browsers can only wait for it.
      const isAsync = "createComputePipelineAsync" in gpu;
      const method = isAsync ? "createComputePipelineAsync" : "createComputePipeline";
      const pipeline = await gpu[method]({
        label,
        layout: gpu.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: "main" },
      });
      return { pipeline, layout };
    } catch (error) {
      throw new DeviceLimitError(
        `kernel \`${kernel.name}\` does not compile on this device: ${(error as Error).message}`,
      );
    }
  }

  /** Kernels with the same kinds of bindings share a layout. */
  private layout({ bindings }: ProgramKernel): GPUBindGroupLayout {
    const accesses = bindings.map(({ access }) => access);
    const key = accesses.join();
    let layout = this.layouts.get(key);
    if (layout === undefined) {
      const uniforms = Array<GPUBufferBindingType>(UNIFORM_BINDINGS).fill("uniform");
      const storage = accesses.map<GPUBufferBindingType>((access) =>
        access === "read" ? "read-only-storage" : "storage",
      );
      const entries = [...uniforms, ...storage].map((type, binding) => ({
        binding,
        visibility: SHADER_STAGE_COMPUTE,
        buffer: { type },
      }));
      layout = this.gpu.createBindGroupLayout({ label: key, entries });
      this.layouts.set(key, layout);
    }
    return layout;
  }
}
