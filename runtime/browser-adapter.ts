/** The adapters of browsers. */
import { adapterName, informationOf, isSoftware, type FoundAdapter } from "./device.js";
import { NoAdapterError } from "./errors.js";

/**
 * The browser's adapter: high performance first, then whatever there is. Throws NoAdapterError with
 * what helps on this browser.
 */
export async function findAdapter(): Promise<FoundAdapter> {
  const gpu = globalThis.navigator?.gpu as GPU | undefined;
  const tried: string[] = [];
  const request = (options: GPURequestAdapterOptions) =>
    gpu?.requestAdapter(options).catch((error: unknown) => void tried.push(String(error)));
  const adapter = (await request({ powerPreference: "high-performance" })) ?? (await request({}));
  if (!adapter) {
    const { explainNoAdapter } = await import("./no-adapter.js");
    throw new NoAdapterError(explainNoAdapter(gpu !== undefined, tried, globalThis), tried);
  }
  const information = informationOf(adapter);
  return { adapter, name: adapterName(information), software: isSoftware(information) };
}
