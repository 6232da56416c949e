/** What the types of a module say of its inputs and targets, by what they hold. */
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";

const LABELS = "target label: u32[N] in 0..2";
const CLASSES = "linear(2) as logits\n loss cross_entropy(logits, label)";

const CASES: readonly (readonly [spec: string, words: string])[] = [
  [`input row: f32[N, 13]\n ${LABELS}\n ${CLASSES}`, "Rows are of 13 features; labels are 0 to 1."],
  [
    "input row: f32[N, 1]\n target price: f32[N, 1]\n linear(1) as out\n loss mse(out, price)",
    "Rows are of 1 feature; `price` is a number an example.",
  ],
  [
    `input x: f32[N, 32, 8]\n ${LABELS}\n mean(over=tokens) -> flatten -> ${CLASSES}`,
    "Sequences are 32 x 8, one token after the other; labels are 0 to 1.",
  ],
  [
    "input x: f32[N, 12, 8]\n target y: f32[N, 12, 2]\n linear(2) as z\n loss mse(z, y)",
    "Sequences are 12 x 8, one token after the other; `y` is 12 x 2 numbers an example.",
  ],
  [
    "input x: signal[N, 2, 64]\n target y: signal[N, 1, 64]\n" +
      "conv(1, kernel=1) as out\n loss mse(out, y)",
    "Signals are 2 x 64, one channel after the other; `y` is 1 x 64 numbers an example.",
  ],
  [
    "input x: f32[N, 4, 3, 8, 8]\n target y: f32[N, 4, 3, 8, 2]\n linear(2) as z\n loss mse(z, y)",
    "Values are 4 x 3 x 8 x 8, in row-major order; `y` is 4 x 3 x 8 x 2 numbers an example.",
  ],
  [
    `input image: f32[N, 3, 8, 8]\n ${LABELS}\n flatten -> ${CLASSES}`,
    "Images are 3 x 8 x 8, in NCHW order; labels are 0 to 1.",
  ],
  [
    "input image: f32[N, 3, 8, 8]\n input row: f32[N, 4]\n input words: u32[N, 6] in 0..9\n" +
      `${LABELS}\n flatten as a\n from words -> embedding(4) -> flatten as w\n` +
      `from row -> concat(a, w) -> ${CLASSES}`,
    "`image` is 3 x 8 x 8 in NCHW order, `row` is 4 features, " +
      "`words` is 6 tokens an example, 0 to 8; labels are 0 to 1.",
  ],
  [
    `input row: f32[N, 4]\n input x: f32[N, 2, 2, 2, 3]\n ${LABELS}\n` +
      `from x -> flatten -> concat(row) -> ${CLASSES}`,
    "`row` is 4 features, `x` is 2 x 2 x 2 x 3 in row-major order; labels are 0 to 1.",
  ],
  [
    "input z: f32[N, 8] of normal\n linear(16) -> reshape([1, 4, 4])",
    "`z` is noise, 8 numbers an example, which `predict` is given.",
  ],
];

test.each(CASES)("%s", (body, words) => {
  for (const predictOnly of [false, true]) {
    const { declarations, diagnostics } = compile(`model M { ${body} }`, {
      file: "m.net",
      predictOnly,
    });
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    const [inputs] = words.split("; ");
    const wanted = predictOnly ? inputs!.replace(/\.?$/, ".") : words;
    expect(declarations).toContain(wanted);
  }
});
