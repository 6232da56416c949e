import { portOf } from "../../compiler/ir/graph.js";
import { describe, expect, test } from "vitest";
import { analyze } from "../../compiler/semantics/index.js";
import { analyzed, codesOf } from "./spec.js";

const namesOf = (layers: string) => analyzed(layers).models[0]!.layers.map(({ name }) => name);

describe("names", () => {
  test("layers without a name are numbered per section and kind", () => {
    expect(
      namesOf(`
        conv(4, kernel=3)
        a { conv(4, kernel=3) -> relu -> conv(4, kernel=3) as named -> relu
            inner { conv(4, kernel=3) -> conv(4, kernel=3) } }
        b { conv(4, kernel=3) }`),
    ).toEqual([
      "conv1",
      "a.conv1",
      "a.relu1",
      "a.named",
      "a.relu2",
      "a.inner.conv1",
      "a.inner.conv2",
      "b.conv1",
    ]);
  });

  test("a value is found by its last name, and by its full name where that is not enough", () => {
    const layers = "a { flatten -> linear(10) as out }\nb { linear(10) as out }\n";
    expect(codesOf(analyzed(layers, { loss: "loss cross_entropy(out, label)" }))).toEqual([
      "NET1021",
    ]);
    const { diagnostics, models } = analyzed(layers, { loss: "loss cross_entropy(b.out, label)" });
    expect(diagnostics).toEqual([]);
    expect(portOf(models[0]!.graph!, "prediction").name).toBe("b.out");
  });
});

describe("constants and parameters", () => {
  test("arithmetic keeps integers where it can", () => {
    const before = "const a = 7 - 2 * 3 + 64 / 32 + 9 % 4\nconst b = -a + 20";
    const { models, diagnostics } = analyzed("flatten -> linear(a) -> linear(b)", { before });
    expect(diagnostics).toEqual([]);
    expect(models[0]!.layers.map(({ output }) => output)).toEqual([[3072], [4], [16]]);
  });

  const text = `
    model M(classes: int = 10, width: int = 4) {
      input image: f32[N, 1, 8, 8]
      target label: u32[N] in 0..classes
      conv(width, kernel=3) -> flatten -> linear(classes) as logits
      loss cross_entropy(logits, label)
    }
    train Base of M { epochs = 1
      batch = 2
      optimizer = sgd(lr=0.1) }
    train Wide of M(classes=20, width=8) { epochs = 1
      batch = 2
      optimizer = sgd(lr=0.1) }`;

  test("a recipe binds the model's parameters", () => {
    const { selected, models, diagnostics } = analyze(text, "m.net", { train: "Wide" });
    expect(diagnostics).toEqual([]);
    expect(models[0]!.classes).toBe(10);
    expect(selected!.recipe!.name).toBe("Wide");
    expect(selected!.model.classes).toBe(20);
    expect(selected!.model.layers[0]!.output).toEqual([8, 6, 6]);
  });

  test("the first recipe is selected unless another is named", () => {
    expect(analyze(text, "m.net").selected!.recipe!.name).toBe("Base");
    expect(
      analyze(text, "m.net", { modelArguments: { width: 2 } }).selected!.model.layers[0]!.output,
    ).toEqual([2, 6, 6]);
  });

  test("a model or recipe that does not exist is a mistake of whoever asks", () => {
    expect(codesOf(analyze(text, "m.net", { train: "Bas" }))).toEqual(["NET1023"]);
    expect(codesOf(analyze(text, "m.net", { model: "X" }))).toEqual(["NET1023"]);
  });
});

describe("the graph", () => {
  const loss =
    "loss cross_entropy(logits, label, label_smoothing=0.1)\n" +
    "metric top3 = accuracy(logits, label, k=3)";
  const { models } = analyzed(
    "conv(4, kernel=3, groups=1) -> relu -> lrn(3) -> avgpool(2)\n" +
      "dropout(0.5) -> flatten -> dropout(0.1) -> linear(10) as logits",
    { loss },
  );
  const graph = models[0]!.graph!;

  test("ends in loss and metrics of the logits", () => {
    expect(portOf(graph, "prediction").name).toBe("logits");
    const shapes = graph.metrics.map(({ name, terms }) => [name, terms[0]!.value.shape]);
    expect(shapes).toEqual([
      ["loss", ["N"]],
      ["top3", ["N"]],
    ]);
    expect(graph.nodes.at(-1)!.attributes).toEqual({ k: 3 });
  });

  test("gives every dropout a separate stream", () => {
    const streams = JSON.stringify(graph.nodes).match(/"stream":\d+/g);
    expect(streams).toEqual(['"stream":1', '"stream":2']);
  });

  test("says of every node where in the spec it comes from", () => {
    for (const { origin } of graph.nodes) expect(origin.span.start.line).toBeGreaterThan(4);
  });

  test("factors and frozen layers reach the parameters", () => {
    const layers = "flatten -> linear(4, lr=0, bias_lr=2, decay=3, bias_decay=0) -> linear(2)";
    const [weight, bias] = analyzed(layers).models[0]!.graph!.parameters;
    expect(weight).toMatchObject({ trainable: false, decayFactor: 3 });
    expect(bias).toMatchObject({ trainable: true, learningRateFactor: 2, decayFactor: 0 });
  });
});
