/** Settings about the statistics of batches, where a recipe keeps running ones as they are. */
import { expect, test } from "vitest";
import { compile } from "../../compiler/index.js";

const specOf = (settings: string) => `
model M {
  input x: f32[N, 6]
  target label: u32[N] in 0..3
  old { linear(8, bias=false) -> batchnorm -> relu -> linear(3) as logits }
  from x -> linear(8, bias=false) -> batchnorm as bn -> relu -> linear(3) as logits
  loss cross_entropy(logits, label) + kl(logits, old.logits)
}
train T of M {
  epochs = 1
  optimizer = sgd(lr=0.1)
  ${settings}
}`;

const TEACHER = 'teacher = load("t.safetensors", into=old)';
const ALL = "freeze_statistics = [kind(batchnorm)]";
/** Those of one of the two layers that train. */
const SOME = "freeze_statistics = [bn]";

const SWA = "batch = 8\n  average = swa(start=2 steps, every=1 steps)";
const SYNC = "batch = 8\n  sync_batchnorm = true";
const SINGLE = "batch = 1";
const SLICED = "batch = 8\n  accumulate = 8";

test.each([
  [SINGLE, "NET3065"],
  [SLICED, "NET3065"],
])("%s: %s where a layer takes the statistics of a batch", (setting, code) => {
  const codes = (...settings: readonly string[]) =>
    compile(specOf([setting, ...settings].join("\n  ")), { file: "m.net" }).diagnostics.map(
      (each) => each.code,
    );
  expect(codes()).toContain(code);
  expect(codes(SOME)).toContain(code);
  expect(codes(TEACHER)).toContain(code);
  expect(codes(ALL)).not.toContain(code);
  expect(codes(TEACHER, SOME)).not.toContain(code);
});

test("`swa` measures the layers that take the statistics of a batch", () => {
  const bounded = SWA.replace("every=1 steps", "every=1 steps, batches=2");
  const found = (...settings: readonly string[]) =>
    compile(specOf(settings.join("\n  ")), { file: "m.net" });
  const codesOf = (...settings: readonly string[]) =>
    found(...settings).diagnostics.map(({ code }) => code);
  const measured = (...settings: readonly string[]) =>
    found(...settings).program?.measured?.layers.map(({ parameters }) => parameters.length);
  expect(measured(SWA)).toEqual([2, 2]);
  expect(measured(SWA, SOME)).toEqual([2]);
  expect(measured(SWA, TEACHER)).toEqual([2]);
  expect(measured(SWA, ALL)).toBeUndefined();
  expect(measured("batch = 8\n  average = ema(0.9)")).toBeUndefined();
  expect(codesOf(bounded, SOME)).not.toContain("NET3073");
  expect(codesOf(bounded, ALL)).toContain("NET3073");
  expect(codesOf(SWA, ALL)).not.toContain("NET3073");
});

test("sync_batchnorm has no effect where all statistics are kept", () => {
  const said = (...settings: readonly string[]) =>
    compile(specOf([SYNC, ...settings].join("\n  ")), { file: "m.net" }).diagnostics.filter(
      ({ code }) => code === "NET3069",
    );
  expect(said()).toEqual([]);
  expect(said(SOME)).toEqual([]);
  expect(said(TEACHER)).toEqual([]);
  const message = "no `batchnorm` of model `M` is trained by the statistics of a batch";
  for (const settings of [[ALL], [TEACHER, SOME]])
    expect(said(...settings)).toMatchObject([{ message: expect.stringContaining(message) }]);
});

test("mean and variance of a layer are kept together", () => {
  const { programs, diagnostics } = compile(
    specOf("batch = 8\n  freeze_statistics = [bn.running_mean]"),
    { file: "m.net" },
  );
  const said = diagnostics.filter(({ code }) => code === "NET3069");
  expect(said.map(({ message }) => message)).toEqual([
    "`freeze_statistics` matches `bn.running_mean`, but not `bn.running_var` of the same " +
      "layer",
  ]);
  const kept = programs[0]!.parameters.filter((each) => each.kept).map(({ name }) => name);
  expect(kept).toEqual(["bn.running_mean", "bn.running_var"]);
});
