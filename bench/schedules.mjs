// The cost model's choices compared with the best measured candidates, for AlexNet's and VGG-16's
// contractions: `netc tune` on both, in a separate folder, so that no files are left next to the
// specs. Results go to results/, and from there into docs/performance.md.
//
//     node schedules.mjs [--adapter lavapipe] [--networks alexnet,vgg16] [--candidates 6] [--clock
//     processor]
//
// `--clock device` measures the device's time, and wants an otherwise idle machine; `processor` all
// processor time that goes by, which others' programs hardly change, and which for a software
// adapter comes to the same: all of its threads work on one dispatch at a time.
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { writeReport } from "./report.mjs";
import { saveResult } from "./results.mjs";

/** Batches at which the contractions of training and of prediction have work. */
const BATCHES = { alexnet: 8, vgg16: 1 };

const { values } = parseArgs({
  options: {
    adapter: { type: "string", default: "lavapipe" },
    networks: { type: "string", default: Object.keys(BATCHES).join() },
    candidates: { type: "string", default: "6" },
    clock: { type: "string", default: "processor" },
  },
});

const root = join(import.meta.dirname, "..");
const netc = join(root, "dist", "cli", "main.js");

function tune(network, folder) {
  const path = join(folder, `${network}.net`);
  cpSync(join(root, "specs", `${network}.net`), path);
  const flags = ["--batch", String(BATCHES[network]), "--candidates", values.candidates];
  const where = ["--adapter", values.adapter, "--clock", values.clock, "--json"];
  const { status, stdout } = spawnSync(process.execPath, [netc, "tune", path, ...flags, ...where], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`netc tune ended with ${status}`);
  const { adapter, model, batch, clock, problems } = JSON.parse(stdout);
  return { adapter, model, batch, clock, problems };
}

const folder = mkdtempSync(join(tmpdir(), "netc-schedules-"));
try {
  for (const network of values.networks.split(",")) {
    const report = tune(network, folder);
    const machine = `${cpus().length} cores of ${cpus()[0].model.trim()}`;
    const command =
      `node bench/schedules.mjs --adapter ${values.adapter} --networks ${network} ` +
      `--candidates ${values.candidates}`;
    const date = `${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC`;
    await saveResult(`schedules-${network}-${values.adapter}`, {
      date,
      machine,
      command,
      network,
      ...report,
    });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
await writeReport();
