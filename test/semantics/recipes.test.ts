import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { analyze, type WeightsShapes } from "../../compiler/semantics/index.js";
import type { TrainRecipe } from "../../program/recipe.js";

const specOf = (settings: string) => `
model Small {
  input  image: f32[N, 3, 8, 8]
  target label: u32[N] in 0..4
  features { conv(4, kernel=3) as conv1 -> batchnorm as bn -> relu -> conv(4, kernel=3) as conv2 }
  classifier { flatten -> linear(4) as logits }
  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
}
train Head of Small {
  ${settings}
  epochs    = 5
  batch     = 8
  optimizer = sgd(lr=0.1, weight_decay=1e-4)
}`;

function recipeOf(settings: string): TrainRecipe {
  const { diagnostics, selected } = analyze(specOf(settings), "small.net");
  expect(diagnostics).toEqual([]);
  return selected!.recipe!;
}

test("settings become plain data", () => {
  const recipe = recipeOf(`
    lr_factors = [(features.*, 0.1), (*.bias, 2), (features.conv2, 0.5)]
    no_decay   = [*.bias, features.bn]
    accumulate = 4
    stop       = early_stopping(patience=3, min_delta=0.01, metric=top1)
    precision  = f32
    drop_last  = true
    sampling   = weighted([1, 2, 1, 1])
    average    = ema(0.9, every=4)
    freeze_statistics = [kind(batchnorm)]
    evaluate_every = 5 epochs
    schedule   = warmup(1 epochs) -> onecycle(peak=0.2)`);
  expect(recipe).toMatchObject({
    accumulate: 4,
    dropLast: true,
    sampling: { kind: "weighted", weights: [1, 2, 1, 1] },
    average: { kind: "ema", decay: 0.9, every: 4 },
    freezeStatistics: ["features.bn.running_mean", "features.bn.running_var"],
    evaluateEvery: { count: 5, unit: "epochs" },
    stop: { kind: "early_stopping", patience: 3, minimumChange: 0.01, metric: "top1" },
    precision: { kind: "f32" },
    schedule: { kind: "onecycle", peak: 0.2, from: 0.04, to: 4e-6 },
  });
  // Of several patterns that match, the last counts.
  expect(recipe.learningRateFactors).toEqual({
    "features.conv1.weight": 0.1,
    "features.conv1.bias": 2,
    "features.bn.weight": 0.1,
    "features.bn.bias": 2,
    "features.conv2.weight": 0.5,
    "features.conv2.bias": 0.5,
    "classifier.logits.bias": 2,
  });
  expect(recipe.noDecay).toEqual([
    ...["features.conv1.bias", "features.bn.weight", "features.bn.bias"],
    ...["features.conv2.bias", "classifier.logits.bias"],
  ]);
});

test("weights are chosen by the kind of their layer, too", () => {
  const { noDecay, freeze, learningRateFactors } = recipeOf(`
    no_decay   = [kind(batchnorm), *.bias]
    freeze     = kind(conv)
    lr_factors = [(kind(linear), 2)]`);
  expect(noDecay).toEqual([
    ...["features.conv1.bias", "features.bn.weight", "features.bn.bias"],
    ...["features.conv2.bias", "classifier.logits.bias"],
  ]);
  expect(freeze).toEqual([
    ...["features.conv1.weight", "features.conv1.bias"],
    ...["features.conv2.weight", "features.conv2.bias"],
  ]);
  expect(Object.keys(learningRateFactors!)).toEqual([
    "classifier.logits.weight",
    "classifier.logits.bias",
  ]);
});

test.each(["kind()", "kind(conv, linear)", "kind(3)", "kind(layer=conv)", "sort(conv)"])(
  "%s is not a pattern",
  (pattern) => {
    const { diagnostics } = analyze(specOf(`no_decay = [${pattern}]`), "small.net");
    expect(diagnostics.map(({ code }) => code)).toEqual(["NET1009"]);
  },
);

test("schedules follow one another where each says when it ends", () => {
  const { schedule, warmup } = recipeOf(
    "schedule = warmup(2 epochs) -> constant(until=4 epochs) -> cosine(to=0.1)",
  );
  expect(warmup!.duration).toEqual({ count: 2, unit: "epochs" });
  expect(schedule).toEqual({
    kind: "sequence",
    parts: [{ schedule: { kind: "constant" }, until: { count: 4, unit: "epochs" } }],
    last: { kind: "cosine", to: 0.1 },
  });
});

test.each([
  ["constant -> cosine", /another schedule follows `constant`/],
  ["constant(until=4 epochs)", /`constant` is the last schedule/],
  ["constant(until=4 epochs) -> cosine(until=3 epochs) -> constant", /`cosine` ends before/],
  ["warmup(4 epochs) -> constant(until=4 epochs) -> cosine", /`constant` ends before/],
  ["warmup(50 steps) -> constant(until=4 epochs) -> cosine", /`constant` .* use one unit/],
  ["constant(until=4 epochs) -> reduce_on_plateau", /must be the only schedule/],
  ["constant(until=4 epochs) -> warmup(2 epochs)", /only the first schedule can be `warmup`/],
])("the schedules %s are refused", (schedule, message) => {
  const { diagnostics } = analyze(specOf(`schedule = ${schedule}`), "small.net");
  const [{ code, message: said }] = diagnostics as [(typeof diagnostics)[number]];
  expect([code, said]).toEqual(["NET3015", expect.stringMatching(message)]);
});

test("reduce_on_plateau has PyTorch's defaults", () => {
  expect(recipeOf("schedule = reduce_on_plateau").schedule).toEqual({
    kind: "reduce_on_plateau",
    factor: 0.1,
    patience: 10,
    threshold: 1e-4,
    to: 0,
  });
});

