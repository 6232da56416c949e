/** WebGPU's limits: those that a network can run into. */

/** Storage buffers that a kernel may bind by WebGPU's default limits. */
export const MOST_BINDINGS = 8;

/** By WebGPU's names. */
export interface DeviceLimits {
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupsPerDimension: number;
}

/** What every device with WebGPU grants. */
export const DEFAULT_LIMITS: DeviceLimits = {
  maxStorageBufferBindingSize: 128 * 1024 * 1024,
  maxBufferSize: 256 * 1024 * 1024,
  maxStorageBuffersPerShaderStage: MOST_BINDINGS,
  maxComputeWorkgroupStorageSize: 16384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupsPerDimension: 65535,
};

type BufferLimits = Pick<DeviceLimits, "maxStorageBufferBindingSize" | "maxBufferSize">;

/** The most bytes of a buffer that a kernel can bind, in whole vec4s. */
export function bindableBytes({
  maxStorageBufferBindingSize,
  maxBufferSize,
}: BufferLimits): number {
  return Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize) / 16) * 16;
}
