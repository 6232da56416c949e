/**
 * Runs an ONNX model in ONNX Runtime and compares it with what netc predicted:
 *
 *     node check.mjs finetune.onnx predicted.json
 *
 * Needs onnxruntime-node or onnxruntime-web, and sharp, which comes with netc. Fails beyond 1e-4.
 */
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const MOST = 1e-4;
const [model, predicted] = process.argv.slice(2);

/** A package of the folder that the script runs in, or of the one that it is in. */
function packageNamed(...names) {
  for (const from of [resolve("package.json"), import.meta.url]) {
    for (const name of names) {
      try {
        return createRequire(from)(name);
      } catch (error) {
        if (error.code !== "MODULE_NOT_FOUND") throw error;
      }
    }
  }
  throw new Error(`install ${names.join(" or ")}`);
}

const { InferenceSession, Tensor } = packageNamed("onnxruntime-node", "onnxruntime-web");
const sharp = packageNamed("sharp");

/** Pixels from 0 to 255, all of a channel before the next one. */
async function pixelsOf(path) {
  const { data, info } = await sharp(path)
    .removeAlpha()
    .toColorspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  const size = info.width * info.height;
  const values = Float32Array.from({ length: 3 * size }, (_, index) => {
    return data[3 * (index % size) + Math.floor(index / size)];
  });
  return new Tensor("float32", values, [1, 3, info.height, info.width]);
}

const session = await InferenceSession.create(model);
const [input] = session.inputNames;
const [output] = session.outputNames;
let [largest, right] = [0, 0];
const predictions = JSON.parse(readFileSync(predicted, "utf8"));
for (const { image, classes } of predictions) {
  const results = await session.run({ [input]: await pixelsOf(image) });
  const { data } = results[output];
  for (const { index, probability } of classes) {
    largest = Math.max(largest, Math.abs(probability - data[index]));
  }
  const best = data.indexOf(Math.max(...data));
  if (image.split("/").at(-2) === classes.find(({ index }) => index === best).name) right++;
}
const accuracy = ((100 * right) / predictions.length).toFixed(1);
console.log(
  `ONNX Runtime: ${predictions.length} images, top1 ${accuracy}%, ` +
    `largest difference from netc's probabilities ${largest.toExponential(1)}`,
);
if (!(largest < MOST)) process.exitCode = 1;
