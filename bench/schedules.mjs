/**
 * The cost model's choices beside the best measured candidates, for AlexNet's and VGG-16's contractions: `netc tune` on both, in a
 * folder of its own, so that nothing is left beside the specs. `node schedules.mjs [--adapter lavapipe] [--candidates N]`
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    adapter: { type: "string", default: "lavapipe" },
    candidates: { type: "string", default: "6" },
  },
});

const root = join(import.meta.dirname, "..");
const netc = join(root, "dist", "cli", "main.js");

/** Training and prediction at batches where the contractions of both have work. */
const NETWORKS = [
  { spec: "alexnet", batch: 8 },
  { spec: "vgg16", batch: 2 },
];

const folder = mkdtempSync(join(tmpdir(), "netc-schedules-"));
try {
  for (const { spec, batch } of NETWORKS) {
    const path = join(folder, `${spec}.net`);
    cpSync(join(root, "specs", `${spec}.net`), path);
    const flags = ["--batch", String(batch), "--candidates", values.candidates];
    const arguments_ = [netc, "tune", path, ...flags, "--adapter", values.adapter];
    const { status } = spawnSync(process.execPath, arguments_, { stdio: "inherit" });
    if (status !== 0) process.exitCode = status ?? 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
