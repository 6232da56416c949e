import { describe, expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import { trainedParameters } from "../../compiler/ir/fusion.js";
import { differentiate } from "../../compiler/passes/differentiate.js";

/** Two branches, of which a formula or a layer joins the values. */
function specOf(statements: string, recipe = "") {
  return `model Net {
  input  image: f32[N, 3, 6, 6]
  target label: u32[N] in 0..4

  conv(4, kernel=3, padding=1) as a
  from image -> conv(4, kernel=3, padding=1) as b
  ${statements}
  flatten -> linear(4) as logits
  loss cross_entropy(logits, label)
}
${recipe}`;
}

const trainOf = (settings: string) =>
  `train Base of Net {\n  epochs = 1\n  batch = 2\n  optimizer = sgd(lr=0.1)\n  ${settings}\n}`;

function trainedBy(text: string): readonly string[] {
  const { selected } = analyze(text, "net.net");
  return trainedParameters(differentiate(selected!.model.graph!)).map(
    ({ parameter }) => parameter.name,
  );
}

const found = (text: string) =>
  analyze(text, "net.net").diagnostics.map(({ code, message }) => `${code} ${message}`);

describe("stop", () => {
  test.each([
    ["let y = a + b", ["a", "b", "logits"]],
    ["let y = a * stop(b)", ["a", "logits"]],
    ["let y = stop(a * b) + b", ["b", "logits"]],
    ["let y = stop(a + b)", ["logits"]],
    ["let y = stop(mean(a, over=channels)) * b", ["b", "logits"]],
    ["from a -> stop -> add(b)", ["b", "logits"]],
    ["from a -> relu -> stop -> tanh -> multiply(b)", ["b", "logits"]],
    ["let y = a * stop(a) + b", ["a", "b", "logits"]],
  ])("%s trains %s", (statement, layers) => {
    const names = layers.flatMap((layer) => [`${layer}.weight`, `${layer}.bias`]);
    expect(trainedBy(specOf(statement)).toSorted()).toEqual(names.toSorted());
  });

  test.each(["stop", "relu -> stop", "relu -> stop -> maxpool(2)"])(
    "`%s` costs no kernel",
    (chain) => {
      const stepsOf = (text: string) => {
        const { train, predict } = compile(text, { file: "net.net", target: "gpu" }).program!.steps;
        return { train: train.length, predict: predict.length };
      };
      const [plain] = [chain.replace("-> stop", "").replace("stop", "identity")];
      const frozen = trainOf("freeze = [a.*]");
      const made = stepsOf(specOf(`from a -> ${chain} -> flatten as c`, frozen));
      expect(made).toEqual(stepsOf(specOf(`from a -> ${plain} -> flatten as c`, frozen)));
    },
  );
});

describe("weights that no gradient comes to", () => {
  const warning =
    "NET2070 `a.weight` and 1 more get no gradient: the loss depends on them only through `stop`";

  test("are warned of with and without a recipe", () => {
    expect(found(specOf("let y = stop(a) + b"))).toEqual([warning]);
    expect(found(specOf("let y = stop(a) + b", trainOf("")))).toEqual([warning]);
  });

  test("may be frozen", () => {
    expect(found(specOf("let y = stop(a) + b", trainOf("freeze = [a.*]")))).toEqual([]);
  });

  test("are not all weights", () => {
    const text = specOf("let y = a + b").replace(" as logits\n", " -> stop as logits\n");
    const nothing =
      "NET3023 `stop` keeps the loss from training any weights of model `Net`, " +
      "and so nothing changes";
    expect(found(text)).toEqual([nothing]);
    expect(found(`${text}${trainOf("")}`)).toEqual([nothing]);
    const rest = specOf("let y = stop(a + b)", trainOf("freeze = [logits.*]"));
    expect(found(rest)).toEqual([nothing]);
  });
});
