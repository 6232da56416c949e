import { expect, test } from "vitest";
import { suggest } from "../../compiler/diagnostics/suggest.js";

const candidates = [
  { name: "conv", aliases: ["conv2d", "Convolution"] },
  { name: "linear", aliases: ["dense", "InnerProduct", "fc"] },
  { name: "maxpool", aliases: ["MaxPool2d"] },
  { name: "avgpool", aliases: [] },
  { name: "dropout", aliases: [] },
  { name: "adaptive_avgpool", aliases: [] },
  { name: "lr", aliases: ["learning_rate"] },
  { name: "k", aliases: [] },
];

test.each([
  ["conv2d", "conv"],
  ["Dense", "linear"],
  ["inner_product", "linear"],
  ["MaxPool2D", "maxpool"],
  ["max_pool", "maxpool"],
  ["covn", "conv"],
  ["liner", "linear"],
  ["droput", "dropout"],
  ["adaptive", "adaptive_avgpool"],
  ["lerning_rate", "lr"],
  ["x", undefined],
  ["transformer", undefined],
  ["pool", undefined],
  // Other words, near as they are in letters.
  ["conv3d", undefined],
  ["conv3", undefined],
  ["onv", undefined],
  ["cnov", "conv"],
  ["linar", "linear"],
  ["adaptiv_avgpol", "adaptive_avgpool"],
  ["minpool", undefined],
])("%s means %s", (written, meant) => {
  expect(suggest(written, candidates)?.name).toBe(meant);
});
