import { describe, expect, test } from "vitest";
import { build } from "../../compiler/network/build.js";
import { verify } from "../../compiler/ops/verify.js";
import { analyze } from "../../compiler/semantics/index.js";
import { expectRoundTrip, networksOf } from "./round-trip.js";

/** Two heads of one network. */
const specOf = (scores: string) => `model Net {
  input  image: f32[N, 3, 6, 6]
  target wanted: f32[N, 4]

  conv(4, kernel=3) -> relu -> flatten as features
  linear(4) as a
  from features -> linear(4) as b
  from features -> linear(5) as c
  metric size = mean(c)
  metric error = mse(a, wanted)
  ${scores}
}
`;

const found = (scores: string) =>
  analyze(specOf(scores), "m.net").diagnostics.map(({ code, message }) => `${code} ${message}`);

describe("scores of the network's values alone", () => {
  test.each([
    "loss mean((a - stop(b))^2)",
    "loss mean(a) + 0.5 * mean(max(sum((a - b)^2, over=channels) - 1, 0))",
    "loss mse(a, wanted) + mean(abs(a - b))\n  metric distance = mean(abs(a - b))",
    "loss kl(a, b, temperature=3)",
    "loss mse(a, wanted) + 0.5 * kl(a, b)",
    "loss mean(b * c)",
  ])("%s prints and means the same again", (scores) => {
    if (scores.includes("b * c")) {
      expect(found(scores)).toEqual([expect.stringContaining("NET2031")]);
      return;
    }
    const [network] = networksOf(specOf(scores));
    expectRoundTrip(network!);
    verify(build(network!));
  });

  test.each([
    ["loss mse(a, wanted) + mean((a - b)^2)", ["a"]],
    ["loss mean((a - b)^2)", ["c"]],
    ["loss mean((a - b)^2)\n  from a", ["a"]],
    ["loss kl(b, a)", ["b"]],
  ])("%s predicts %s", (scores, names) => {
    const [network] = networksOf(specOf(scores));
    expect(network!.outputs.map(({ name }) => name)).toEqual(names);
  });

  test.each([
    [
      "loss mse(a, b)",
      "NET1021 `b` is a value of the network, and a target or an input is expected",
    ],
    ["loss kl(a, a)", "NET2047 `kl` compares `a` with itself"],
    ["loss kl(a, c)", "NET2047 `kl` needs one shape, but `a` is [N, 4] and `c` is [N, 5]"],
    [
      "one { from features -> linear(3) as d }\n  two { from features -> linear(2) as d }\n" +
        "  loss kl(one.d, two.d)",
      "NET2047 `kl` needs one shape, but `one.d` is [N, 3] and `two.d` is [N, 2]",
    ],
    ["loss kl(a, wanted)", "NET1021 model `Net` has no value `wanted`"],
    ["loss mean(3)", "NET1040 the formula of a score needs a value of the network"],
  ])("%s is refused", (scores, message) => {
    expect(found(scores)[0]).toContain(message);
  });

  test("weights that only `kl` compares with are not trained", () => {
    expect(found("loss kl(a, b)").join()).toContain("NET2070 `b.weight`");
  });
});
