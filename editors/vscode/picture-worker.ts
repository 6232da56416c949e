/**
 * Draws a spec's network in a separate thread: the layout of a large network takes a second or two,
 * and the editor's extensions share one thread.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { analyze, type ReadImport } from "../../compiler/semantics/index.js";
import { drawModel } from "../../picture/index.js";
import type { PictureAnswer, PictureRequest } from "./drawing.js";

const readImport: ReadImport = (target, importer) => {
  const file = join(dirname(importer), target);
  try {
    return { file, text: readFileSync(file, "utf8") };
  } catch {
    return undefined;
  }
};

async function draw({ text, path, model }: PictureRequest): Promise<PictureAnswer> {
  const { diagnostics, selected } = analyze(text, path, {
    readImport,
    model,
  });
  const mistake = diagnostics.find(({ severity }) => severity === "error");
  if (mistake) {
    const { line } = mistake.primary.span.start;
    return { kind: "mistake", message: `line ${line}: ${mistake.message}` };
  }
  if (!selected) return { kind: "mistake", message: "this spec declares no model" };
  return { kind: "picture", svg: await drawModel(selected.model) };
}

void draw(workerData as PictureRequest).then((answer) => parentPort?.postMessage(answer));
