/** Models of ONNX, by their references and by what other tools computed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { imported, outputsOf, relativeError } from "./imported.js";

const fixtures = join(import.meta.dirname, "../fixtures/onnx");

describe("PaddleOCR's text direction classifier", () => {
  const path = join(fixtures, "ch_ppocr_mobile_v2.0_cls_infer.onnx");

  it("gives what onnxruntime gives", async () => {
    const { model } = await imported(path, { input: [3, 48, 192] });
    const images = Float32Array.from({ length: 3 * 48 * 192 }, (_, i) => Math.sin(i * 0.01));
    const [up, down] = outputsOf(model, images);
    // onnxruntime-web 1.30.0
    expect(up).toBeCloseTo(0.41587409, 6);
    expect(down).toBeCloseTo(0.58412588, 6);
  });

  it("becomes a spec that says hard swish and gates, and no pieces of them", async () => {
    const { text, model } = await imported(path, { input: [3, 48, 192] });
    expect(text).toMatchSnapshot();
    const kinds = model.network.layers.map(({ definition }) => definition.name);
    const count = (kind: string) => kinds.filter((each) => each === kind).length;
    expect(count("scale") + count("relu6")).toBe(0);
    expect([count("hardswish"), count("hardsigmoid"), count("batchnorm")]).toEqual([18, 9, 35]);
  });

  it("asks for the sizes that the file leaves open", async () => {
    await expect(imported(path, {})).rejects.toThrow("leaves sizes of the input `x` open");
  });
});

describe("attention", () => {
  const kindsOf = async (name: string, input: readonly number[]) => {
    const { model, text } = await imported(join(fixtures, `${name}.onnx`), { input });
    return { text, kinds: model.network.layers.map(({ definition }) => definition.name) };
  };

  it("of torchvision's vision transformer is found, with its patches and parameters", async () => {
    const { text } = await kindsOf("torchvision-vit", [3, 8, 8]);
    expect(text).toMatchSnapshot();
  });

  it("of timm with a causal mask is found, for any number of examples", async () => {
    const { text, kinds } = await kindsOf("timm-attention", [7, 8]);
    expect(kinds.filter((kind) => kind === "attention")).toHaveLength(1);
    expect(text).toContain("attention(2, causal=true)");
  });
});

interface Case {
  readonly name: string;
  readonly input: readonly number[];
  readonly tolerance: number;
}

const cases = JSON.parse(readFileSync(join(fixtures, "cases.json"), "utf8")) as readonly Case[];

describe.each(cases)("$name", ({ name, input, tolerance }) => {
  it("gives what onnxruntime gives", async () => {
    const numbers = (file: string) => {
      const { buffer, byteOffset, byteLength } = readFileSync(join(fixtures, name + file));
      return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
    };
    const { model } = await imported(join(fixtures, `${name}.onnx`), { input: input.slice(1) });
    const got = outputsOf(model, numbers(".input.f32"));
    expect(relativeError(got, numbers(".expected.f32"))).toBeLessThan(tolerance);
  });
});
