import { describe, expect, test } from "vitest";
import { analyze } from "../../compiler/semantics/index.js";
import { exporters } from "../../interchange/export/formats.js";
import type { ExportModel } from "../../interchange/export/model.js";
import type { ExportError } from "../../interchange/export/refusal.js";
import { TRANSFORMER } from "../runtime/transformer.js";
import { exportModel, sequenceCases } from "./export-cases.js";

const without = exporters.filter(({ holdsSequences }) => !holdsSequences);

test.each(without)("$title refuses sequences at the line of the first", (exporter) => {
  const { network } = analyze(TRANSFORMER, "t.net").selected!.model;
  const model = { network: network!, tensors: new Map() } as unknown as ExportModel;
  const choices = { as: "f32", softmax: false, preprocessing: false } as const;
  try {
    exporter.write(model, { ...choices, path: "t.out", version: "0" });
    expect.unreachable();
  } catch (error) {
    const { diagnostics } = error as ExportError;
    expect(diagnostics).toHaveLength(1);
    expect(diagnostics[0]!.message).toMatch(/^parameter `class_token` has no form in /);
    expect(diagnostics[0]!.primary.span.start.line).toBe(5);
  }
});

describe.each(without)("$title refuses", (exporter) => {
  test.each(sequenceCases)("$name", ({ text }) => {
    const request = { as: "f32", softmax: false, preprocessing: false, path: "m.out" } as const;
    expect(() => exporter.write(exportModel(text), { ...request, version: "0" })).toThrow(
      /sequences \[N, T, C\] are exported to ONNX and PyTorch alone|has no form in/,
    );
  });
});
