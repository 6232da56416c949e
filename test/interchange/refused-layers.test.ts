/** Layers that a format lacks: each is refused by its name, at its line of the spec. */
import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { exporters } from "../../interchange/export/formats.js";
import type { Exporter } from "../../interchange/export/exporter.js";
import type { ExportModel } from "../../interchange/export/model.js";
import { ExportError } from "../../interchange/export/refusal.js";
import { exportModel, formulaCases, graphSamples } from "./export-cases.js";

/** What is said of a model that the format cannot hold; nothing where it is written. */
function refusals(exporter: Exporter, model: ExportModel): readonly Diagnostic[] {
  const choices = { as: "f32", softmax: false, preprocessing: false, version: "0" } as const;
  try {
    exporter.write(model, { ...choices, path: `model${exporter.extension}` });
    return [];
  } catch (error) {
    if (error instanceof ExportError) return error.diagnostics;
    throw error;
  }
}

const FORMATS = exporters.map((exporter) => [exporter.title, exporter] as const);
const OF_LAYERS = FORMATS.filter(([, { holdsSequences }]) => !holdsSequences);

test("two formats hold layers only", () => {
  expect(OF_LAYERS.map(([title]) => title)).toEqual(["Keras", "TensorFlow.js"]);
});

describe.each(OF_LAYERS)("%s", (title, exporter) => {
  test.each(graphSamples)("$name", ({ name, text }) => {
    const [kind] = name.split(" ");
    const found = refusals(exporter, exportModel(text));
    expect(found.map(({ code }) => code)).toEqual(["NET5001"]);
    const [{ message, primary }] = found as [Diagnostic];
    expect(message).toMatch(new RegExp(`^${kind} \`.*\` has no form in ${title}: `));
    expect(primary.span.start.line).toBe(
      text.split("\n").findIndex((line) => line.startsWith("from")) + 1,
    );
  });

  test("formulas with comparisons, choices and reductions", () => {
    for (const { text } of formulaCases) {
      const found = refusals(exporter, exportModel(text));
      expect(found.map(({ code }) => code)).toContain("NET5001");
    }
  });
});

test.each(FORMATS)("%s refuses a layer that it does not know at its line", (title, exporter) => {
  const model = exportModel("model M {\ninput x: f32[N, 3, 4, 4]\nrelu\nsigmoid as new\n}");
  const { network } = model;
  const layers = network.layers.map((layer) =>
    layer.definition.name === "sigmoid"
      ? { ...layer, definition: { ...layer.definition, name: "unheard_of" } }
      : layer,
  );
  const found = refusals(exporter, { ...model, network: { ...network, layers } });
  expect(found.map(({ code }) => code)).toEqual(["NET5001"]);
  expect(found[0]!.message).toContain(`unheard_of \`new\` has no form in ${title}`);
  expect(found[0]!.primary.span.start.line).toBe(4);
});

test.each(FORMATS)("%s refuses a pool that is undone, at its line", (title, exporter) => {
  const pools = "maxpool(2) as pool\nmax_unpool(pool)";
  const found = refusals(exporter, exportModel(`model M {\ninput x: f32[N, 3, 4, 4]\n${pools}\n}`));
  expect(found.map(({ code }) => code)).toEqual(["NET5001"]);
  expect(found[0]!.message).toContain(`max_unpool \`max_unpool1\` has no form in ${title}`);
  expect(found[0]!.primary.span.start.line).toBe(4);
});

test("channels last have no values of more than four axes", () => {
  const moves = "reshape([3, 2, 2, 2, 2]) -> relu -> permute([0, 1, 2, 4, 3, 5])\nflatten";
  const model = exportModel(`model M {\ninput x: f32[N, 3, 4, 4]\n${moves}\n}`);
  for (const [, exporter] of OF_LAYERS) {
    const found = refusals(exporter, model);
    expect(found.map(({ code }) => code)).toEqual(["NET5001"]);
    expect(found[0]!.message + found[0]!.notes.join()).toContain("a value of 6 axes");
  }
});
