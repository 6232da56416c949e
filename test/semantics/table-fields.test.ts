/** Which columns of a table hold which inputs and targets, and mistakes in saying so. */
import { describe, expect, test } from "vitest";
import { analyze } from "../../compiler/semantics/index.js";

const spec = (columns: string, more = "") =>
  `
model M {
  input  left: f32[N, 2]
  input  right: f32[N, 3, 2]
  target kind: u32[N] in 0..4
  target place: f32[N, 3]
  from right -> flatten as r
  from left -> concat(r) -> linear(8) as both
  linear(4) as logits
  from both -> linear(3) as moved
  loss cross_entropy(logits, kind) + mse(moved, place)
}
data D ${more} { train csv("t.csv", ${columns}) }
train T of M on D { epochs = 1; batch = 8; optimizer = adam }
`.replaceAll("; ", "\n  ");

function fieldsOf(text: string) {
  const { diagnostics, selected } = analyze(text, "a.net");
  const source = selected?.recipe?.data?.train?.source;
  const fields = source?.kind === "csv" ? source.fields : undefined;
  return { codes: diagnostics.map(({ code, message }) => `${code}: ${message}`), fields };
}

const ALL = 'left=["a", "b"], right="r*", kind="kind", place=["x", "y", "z"]';

describe("columns", () => {
  test.each(["", "for M"])("of each input and target, of data %s", (more) => {
    const { codes, fields } = fieldsOf(spec(ALL, more));
    expect(codes).toEqual([]);
    expect(fields).toEqual([
      { name: "left", role: "input", holds: "numbers", size: 2, columns: ["a", "b"] },
      { name: "right", role: "input", holds: "numbers", size: 6, columns: ["r*"] },
      { name: "kind", role: "target", holds: "class", size: 1, count: 4, columns: ["kind"] },
      { name: "place", role: "target", holds: "numbers", size: 3, columns: ["x", "y", "z"] },
    ]);
  });

  test("may be lists that constants name", () => {
    const named = spec('left=pair, right="r*", kind="kind", place=three, standardize=pair');
    const { codes, fields } = fieldsOf(
      `const pair = ["a", "b"]\nconst three = ["x", "y", "z"]\n${named}`,
    );
    expect(codes).toEqual([]);
    expect(fields!.map(({ columns }) => columns)).toEqual([
      ["a", "b"],
      ["r*"],
      ["kind"],
      ["x", "y", "z"],
    ]);
  });

  test("of numbers may be standardized, of a sequence by its channels", () => {
    const { codes, fields } = fieldsOf(spec(`${ALL}, standardize=["a", "r*"]`));
    expect(codes).toEqual([]);
    const columns = ["a", "r*"];
    expect(fields!.map(({ standardize }) => standardize)).toEqual([
      { columns, channels: 2, isLast: false },
      { columns, channels: 2, isLast: true },
      undefined,
      undefined,
    ]);
  });

  test("are standardized in both splits, or in none", () => {
    const own = `train csv("t.csv", ${ALL}, standardize=true)`;
    const both = (evaluated: string) =>
      spec(ALL).replace(`train csv("t.csv", ${ALL})`, `${own}\n  eval csv("e.csv", ${evaluated})`);
    expect(fieldsOf(both(`${ALL}, standardize=true`)).codes).toEqual([]);
    expect(fieldsOf(both(ALL)).codes.join()).toContain("do not standardize the same columns");
    const swapped = `${ALL.replace('"a", "b"', '"b", "a"')}, standardize=true`;
    expect(fieldsOf(both(swapped)).codes.join()).toContain("splits give `left` different columns");
  });

  test("one input may have all others", () => {
    const { codes, fields } = fieldsOf(spec(ALL.replace('right="r*", ', "")));
    expect(codes).toEqual([]);
    expect(fields![1]!.columns).toBeUndefined();
  });

  test.each([
    ['kind="k", place="p*"', "NET3027: `csv` does not say which columns hold `left` and `right`"],
    ['left="l*", kind="k"', "NET3027: `csv` does not say which columns hold `place`"],
    [
      ALL.replace('"a", "b"', '"a"'),
      "NET3027: `left` has 2 numbers an example, but `csv` names 1 column for it",
    ],
    [
      ALL.replace('kind="kind"', 'kind=["k", "l"]'),
      "NET3027: `kind` has 1 class an example, but `csv` names 2 columns for it",
    ],
    [ALL.replace('"x"', '"a"'), 'NET3027: the column "a" holds `left` and `place`'],
    [
      `${ALL}, label="k"`,
      "NET3027: `label` names columns, but those of `kind` and `place` are given by name",
    ],
    [`${ALL}, kind="k"`, "NET1006: `kind` of `csv` is given twice"],
    [`${ALL}, middle="m"`, "NET1002: `csv` has no argument `middle`"],
    [ALL.replace('"kind"', "3"), "NET1009: `kind` of `csv` must be a string in double quotes"],
  ])("%s is a mistake", (columns, message) => {
    const { codes } = fieldsOf(spec(columns));
    expect(codes.join("\n")).toContain(message);
  });

  test("of a model with an error are not said to be wrong, too", () => {
    const broken = spec(`${ALL}, label="k"`).replace("-> linear(8) as both", "-> linear(4, in=3)");
    expect(fieldsOf(broken).codes.join("\n")).toMatch(/^NET2002/);
    expect(fieldsOf(broken).codes.join("\n")).not.toContain("NET3027");
  });
});
