/** The Vulkan loader and the drivers that a Linux system has. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

/** The oldest Mesa whose lavapipe has what Dawn needs. */
export const OLDEST_MESA = 23;

/** The loader's name, by which Dawn looks for it. */
export const VULKAN_LOADER = "libvulkan.so.1";

/** Variables that name driver files; the second replaces the first in newer loaders. */
export const DRIVER_VARIABLES = ["VK_ICD_FILENAMES", "VK_DRIVER_FILES"] as const;

/** Whether the user or the system has registered any Vulkan driver. */
export function hasVulkanDrivers(): boolean {
  const named = [...DRIVER_VARIABLES, "VK_ADD_DRIVER_FILES"].some((name) => process.env[name]);
  return named || driverFiles().length > 0;
}

/** Lavapipe's driver file, if it is installed. */
export function findLavapipe(): string | undefined {
  return driverFiles().find((path) => /\/lvp_icd[^/]*\.json$/.test(path));
}

/** Mesa's major version from a driver's description, `llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)`. */
export function mesaVersion(description: string): number | undefined {
  const match = /Mesa (\d+)/.exec(description);
  return match ? Number(match[1]) : undefined;
}

const RTLD_NOW = 2;
const RTLD_GLOBAL = 0x100;
const RTLD_NODELETE = 0x1000;

/**
 * Loads a shared library, by name or path, for the rest of the process. Returns whether that went
 * well. Node finds that the library is not a Node module and says so, which is true and without
 * harm: RTLD_NODELETE keeps it loaded.
 */
export function loadForever(library: string): boolean {
  try {
    process.dlopen({ exports: {} }, library, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
    return true;
  } catch (error) {
    return /did not self-register/.test((error as Error).message);
  }
}

/**
 * The user's home. In containers the user may have no entry in the password file, and `homedir`
 * would throw.
 */
export function homeFolder(): string {
  return process.env["HOME"] || "/";
}

/** Driver files in the folders, and in the order, of the Vulkan loader's documentation. */
function driverFiles(): string[] {
  const { XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_DATA_DIRS } = process.env;
  const roots = [
    XDG_CONFIG_HOME || join(homeFolder(), ".config"),
    "/usr/local/etc",
    "/etc",
    XDG_DATA_HOME || join(homeFolder(), ".local/share"),
    ...(XDG_DATA_DIRS || "/usr/local/share:/usr/share").split(":"),
    "/usr/share",
    "/run/opengl-driver/share",
  ];
  return roots.flatMap((root) => listDrivers(join(root, "vulkan/icd.d")));
}

function listDrivers(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
    return names.sort().map((name) => join(folder, name));
  } catch {
    return [];
  }
}
