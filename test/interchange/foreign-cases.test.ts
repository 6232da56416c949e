import { join } from "node:path";
import { expect, test } from "vitest";
import { specText } from "../../interchange/spec-text.js";
import {
  caseNamed,
  evaluated,
  floatsIn,
  imported,
  predicted,
  readForeign,
  relativeError,
  sourceOf,
} from "./foreign-model.js";

const CASES = [
  ...["keras-2-h5", "keras-3-keras", "tfjs-flatten", "tfjs-depthwise-quantised"],
  ...["caffe-lenet-lrn", "caffe-residual-batchnorm"],
];

test.each(CASES)("%s gives what its tool gave", async (name) => {
  const { folder, files, input, tolerance } = caseNamed(name);
  const graph = await readForeign(sourceOf(folder, files));
  const images = floatsIn(join(folder, "input.f32"));
  const expected = floatsIn(join(folder, "expected.f32"));

  expect(relativeError(evaluated(graph, images, input), expected)).toBeLessThan(tolerance);
  const model = imported(graph);
  expect(relativeError(predicted(model, images), expected)).toBeLessThan(tolerance);
  await expect(specText(model, files[0]!)).resolves.toContain("model Imported");
});
