/**
 * Other tools that tests compare exported models with. They weigh hundreds of megabytes and are not
 * among the packages of netc: `npm ci --prefix bench` installs onnxruntime-web and TensorFlow.js,
 * or NETC_PEERS names a folder whose node_modules has them.
 */
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const folder = process.env.NETC_PEERS ?? join(import.meta.dirname, "../../bench");

/** Where these packages are. */
export const modulesOfPeers = () => resolve(folder, "node_modules");

/** A package, or undefined where it is not installed. */
export function peer(name: string): unknown {
  try {
    return createRequire(`${resolve(folder)}/`)(name);
  } catch {
    return undefined;
  }
}

/** Debian's Python, which has PyTorch, torchvision and onnx where their packages are installed. */
export const PYTHON = "/usr/bin/python3";

export function pythonHas(module: string): boolean {
  try {
    execFileSync(PYTHON, ["-c", `import ${module}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A Python with Keras 3, which Debian does not have: NETC_KERAS names it. */
export const KERAS_PYTHON = process.env.NETC_KERAS;
