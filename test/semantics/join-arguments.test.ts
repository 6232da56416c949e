import { expect, test } from "vitest";
import { formatSpec } from "../../format/index.js";
import { analyze } from "../../compiler/semantics/index.js";

const model = (body: string) =>
  `model Net {\n  input image: f32[N, 4, 8, 8]\n\n${body.replace(/^/gm, "  ")}\n}\n`;

const read = (body: string) => analyze(model(body), "net.net");

/** Layers and shapes, and what the ops compute, without places in the text. */
function shown(body: string): unknown {
  const { diagnostics, models } = read(body);
  expect(diagnostics).toEqual([]);
  const { layers, graph } = models[0]!;
  const nodes = graph!.nodes.map(({ kind, attributes }) => ({ kind, attributes }));
  return { layers: layers.map(({ name, kind, output }) => ({ name, kind, output })), nodes };
}

test("residual(drop=) drops examples of its body", () => {
  const layers = "conv(4, kernel=3, padding=1) -> relu";
  const drops = shown(`residual(drop=0.25) { ${layers} } skip auto as sum`);
  expect(drops).toEqual(shown(`residual { ${layers} -> stochastic_depth(0.25) } skip auto as sum`));
  expect(drops).not.toEqual(shown(`residual { ${layers} } skip auto as sum`));
});

test("residual(drop=0) drops nothing", () => {
  expect(shown("residual(drop=0) { relu }")).toEqual(shown("residual { relu }"));
});

test("the rate of residual(drop=) may depend on a loop", () => {
  const { models, diagnostics } = read(
    "for i in 0..3 { residual(drop=0.1 * i) { conv(4, kernel=1) } }",
  );
  expect(diagnostics).toEqual([]);
  const kinds = models[0]!.layers.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "stochastic_depth")).toHaveLength(2);
});

test("concat(axis=) joins branches as named values", () => {
  const { models, diagnostics } = read(
    "concat(axis=rows) { branch { relu } branch { maxpool([2, 1]) } }",
  );
  expect(diagnostics).toEqual([]);
  expect(models[0]!.layers.at(-1)).toMatchObject({ kind: "concat", output: [4, 12, 8] });
});

test("arguments in front of branches are formatted like a call's", async () => {
  const body = "residual( drop = 0.1 ) { relu }\nconcat( axis=rows ){ branch { relu } branch { } }";
  const tidy = "residual(drop=0.1) { relu }\nconcat(axis=rows) { branch { relu } branch { } }";
  expect(await formatSpec(model(body))).toBe(model(tidy));
});

test.each([
  ["residual(drop=1) { relu }", "NET1010"],
  ["residual(rate=0.1) { relu }", "NET1002"],
  ["residual(0.1) { relu }", "NET1008"],
  ["concat(axis=tokens) { branch { relu } branch { tanh } }", "NET2035"],
  ["concat(axis=depth) { branch { relu } branch { tanh } }", "NET1011"],
  ["concat(axis=rows) { branch { relu } branch { conv(5, kernel=1) } }", "NET2019"],
])("%s is a mistake", (body, code) => {
  const { diagnostics, models } = read(body);
  expect(diagnostics.map((each) => each.code)).toEqual([code]);
  expect(models[0]!.graph).toBeUndefined();
});
