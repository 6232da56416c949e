import type { ProgramBuffer, ProgramKernel, ProgramStep } from "../../program/program.js";
import type { Origin } from "../ir/origin.js";
import type { Kernel } from "../kernels/kernel.js";
import type { StepDraft } from "../lower/step-draft.js";
import type { Storage } from "../plan/storage.js";
import type { Slot } from "./slots.js";

/** Numbers buffers and kernels in the order in which they are asked for. */
export class Numbering {
  readonly buffers: ProgramBuffer[] = [];
  readonly kernels: ProgramKernel[] = [];
  private readonly bufferIndex = new Map<object, number>();
  private readonly kernelIndex = new Map<string, number>();

  /** `slotOf`: the buffers that scratch shares. */
  constructor(private readonly slotOf: ReadonlyMap<Storage, Slot>) {}

  step(draft: StepDraft): ProgramStep {
    const { kernel, constants, workgroups, label, origin, macs } = draft;
    return {
      kernel: this.kernel(kernel),
      buffers: draft.storage.map((bound) => this.buffer(bound)),
      constants: kernel.constants.map((field, index) => integer(constants[index], field, label)),
      workgroups,
      label,
      location: locationOf(origin),
      macs,
      batches: draft.batches,
      shares: draft.shares && {
        buffer: this.buffer(draft.shares.storage),
        words: draft.shares.storage.bytes.fixed / 4,
        as: draft.shares.as,
      },
    };
  }

  steps(drafts: readonly StepDraft[]): readonly ProgramStep[] {
    return drafts.map((draft) => this.step(draft));
  }

  buffer(bound: Storage): number {
    return this.find(bound) ?? this.add(bound);
  }

  /** The number of a buffer that some step binds. */
  find(bound: Storage): number | undefined {
    return this.bufferIndex.get(this.slotOf.get(bound) ?? bound);
  }

  private add(bound: Storage): number {
    const slot = this.slotOf.get(bound);
    const key = slot ?? bound;
    const { name, bytes } = key;
    const to = slot?.largestBatch;
    this.bufferIndex.set(key, this.buffers.length);
    const buffer = {
      name,
      purpose: bound.purpose,
      bytes,
      largestBatch: to,
      location: slot && locationOf(slot.origin),
    };
    return this.buffers.push(buffer) - 1;
  }

  private kernel({ name, wgsl, sections, storage }: Kernel): number {
    const existing = this.kernelIndex.get(wgsl);
    if (existing !== undefined) return existing;
    this.kernelIndex.set(wgsl, this.kernels.length);
    const bindings = storage.map(({ access, element }) => ({ access, element }));
    return this.kernels.push({ name, wgsl, sections, bindings }) - 1;
  }
}

export const locationOf = ({ span }: Origin) => ({
  line: span.start.line,
  column: span.start.column,
});

/** A constant as a kernel takes it: the bits of an unsigned 32-bit integer. */
function integer(value: number | undefined, field: string, label: string): number {
  if (value === undefined || !Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw new Error(`${label}: constant ${field} is ${value}`);
  }
  return value;
}
