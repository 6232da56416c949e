/**
 * The networks of a test process share a device. A file whose tests lose, watch or alter their
 * devices calls `openSeparateDevices()` first.
 */
import { afterAll, beforeAll } from "vitest";
import { findAdapter } from "../runtime/index.js";
import { shareDevices } from "./device-sharing.js";

const sharing = shareDevices(Object.getPrototypeOf((await findAdapter()).adapter) as GPUAdapter);

/** Each network of this file's tests opens, and destroys, a separate device. */
export function openSeparateDevices(): void {
  beforeAll(() => {
    sharing.isOn = false;
  });
  afterAll(() => {
    sharing.isOn = true;
  });
}
