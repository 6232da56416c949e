import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
/** What the build reads: the folders that `tsconfig.json` compiles, and how. */
const SOURCES = [
  "cli",
  "compiler",
  "editor",
  "format",
  "grammar",
  "interchange",
  "picture",
  "program",
  "report",
  "runtime",
  "starter",
  "workbench",
  "scripts/build.mjs",
  "tsconfig.json",
];

/** When the newest file under a path was changed, in milliseconds; 0 where there is none. */
function newest(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isDirectory()) return stats?.mtimeMs ?? 0;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Builds dist/ where it is missing or older than the sources. */
export default function setup(): void {
  const changed = Math.max(...SOURCES.map((path) => newest(join(root, path))));
  // The build's last step writes the command line.
  if (newest(join(root, "dist", "cli", "chunks")) > changed) return;
  const { status } = spawnSync(process.execPath, [join(root, "scripts", "build.mjs")], {
    stdio: "inherit",
  });
  if (status !== 0) throw new Error("dist/ could not be built: see the messages above");
}
