import { isAbsolute, join } from "node:path";

/** Where a netc was found, and how its language server is started. */
export type ServerLocation =
  | { readonly kind: "module"; readonly path: string; readonly arguments: readonly string[] }
  | { readonly kind: "executable"; readonly path: string; readonly arguments: readonly string[] };

/** What the choice of a server depends on. */
export interface Surroundings {
  /** The setting `netc.server.path`. */
  readonly configured: string;
  /** Paths of the workspace's folders. */
  readonly folders: readonly string[];
  /** Whether programs that lie in the workspace may be run. */
  readonly isTrusted: boolean;
  /** The server that comes with the extension. */
  readonly bundled: string;
  readonly exists: (path: string) => boolean;
}

const IN_PACKAGE = join("node_modules", "netc", "dist", "cli", "main.js");

/**
 * The server that was asked for, else that of the netc which the workspace has installed, else the
 * bundled one.
 */
export function locateServer(surroundings: Surroundings): ServerLocation {
  const { configured, folders, isTrusted, bundled, exists } = surroundings;
  const own: ServerLocation = { kind: "module", path: bundled, arguments: [] };
  if (!isTrusted) return own;
  if (configured !== "") return configuredServer(configured, folders[0]);
  const installed = folders.map((folder) => join(folder, IN_PACKAGE)).find(exists);
  return installed === undefined ? own : netc("module", installed);
}

function configuredServer(path: string, folder: string | undefined): ServerLocation {
  const isModule = /\.[cm]?js$/.test(path);
  // A name without a folder is looked for where the system looks for programs.
  const isRelative = !isAbsolute(path) && (isModule || /[\\/]/.test(path));
  const absolute = isRelative && folder !== undefined ? join(folder, path) : path;
  return netc(isModule ? "module" : "executable", absolute);
}

function netc(kind: ServerLocation["kind"], path: string): ServerLocation {
  return { kind, path, arguments: ["lsp"] };
}
