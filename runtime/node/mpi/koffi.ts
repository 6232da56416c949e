/** The package through which netc reaches the system's libraries. */
import { importPackage } from "../import-package.js";
import { RunFailedError } from "../../training/error.js";

export type Koffi = typeof import("koffi");

/** Throws a RunFailedError where the package is not installed. */
export async function loadKoffi(): Promise<Koffi> {
  try {
    const module = (await importPackage("koffi")) as Koffi & { readonly default?: Koffi };
    return module.default ?? module;
  } catch (error) {
    throw new RunFailedError(
      `several ranks need the package koffi, which cannot be loaded: ${(error as Error).message}`,
      "npm install koffi",
    );
  }
}

/** `RTLD_LAZY | RTLD_NODELETE`. */
const KEPT = process.platform === "darwin" ? 0x81 : 0x1001;

/**
 * Loads a library for as long as the process lives. A thread that has been in MPI calls it once
 * more when it ends, which is after koffi has closed its libraries.
 */
export function keepLoaded(koffi: Koffi, file: string): void {
  koffi.load(null).func("dlopen", "void *", ["str", "int"])(file, KEPT);
}

/**
 * Ends this process at once. `process.exit` would wait for a thread that is in a call of MPI for
 * ever.
 */
export async function endProcess(exitCode: number): Promise<never> {
  const koffi = await loadKoffi();
  koffi.load(null).func("_exit", "void", ["int"])(exitCode);
  throw new Error("unreachable");
}
