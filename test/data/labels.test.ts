/** One rule says what a label is, whatever the source. */
import { expect, test } from "vitest";
import { numberLabels, numberNames, type LabelRules } from "../../runtime/node/data/labels.js";

const placeOf = (index: number) => `data.csv:${index + 1}`;

function number(texts: readonly string[], rules: LabelRules = {}, names?: readonly string[]) {
  const { classes, numbers } = numberLabels({ name: "data", texts, placeOf, names }, rules);
  return { classes: classes.join(" "), numbers: [...numbers] };
}

const twelve = Array.from({ length: 12 }, (_, index) => String(index));

test.each<[string, readonly string[], string, readonly number[]]>([
  ["whole numbers", ["2", "0"], "0 1 2", [2, 0]],
  ["numbers with a point, as pandas writes them", ["11.0", "2.0"], twelve.join(" "), [11, 2]],
  ["numbers with zeros in front", ["03", "1"], "0 1 2 3", [3, 1]],
  ["names", ["dog", "cat", "dog"], "cat dog", [1, 0, 1]],
  ["names some of which are digits", ["A", "7", "B"], "7 A B", [1, 0, 2]],
])("%s", (_, texts, classes, numbers) => {
  expect(number(texts)).toEqual({ classes, numbers });
});

test.each<[string, readonly string[], readonly string[], string, readonly number[]]>([
  ["names by name", ["dog"], ["ant", "cat", "dog"], "ant cat dog", [2]],
  ["numbers, of which training has more", ["1"], ["0", "1", "2"], "0 1 2", [1]],
  ["numbers, of which training has fewer", ["3"], ["0", "1"], "0 1 2 3", [3]],
  ["numbers by the names of training", ["10", "2"], ["0", "1", "10", "2"], "0 1 10 2", [2, 3]],
  ["numbers by names with a point", ["10", "2"], ["0.0", "10.0", "2.0"], "0.0 10.0 2.0", [1, 2]],
])("the eval split follows training: %s", (_, texts, classes, all, numbers) => {
  const notices: string[] = [];
  const onNotice = (notice: string) => notices.push(notice);
  expect(number(texts, { classes, onNotice })).toEqual({ classes: all, numbers });
  expect(notices).toEqual([]);
});

test("numbers where training has names are positions, which is said", () => {
  const notices: string[] = [];
  const onNotice = (notice: string) => notices.push(notice);
  const rules = { classes: ["cat", "dog"], onNotice };
  expect(number(["1", "0"], rules)).toEqual({ classes: "cat dog", numbers: [1, 0] });
  expect(notices).toEqual([
    "data has numbers for labels where training has names: 0 = cat, 1 = dog are assumed",
  ]);
  expect(() => number(["0", "2"], rules)).toThrow(
    "data.csv:2: the label is 2, but training has 2 classes: 0 to 1",
  );
});

test("numbers that a source names follow the names of training", () => {
  const names = ["owl", "cat"];
  expect(number(["1", "0"], {}, names)).toEqual({ classes: "owl cat", numbers: [1, 0] });
  const sorted = ["cat", "dog", "owl"];
  expect(number(["1", "0"], { classes: sorted }, names).numbers).toEqual([0, 2]);
  expect(number(["1", "0"], { classes: ["0", "1"] }, names).numbers).toEqual([1, 0]);
  expect(() => number(["0"], { classes: ["cat", "dog"] }, names)).toThrow(/does not have: owl/);
});

test.each<[string, readonly string[], LabelRules, RegExp, RegExp?]>([
  ["empty", ["1", ""], {}, /^data\.csv:2: the label is empty/, /class number or a class name/],
  ["negative", ["1", "-1"], {}, /^data\.csv:2: the label is -1, .*no label/, /without labels/],
  ["negative among names", ["cat", "-1"], {}, /:2: the label is -1/],
  ["a fraction", ["1", "0.5"], {}, /:2: the label is 0\.5, which is not a whole number/],
  ["infinite", ["1e999"], {}, /not a whole number/],
  ["an identifier", ["1", "1234567"], {}, /:2: the label is 1234567, but at most/, /a letter/],
  [
    "counted from 1",
    ["1", "3"],
    { classCount: 3 },
    /:2: the label is 3, but the network has 3 classes: 0 to 2/,
    /class numbers count from 0, but these are 1 to 3: subtract 1 from each, or give the model 4/,
  ],
  ["one too many", ["0", "3"], { classCount: 3 }, /has 3 classes/, /give the model 4 classes/],
  ["unknown to training", ["5"], { classes: ["1", "10"] }, /training does not have: 5/],
])("a label that is %s is refused with its place", (_, texts, rules, message, hint = /./) => {
  expect(() => number(texts, rules)).toThrow(
    expect.objectContaining({
      name: "DataError",
      message: expect.stringMatching(message) as string,
      hint: expect.stringMatching(hint) as string,
    }),
  );
});

test("names of folders are names, even if they are numbers", () => {
  const { classes, numbers } = numberNames("data", ["1", "10", "2"], undefined);
  expect([classes, [...numbers]]).toEqual([
    ["1", "10", "2"],
    [0, 1, 2],
  ]);
});
