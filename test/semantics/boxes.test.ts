/** What specs with boxes may say, and what is said of the others. */
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";

interface Parts {
  readonly target?: string;
  readonly source?: string;
  readonly transforms?: string;
  readonly settings?: string;
}

function messagesOf({
  target = "boxes[N, 4] in 0..3",
  source = 'boxes("images", "labels")',
  transforms = "resize([8, 8])",
  settings = "",
}: Parts): readonly string[] {
  const text = `model M {
  input image: f32[N, 3, 8, 8]
  target boxes: ${target}
  conv(8, kernel=2, stride=2) as head
  loss yolo(head, boxes)
}
data D for M {
  train ${source} { ${transforms} }
  eval ${source} { resize([8, 8]) }
}
train T of M on D {
  epochs = 1
  batch = 4
  optimizer = sgd(lr=0.1)
  ${settings}
}
`;
  const { diagnostics } = compile(text, { file: "m.net" });
  return diagnostics.map(({ code, message }) => `${code} ${message}`);
}

test.each<Parts>([
  {},
  { source: 'boxes("images", "instances.json", classes=["a", "b", "c"])' },
  { transforms: "letterbox([8, 8]) -> hflip" },
  { settings: "stop = early_stopping(patience=2, metric=map50)" },
])("%j is right", (parts) => {
  expect(messagesOf(parts)).toEqual([]);
});

test("room for a hundred million boxes an image is refused before anything is allocated", () => {
  expect(messagesOf({ target: "boxes[N, 100000000] in 0..3" })).toEqual([
    "NET2013 room for 100,000,000 boxes takes 2.00 GB an image, and at most 100,000 are possible",
  ]);
  expect(messagesOf({ target: "boxes[N, 100000] in 0..3" })).toEqual([]);
});

test("names of classes are as many as the classes", () => {
  const message = "NET3025 `boxes` names 2 classes, but `boxes` has 3";
  const source = 'boxes("images", "labels", classes=["a", "b"])';
  expect(messagesOf({ source })).toEqual([message, message]);
});

test("a run watches only what is measured", () => {
  const settings = "stop = early_stopping(patience=2, metric=mapp)";
  expect(messagesOf({ settings })).toEqual([
    expect.stringContaining("NET3059 model `M` measures no `mapp`"),
  ]);
});

const wrongTarget = (target: string) => {
  const text = `model M {
  input image: f32[N, 3, 8, 8]
  target boxes: ${target}
  conv(8, kernel=2)
}
`;
  const { diagnostics } = compile(text, { file: "m.net" });
  return diagnostics.find(({ code }) => code === "NET2014")!;
};

test.each([
  ["boxes[N] in 0..3", "has 1 axis, not 2"],
  ["boxes[4, N] in 0..3", "its first axis is not the batch, `N`"],
])("says what is wrong with %s", (target, message) => {
  expect(wrongTarget(target).primary).toMatchObject({ message });
});

/** All messages on a detector of this target. */
const ofDetector = (target: string, loss = "yolo") =>
  compile(
    `model M {
  input image: f32[N, 3, 8, 8]
  target truth: ${target}
  conv(8, kernel=2) as cells
  loss ${loss}(cells, truth)
}
`,
    { file: "m.net" },
  ).diagnostics.map(({ message, fixes }) => [message, ...fixes.map(({ title }) => title)]);

test.each(["bboxes", "box", "boxs", "Boxes", "gt_boxes", "rects", "detections"])(
  "%s: one message, which offers boxes",
  (name) => {
    const message = `there is no target type \`${name}\`; did you mean \`boxes\`?`;
    expect(ofDetector(`${name}[N, 4] in 0..3`)).toEqual([[message, "write `boxes`"]]);
    expect(ofDetector(`${name}[N, 4]`)).toEqual([[message, "write `boxes`"]]);
  },
);

test.each([
  ["f32[N, 4] in 0..3", "yolo", ["write `boxes`"]],
  ["u32[N, 4] in 0..3", "yolo", ["write `boxes`"]],
  ["u32[N] in 0..8", "yolo", []],
  ["f32[N]", "mse", []],
])("%s for %s is one mistake", (target, loss, titles) => {
  const [[, ...fixes] = [], ...others] = ofDetector(target, loss);
  expect(others).toEqual([]);
  expect(fixes).toEqual(titles);
});

test("`sampling` of boxes says what they are", () => {
  const text = `model M {
  input image: f32[N, 3, 8, 8]
  target boxes: boxes[N, 5] in 0..3
  conv(8, kernel=1) as cells
  loss yolo(cells, boxes)
}
train T of M {
  epochs = 1
  batch = 2
  optimizer = sgd(lr=0.1)
  sampling = balanced
}`;
  const { diagnostics } = compile(text, { file: "m.net" });
  expect(diagnostics.map(({ message }) => message)).toEqual([
    "`sampling` draws examples by class, but model `M` is trained on boxes",
  ]);
});
