/** Mesa's lavapipe among the system's Vulkan drivers. */
import { readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The oldest Mesa whose lavapipe has what Dawn needs. */
export const OLDEST_MESA = 23;

/** Lavapipe's driver file, if it is installed. */
export function findLavapipe(): string | undefined {
  for (const folder of driverFolders()) {
    const name = list(folder).find((entry) => /^lvp_icd.*\.json$/.test(entry));
    if (name !== undefined) return join(folder, name);
  }
  return undefined;
}

/** Mesa's major version from a driver's description, `llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)`. */
export function mesaVersion(description: string): number | undefined {
  const match = /Mesa (\d+)/.exec(description);
  return match ? Number(match[1]) : undefined;
}

/** Where Vulkan drivers register themselves, in the order of the Vulkan loader's documentation. */
function driverFolders(): string[] {
  const { XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_DATA_DIRS } = process.env;
  const shares = (XDG_DATA_DIRS || "/usr/local/share:/usr/share").split(":");
  const roots = [
    XDG_CONFIG_HOME || join(homedir(), ".config"),
    "/usr/local/etc",
    "/etc",
    XDG_DATA_HOME || join(homedir(), ".local/share"),
    ...shares,
    "/usr/share",
    "/run/opengl-driver/share",
  ];
  return roots.map((root) => join(root, "vulkan/icd.d"));
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
