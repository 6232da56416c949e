import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { analyze, type AnalyzedLayer, type AnalyzedModel } from "../../compiler/semantics/index.js";
import { makeDiagram } from "../../picture/diagram.js";
import { drawModel } from "../../picture/index.js";
import { layOut, type Rectangle } from "../../picture/layout.js";
import { shortCount } from "../../picture/measure.js";
import { textWidth } from "../../picture/text.js";

function modelOf(file: string): AnalyzedModel {
  return analyze(readFileSync(`specs/${file}.net`, "utf8"), `${file}.net`).selected!.model;
}

const place = { line: 1, column: 1, span: undefined as never, uses: [], macsBackward: 0 };
const SHAPE = [8, 4, 4];

/** conv, relu, then the relu's value twice: through a convolution, and as it is. */
const layers: readonly AnalyzedLayer[] = [
  { name: "conv1", kind: "conv", call: "conv(8)", inputs: [-1], group: 0, macs: 9 },
  { name: "relu1", kind: "relu", call: "relu", inputs: [0], group: 0, macs: 0 },
  { name: "basic1.conv1", kind: "conv", call: "conv(8)", inputs: [1], group: 2, macs: 9 },
  { name: "add1", kind: "add", call: "add", inputs: [2, 1], macs: 0 },
].map((layer) => ({ ...place, ...layer, weights: layer.name, output: SHAPE, parameters: 0 }));

const joined = {
  name: "Joined",
  arguments: {},
  input: { name: "image", shape: SHAPE, span: undefined as never },
  inputs: [{ name: "image", shape: SHAPE, span: undefined as never }],
  layers,
  groups: [
    { name: "stem", label: "stem", kind: "section", span: undefined as never },
    { name: "basic1", label: "basic(8)", kind: "block", span: undefined as never },
    { name: "basic1", label: "residual", kind: "residual", parent: 1, span: undefined as never },
  ],
  hasLoss: false,
  ofScores: new Set(),
} as const satisfies AnalyzedModel;

describe("a diagram", () => {
  it("puts a layer that keeps its only reader's shape into the box before it", () => {
    const { boxes } = makeDiagram(joined);
    expect(boxes.map(({ rows }) => rows.map(({ layer }) => layer.name))).toEqual([
      ["conv1", "relu1"],
      ["basic1.conv1"],
      ["add1"],
    ]);
  });

  it("frames sections and blocks, and names the block's use", () => {
    const { boxes, frames } = makeDiagram(joined);
    expect(frames.map(({ label }) => label)).toEqual(["stem", "basic1: basic(8)"]);
    expect(boxes.map(({ frame }) => frame)).toEqual(["frame0", "frame1", undefined]);
  });

  it("wires every value to every reader, with its shape", () => {
    const wires = makeDiagram(joined).wires.map(({ from, to, shape }) => [from, to, shape]);
    expect(wires).toEqual([
      ["input", "box0", "8 × 4 × 4"],
      ["box0", "box2", "8 × 4 × 4"],
      ["box2", "box3", "8 × 4 × 4"],
      ["box0", "box3", "8 × 4 × 4"],
    ]);
  });
});

it("what formulas of losses and metrics compute is not drawn", async () => {
  const text = `model M {
    input  image: f32[N, 1, 4, 4]
    target label: u32[N] in 0..3
    flatten -> linear(3) -> softmax as p
    loss mean(1 - sum(p * one_hot(label), over=channels))
    metric brier = mean(sum((p - one_hot(label))^2, over=channels))
  }`;
  const { selected, diagnostics } = analyze(text, "m.net");
  expect(diagnostics).toEqual([]);
  const { boxes } = makeDiagram(selected!.model);
  const rows = boxes.flatMap((box) => box.rows.map(({ layer }) => layer.name));
  expect(rows).toEqual(["flatten1", "linear1", "p"]);
  expect(await drawModel(selected!.model, { fused: true })).not.toContain("one_hot");
});

describe("a layout", () => {
  it("keeps boxes apart, inside their frames and the picture", async () => {
    const diagram = makeDiagram(joined);
    const layout = await layOut(diagram);
    const boxes = [...layout.boxes.values()];
    for (const [index, box] of boxes.entries()) {
      for (const other of boxes.slice(index + 1)) expect(overlap(box, other)).toBe(false);
      expect(contains({ x: 0, y: 0, ...layout }, box)).toBe(true);
    }
    for (const { id, frame } of diagram.boxes) {
      if (frame) expect(contains(layout.frames.get(frame)!, layout.boxes.get(id)!)).toBe(true);
    }
  });

  it("ends every wire at the edges of its boxes", async () => {
    const diagram = makeDiagram(joined);
    const layout = await layOut(diagram);
    for (const { id, from, to } of diagram.wires) {
      const { points } = layout.wires.get(id)!;
      const source = layout.boxes.get(from)!;
      expect(points[0]!.y).toBeCloseTo(source.y + source.height, 3);
      expect(points.at(-1)!.y).toBeCloseTo(layout.boxes.get(to)!.y, 3);
    }
  });
});

describe("a picture", () => {
  it("shows layers, costs and shapes of AlexNet", async () => {
    const svg = await drawModel(modelOf("alexnet"));
    for (const text of [
      "61.1 M parameters, 714 M MACs per image",
      ">conv1<",
      ">conv(64, kernel=11, stride=4, padding=2)<",
      ">307 k parameters, 224 M MACs<",
      ">192 × 27 × 27<",
      "features.conv2: conv(192, kernel=5, padding=2), line",
    ]) {
      expect(svg).toContain(text);
    }
    expect(svg).not.toContain('class="kernel"');
  });

  it("outlines the kernels of several layers", async () => {
    const svg = await drawModel(modelOf("alexnet"), { fused: true });
    // relu with the pool behind it three times, convolution with relu twice, linear with relu
    // twice.
    expect(svg.split('class="kernel"').length - 1).toBe(7);
    expect(svg).toContain("one kernel in prediction");
    expect(await drawModel(modelOf("alexnet"))).not.toContain("one kernel in prediction");
  });

  it("escapes what is special in XML", async () => {
    const model = { ...joined, name: "A<B&C" };
    expect(await drawModel(model)).toContain("A&lt;B&amp;C");
  });
});

describe("text", () => {
  it("is wider for more and for wider characters", () => {
    expect(textWidth("mm", 10)).toBeGreaterThan(textWidth("m", 10));
    expect(textWidth("WWW", 10)).toBeGreaterThan(textWidth("iii", 10));
  });

  it.each([
    [0, "0"],
    [999, "999"],
    [23296, "23.3 k"],
    [999_600, "1 M"],
    [61_100_840, "61.1 M"],
    [1_498_376_192, "1.5 G"],
  ])("shortens %d to %s", (count, text) => {
    expect(shortCount(count)).toBe(text);
  });
});

function contains(outer: Rectangle, inner: Rectangle): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

function overlap(a: Rectangle, b: Rectangle): boolean {
  const apart = (from: number, size: number, other: number, otherSize: number) =>
    from + size <= other || other + otherSize <= from;
  return !apart(a.x, a.width, b.x, b.width) && !apart(a.y, a.height, b.y, b.height);
}
