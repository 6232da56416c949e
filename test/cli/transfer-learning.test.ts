/**
 * examples/transfer-learning on small generated pictures, from PyTorch to ONNX Runtime. With
 * NETC_TEST_FULL, where Python has torch and Pillow, and ONNX Runtime is installed (peers.ts).
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { modulesOfPeers, peer, PYTHON, pythonHas } from "../interchange/peers.js";
import { shades, writeFiles } from "../starter/pictures.js";
import { ADAPTER, root } from "./netc.js";

const MINUTES = 60_000;
const OLD = ["ash", "beech", "elm", "fir", "oak", "pine"];
const NEW = ["aster", "daisy", "poppy", "rose"];

const canRun =
  process.env.NETC_TEST_FULL === "1" &&
  pythonHas("torch") &&
  pythonHas("PIL") &&
  (peer("onnxruntime-node") ?? peer("onnxruntime-web")) !== undefined;

test.skipIf(!canRun)(
  "weights of PyTorch are fine-tuned, and exported",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "netc-transfer-"));
    try {
      for (const split of ["train", "test"]) {
        for (const [index, name] of [...OLD, ...NEW].entries()) {
          const pictures = shades(name, 12, { size: 32, tint: 8 * (index + 1) });
          await writeFiles(join(folder, "photos", split), pictures);
        }
      }
      symlinkSync(modulesOfPeers(), join(folder, "node_modules"));
      const script = join(root, "examples/transfer-learning/run.sh");
      const printed = execFileSync("sh", [script, "photos", "out"], {
        cwd: folder,
        encoding: "utf8",
        env: {
          ...process.env,
          NETC: `${process.execPath} ${join(root, "dist/cli/main.js")}`,
          ...ADAPTER,
          PYTHON,
          OLD: OLD.join(","),
          NEW: NEW.join(","),
          MANY: "12",
          FEW: "8",
          TESTED: "2",
          EPOCHS: "1",
        },
      });
      const [, right, difference] =
        /ONNX Runtime: 8 images, top1 (\S+)%, largest difference \D+ ([\d.e-]+)$/m.exec(printed)!;
      const said = [...printed.matchAll(/^test accuracy: top1 (\S+)%/gm)].map(([, top1]) => top1);
      expect(said[0]).toBe(right);
      expect(Number(difference)).toBeLessThan(1e-5);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  10 * MINUTES,
);
