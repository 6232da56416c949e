import type { KerasVersion } from "./activations.js";

/** Of a version's text: `3.3.3`. TensorFlow.js has the rules of Keras 2. */
export function versionOf(text: string): KerasVersion {
  return /^[3-9]/.test(text) ? 3 : 2;
}