test.each([
  ["gradient_clip_val", "did you mean `clip_norm`?"],
  ["clip_grad_norm_", "did you mean `clip_norm`?"],
  ["early_stopping_patience", "did you mean `stop`?"],
  ["batch_size", "did you mean `batch`?"],
  ["num_epochs", "did you mean `epochs`?"],
  ["warmup_steps", "the schedule begins with it"],
  ["learning_rate", "the optimizer takes it"],
  ["weight_decay", "the optimizer takes it"],
])("of another framework's setting `%s` it is said where it belongs", (name, hint) => {
  const { diagnostics } = analyze(specOf(`${name} = 1`), "small.net");
  const texts = diagnostics.flatMap(({ message, notes }) => [message, ...notes]);
  expect(texts).toContainEqual(expect.stringContaining(`train has no setting \`${name}\``));
  expect(texts.join()).toContain(hint);
});

test("a weights file that another recipe is to make comes with the command that makes it", () => {
  const settings = 'weights = load("../runs/head/weights.safetensors")';
  const other = specOf(settings).replace("train Head", "train Tail");
  const text = `${specOf("")}${other.slice(other.indexOf("train Tail"))}`;
  const { diagnostics } = analyze(text, "specs/small.net", {
    train: "Tail",
    readWeights: () => undefined,
  });
  expect(diagnostics.map(({ code }) => code)).toEqual(["NET3051"]);
  expect(diagnostics[0]!.notes.at(-1)).toBe(
    "a run of `Head` makes it: `netc train specs/small.net --train Head --out runs/head`",
  );
});

test("factors of a recipe come on top of those of its layers, in the update's constants", () => {
  const factorsOf = (spec: string) => {
    const { program, diagnostics } = compile(spec, { file: "small.net" });
    expect(diagnostics).toEqual([]);
    return program!.steps.train.map(({ constants }) => constants);
  };
  const text = specOf("lr_factors = [(features.conv1, 0.5)]");
  const byLayer = specOf("").replace(
    "conv(4, kernel=3) as conv1",
    "conv(4, kernel=3, lr=0.5, bias_lr=0.5) as conv1",
  );
  expect(factorsOf(text)).toEqual(factorsOf(byLayer));
  expect(factorsOf(text)).not.toEqual(factorsOf(specOf("")));
  const both = byLayer.replace("epochs ", "lr_factors = [(*.conv1, 2)]\n  epochs ");
  expect(factorsOf(both)).toEqual(factorsOf(specOf("")));
});

test("a loss scale is dynamic unless it is a number alone", () => {
  const lossScaleOf = (value: string) => {
    const { precision } = recipeOf(`precision = ${value}`);
    return precision?.kind === "f16" ? precision.lossScale : precision?.kind;
  };
  const dynamic = { kind: "dynamic", initial: 65536, growth: 2, backoff: 0.5, interval: 2000 };
  expect(lossScaleOf("f32")).toBe("f32");
  expect(lossScaleOf("f16")).toEqual(dynamic);
  expect(lossScaleOf("f16(loss_scale=dynamic, growth_factor=4)")).toEqual({
    ...dynamic,
    growth: 4,
  });
  expect(lossScaleOf("f16(loss_scale=1024, growth_interval=500)")).toEqual({
    ...dynamic,
    initial: 1024,
    interval: 500,
  });
  expect(lossScaleOf("f16(loss_scale=1024)")).toEqual({ kind: "static", scale: 1024 });
});

test(
  "a weights file may have names that the model has not, " +
    "if they are excepted or of an optimizer",
  () => {
    const own: [string, number[]][] = [
      ["features.conv1.weight", [4, 3, 3, 3]],
      ["features.conv1.bias", [4]],
      ["features.bn.weight", [4]],
      ["features.bn.bias", [4]],
      ["features.bn.running_mean", [4]],
      ["features.bn.running_var", [4]],
      ["features.conv2.weight", [4, 4, 3, 3]],
      ["features.conv2.bias", [4]],
    ];
    const others: [string, number[]][] = [
      ["features.bn.num_batches_tracked", []],
      ["optimizer.velocity.features.conv1.bias", [4]],
      ["head.weight", [2]],
    ];
    const file: WeightsShapes = { kind: "shapes", shapes: new Map([...own, ...others]) };
    const codesOf = (except: string) => {
      const text = specOf(`weights = load("w.safetensors", except=[${except}])`);
      const { diagnostics, selected } = analyze(text, "small.net", { readWeights: () => file });
      return [diagnostics.map(({ code }) => code), selected?.recipe?.weights?.except] as const;
    };
    const head = ["classifier.logits.weight", "classifier.logits.bias"];
    expect(codesOf("classifier.*, head")).toEqual([[], head]);
    expect(codesOf("classifier.*")).toEqual([["NET3053"], head]);
    expect(codesOf("head")[0]).toEqual(["NET3050"]);
    expect(codesOf("heads")[0]).toEqual(["NET3050", "NET3022"]);
    const { diagnostics } = analyze(specOf('weights = load("w", except=[conv2.*])'), "small.net");
    const messages = diagnostics.map(({ message }) => message);
    expect(messages).toContain("`conv2.*` matches no weights; did you mean `features.conv2.*`?");
  },
);

test.each([
  ["evaluate_every = 0.5 epochs", "NET1009", "a whole number of epochs or steps"],
  ["sampling = weighted([0, 0, 0, 0])", "NET3070", "all weights of `weighted` are 0"],
  ["freeze_statistics = [features.conv1]", "NET3022", "matches no statistics"],
])("%s", (setting, code, message) => {
  const { diagnostics } = analyze(specOf(setting), "small.net");
  expect(diagnostics.map((each) => each.code)).toContain(code);
  expect(diagnostics.map((each) => each.message).join("\n")).toContain(message);
});
