/** What a model without a loss of a target predicts, and that a choice among several is said. */
import { describe, expect, test } from "vitest";
import { analyze } from "../../compiler/index.js";

const HEAD = `fn distance(a, b) = sum((a - b)^2, over=channels)

model Net {
  input anchor: f32[N, 1, 8, 8]
  input positive: f32[N, 1, 8, 8]
  input negative: f32[N, 1, 8, 8]

  share embed { flatten -> linear(4) }

  from positive -> embed as same
  from negative -> embed as other
  from anchor -> embed as own
`;

const LOSS = "loss mean(max(distance(own, same) - distance(own, other) + 1, 0))";

const NEAR = "loss mean(max(near - distance(own, other) + 1, 0))";

const DATA = `
data Photos for Net { eval triplets(folder("photos")) }
`;

function analyzed(lines: string, data = "") {
  const { diagnostics, selected } = analyze(`${HEAD}\n${lines}\n}\n${data}`, "net.net");
  const codes = diagnostics.map(({ code }) => code);
  return { codes, message: diagnostics[0]?.message, outputs: selected?.model.network?.outputs };
}

describe("NET2062", () => {
  test("the last of several values is said, and which others there are", () => {
    const { codes, message } = analyzed(LOSS);
    expect(codes).toEqual(["NET2062"]);
    expect(message).toBe("model `Net` predicts `own`, its last value, and not `same` and `other`");
  });

  test("a value added below changes the choice, which is said", () => {
    const { codes, message } = analyzed(`let near = distance(own, same)\n${LOSS}`);
    expect(codes).toEqual(["NET2062"]);
    expect(message).toContain("predicts `near`, its last value");
  });

  test.each([
    ["before the loss", `from own\n${LOSS}`],
    ["behind it", `${LOSS}\nfrom own`],
    ["after another value", `let near = distance(own, same)\nfrom own\n${NEAR}`],
  ])("`from own` %s chooses", (_, lines) => {
    const { codes, outputs } = analyzed(lines, DATA);
    expect(codes).toEqual([]);
    expect(outputs).toMatchObject([{ name: "own.linear1" }]);
  });

  test("a single value that scores read needs no choice", () => {
    const gap = "let gap = distance(own, other) - distance(own, same)";
    expect(analyzed(`${gap}\nloss mean(max(1 - gap, 0))`).codes).toEqual([]);
  });
});

describe("NET3026", () => {
  const gap = "let gap = distance(own, other) - distance(own, same)";

  test("recall needs the anchor's embedding", () => {
    const { codes, message } = analyzed(`${gap}\nloss mean(max(1 - gap, 0))`, DATA);
    expect(codes).toEqual(["NET3026"]);
    expect(message).toContain("depends on `anchor`, `positive` and `negative`");
  });

  test("without an eval split there is nothing to say", () => {
    const data = DATA.replace("eval", "train");
    expect(analyzed(`${gap}\nloss mean(max(1 - gap, 0))`, data).codes).toEqual([]);
  });
});
