import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { analyze } from "../../compiler/index.js";
import {
  planFor,
  specText,
  type Survey,
  surveyListed,
  surveyPictures,
  surveyTable,
} from "../../starter/index.js";
import { temporaryFolder } from "../data/pattern.js";
import { type Painted, paint, shades, writeFiles } from "./pictures.js";

const root = await temporaryFolder();

/** A survey of files that are written first. */
async function surveyOf(
  name: string,
  files: Readonly<Record<string, Painted | Uint8Array | string>>,
) {
  return surveyPictures(await writeFiles(join(root, name), files));
}

async function textOf(survey: Survey): Promise<string> {
  return specText(survey, planFor(survey), {
    model: "Photos",
    train: "photos",
    evaluation: survey.evaluation !== undefined ? "photos/val" : undefined,
  });
}

const PICTURES: Survey = {
  kind: "pictures",
  train: "photos",
  classes: [],
  notices: [],
  shorterSide: { least: 9, median: 99, most: 999 },
  longerSide: { least: 9, median: 99, most: 999 },
  aspect: { least: 1, median: 1, most: 1 },
  oneSize: undefined,
  isGray: false,
  gray: 0,
  rotated: 0,
  unreadable: [],
  duplicates: [],
  input: [32, 32],
  statistics: { mean: [0, 0, 0], std: [1, 1, 1] },
  decoded: 1000,
};

const diagnosticsOf = (text: string) => analyze(text, "photos.net").diagnostics;

describe("what is found in folders of pictures", () => {
  test("classes, sizes after turning, color, mean and standard deviation", async () => {
    const survey = await surveyOf("found", {
      "a/1.jpg": { width: 100, height: 50, color: [255, 0, 0] },
      "a/2.jpg": { width: 100, height: 50, color: [0, 0, 0], orientation: 6 },
      "b/3.jpg": { width: 60, height: 60, color: [255, 0, 0] },
      "b/4.jpg": { width: 60, height: 60, color: [0, 0, 0] },
    });
    expect(survey.classes).toEqual([
      { name: "a", train: 2 },
      { name: "b", train: 2 },
    ]);
    expect(survey.shorterSide).toEqual({ least: 50, median: 60, most: 60 });
    expect(survey.longerSide).toEqual({ least: 60, median: 100, most: 100 });
    expect(survey).toMatchObject({
      rotated: 1,
      isGray: false,
      oneSize: undefined,
      input: [48, 48],
    });
    const [red, green, blue] = survey.statistics.mean;
    expect(red).toBeCloseTo(0.5, 1);
    expect(Math.max(green!, blue!)).toBeLessThan(0.02);
    expect(survey.statistics.std[0]).toBeCloseTo(0.5, 1);
  });

  test("separate splits, with counts for both", async () => {
    const survey = await surveyOf("splits", {
      ...shades("train/a", 3),
      ...shades("train/b", 2),
      ...shades("val/b", 1),
    });
    expect(survey.classes).toEqual([
      { name: "a", train: 3, evaluation: 0 },
      { name: "b", train: 2, evaluation: 1 },
    ]);
    expect(survey.evaluation).toBe(join(root, "splits", "val"));
    expect(planFor(survey).holdout).toBeUndefined();
  });

  test("files that cannot be read, whether their header or the rest is damaged", async () => {
    const whole = await paint({ width: 300, height: 300, color: [1, 2, 3] });
    const survey = await surveyOf("damaged", {
      ...shades("a", 3),
      "a/empty.jpg": "",
      "a/text.jpg": "no picture",
      "b/cut.jpg": whole.subarray(0, whole.length - 200),
      "b/good.jpg": whole,
    });
    const named = survey.unreadable.map(({ file, reason }) => [file.slice(root.length), reason]);
    expect(named).toEqual([
      ["/damaged/a/empty.jpg", "the file is empty"],
      ["/damaged/a/text.jpg", expect.stringMatching(/^it is not an image/)],
      ["/damaged/b/cut.jpg", expect.stringMatching(/^it is (truncated|damaged)/)],
    ]);
  });

  test("copies across splits come before those across classes and within one", async () => {
    const one: Painted = { width: 20, height: 20, color: [9, 9, 9] };
    const other: Painted = { width: 20, height: 20, color: [90, 9, 9] };
    const survey = await surveyOf("copies", {
      ...shades("train/a", 2),
      ...shades("train/b", 2, { tint: 30 }),
      "train/a/one.jpg": one,
      "train/a/same.jpg": one,
      "train/b/other.jpg": one,
      "val/b/seen.jpg": other,
      "train/b/seen.jpg": other,
    });
    expect(survey.duplicates.map(({ across }) => across)).toEqual([
      "splits",
      "classes",
      "one class",
    ]);
    expect(survey.duplicates[0]).toMatchObject({
      file: join(root, "copies/val/b/seen.jpg"),
      of: join(root, "copies/train/b/seen.jpg"),
    });
  });

  test("a folder in which no file is a picture is refused with the reasons", async () => {
    await expect(surveyOf("none", { "a/1.jpg": "x", "b/2.jpg": "" })).rejects.toMatchObject({
      name: "DataError",
      message: expect.stringMatching(
        /none of the 2 files .*1\.jpg: it is not an image.*2\.jpg: the file is empty/s,
      ),
    });
    await expect(surveyOf("flat", { "1.jpg": "x" })).rejects.toThrow(/has no class folders/);
  });

  test("a class in which no file is a picture is refused", async () => {
    const open = surveyOf("half", { ...shades("a", 3), "b/1.jpg": "hello" });
    await expect(open).rejects.toThrow(/none of the 1 files in .*half.b is a picture/);
  });

  test("every picture counts alike, however long it is", async () => {
    const survey = await surveyOf("long", {
      "a/1.jpg": { width: 32, height: 32, color: [0, 0, 0] },
      "b/2.jpg": { width: 3200, height: 32, color: [255, 255, 255] },
    });
    expect(survey.statistics.mean[0]).toBeCloseTo(0.5, 2);
    expect(survey.statistics.std[0]).toBeCloseTo(0.5, 2);
  });

  test("pictures of one color have no spread to divide by", async () => {
    const black = { width: 32, height: 32, color: [0, 0, 0] } as const;
    const text = await textOf(await surveyOf("black", { "a/1.jpg": black, "b/2.jpg": black }));
    expect(text).toContain("const std  = 1");
    expect(diagnosticsOf(text)).toEqual([]);
  });

  test("a class that only the evaluation has is refused", async () => {
    const files = { ...shades("train/a", 2), ...shades("val/b", 2) };
    await expect(surveyOf("unknown", files)).rejects.toThrow(
      /classes that training does not have: b/,
    );
  });
});

describe("what is chosen", () => {
  test("small squares of one size keep it, and are only shifted", async () => {
    const survey = await surveyOf("icons", {
      ...shades("a", 30),
      ...shades("b", 30, { tint: 40 }),
    });
    const text = await textOf(survey);
    expect(text).toContain("f32[N, 3, 40, 40]");
    expect(text).toContain("random_crop(40, padding=5) -> hflip");
    expect(text).not.toContain("resize");
    expect(diagnosticsOf(text)).toEqual([]);
  });

  test("gray pictures have one channel, and no mirror images", async () => {
    const text = await textOf(await surveyOf("gray", { ...shades("a", 30), ...shades("b", 30) }));
    expect(text).toContain("f32[N, 1, 40, 40]");
    expect(text).not.toMatch(/-> hflip/);
    expect(text).toMatch(/const mean = 0\.\d+\n/);
    expect(diagnosticsOf(text)).toEqual([]);
  });

  test("wide pictures get a wide input, and a mixture a square that loses some", async () => {
    const [wide, high] = [
      { size: 400, height: 100, tint: 40 },
      { size: 100, height: 400, tint: 9 },
    ];
    const alike = await textOf(
      await surveyOf("wide", { ...shades("a", 25, wide), ...shades("b", 25, wide) }),
    );
    expect(alike.replaceAll("\n  // ", " ")).toContain("are 4 times as long as short");
    expect(alike).toContain("f32[N, 3, 48, 192]");
    expect(alike).toContain('eval folder("photos", holdout=0.2) { resize([48, 192]) ->');
    const mixed = await textOf(
      await surveyOf("mixed", { ...shades("a", 25, wide), ...shades("b", 25, high) }),
    );
    expect(mixed.replaceAll("\n  // ", " ")).toContain("loses 75% of its longer side");
    expect(mixed).toContain("resize(96) -> center_crop(96)");
    for (const text of [alike, mixed]) expect(diagnosticsOf(text)).toEqual([]);
  });

  test("what a run costs limits its epochs, which the spec says", () => {
    const text = (input: readonly [number, number]) =>
      planFor({
        ...PICTURES,
        input,
        classes: [
          { name: "a", train: 1000 },
          { name: "b", train: 1000 },
        ],
      }).epochs;
    expect(text([16, 16])).toMatchObject({ value: 48 });
    expect(text([32, 32]).value).toBeLessThan(30);
    expect(text([32, 32]).why).toMatch(/so that a CPU needs minutes only: with `epochs = 38`/);
  });

  test("rare classes are weighed by the root of their inverse share", async () => {
    const files = { ...shades("common", 36, { tint: 9 }), ...shades("rare", 4, { tint: 30 }) };
    const text = await textOf(await surveyOf("rare", files));
    expect(text).toContain("class_weights=[1, 3]");
    expect(text).toContain("9.0 times the examples");
    expect(diagnosticsOf(text)).toEqual([]);
  });

  test("many examples get larger batches, fewer epochs, and a smaller holdout", () => {
    const survey = (train: number): Survey => ({
      kind: "table",
      train: "t.csv",
      label: "last",
      labelName: "5",
      ignored: [],
      columns: 4,
      classes: [
        { name: "a", train },
        { name: "b", train },
      ],
      statistics: { mean: [0, 0, 0, 0], std: [1, 0, 1, 1] },
      notices: [],
    });
    const [few, many] = [planFor(survey(50)), planFor(survey(50_000))];
    expect([few.batch, few.epochs.value, few.holdout!.value]).toEqual([32, 60, 0.2]);
    expect([many.batch, many.epochs.value, many.holdout!.value]).toEqual([128, 10, 0.1]);
    // A column that never changes must not be divided by zero.
    expect(few.std.value).toEqual([1, 1, 1, 1]);
  });
});

describe("pictures that a table names", () => {
  const listed = async (name: string, header: string, cellsOf: (row: number) => string) => {
    const shade = (row: number): Painted => ({ width: 32, height: 32, color: [9 * row, 40, 50] });
    const numbers = Array.from({ length: 24 }, (_, row) => row);
    const folder = await writeFiles(join(root, name), {
      ...Object.fromEntries(numbers.map((row) => [`pics/${row}.png`, shade(row)])),
      "table.csv": [header, ...numbers.map(cellsOf)].join("\n"),
    });
    return (label?: string) => surveyListed(join(folder, "table.csv"), label);
  };
  const kindOf = (row: number) => (row % 2 ? "rose" : "tulip");

  test("classes, the group, and what is read of neither", async () => {
    const open = await listed("listed", "plant,image,age,kind,note", (row) =>
      [`p${row >> 2}`, `pics/${row}`, row % 7, kindOf(row), `n${row}`].join(","),
    );
    const survey = (await open())!;
    expect(survey).toMatchObject({
      kind: "pictures",
      input: [32, 32],
      table: { files: "image", labelName: "kind", by: "plant" },
      classes: [
        { name: "rose", train: 12 },
        { name: "tulip", train: 12 },
      ],
      notices: [],
    });
    const text = await textOf(survey);
    expect(text.replaceAll(/\s+/g, " ")).toContain(
      'csv("photos", files="image", label="kind", ignore=["age", "note"], by="plant", holdout=0.2',
    );
    expect(diagnosticsOf(text)).toEqual([]);
  });

  test("files that are missing are counted, and listed classes are names", async () => {
    const open = await listed("missing", "file,label", (row) =>
      [row < 4 ? `pics/x${row}.png` : `pics/${row}.png`, 3 + (row % 2)].join(","),
    );
    const survey = (await open())!;
    expect(survey.notices).toEqual(["4 of 24 files are missing"]);
    expect(survey.classes.map(({ train }) => train)).toEqual([10, 10]);
    expect(await textOf(survey)).toContain('classes=["3", "4"]');
  });

  test("several columns that may hold classes are asked about", async () => {
    const open = await listed("tags", "file,cat,dog", (row) =>
      [`pics/${row}.png`, row % 2, Number(row % 3 === 0)].join(","),
    );
    await expect(open()).rejects.toMatchObject({
      message: expect.stringContaining("columns cat, dog may hold the classes") as string,
      hint: expect.stringContaining("--label NAME") as string,
    });
    expect((await open("dog"))!.classes.map(({ train }) => train)).toEqual([16, 8]);
  });

  test("a table without files is not one of pictures; files must exist", async () => {
    const rows = await listed("numbers", "a,b,label", (row) => `${row},${row / 2},${row % 2}`);
    expect(await rows()).toBeUndefined();
    const gone = await listed("gone", "file,label", (row) => `x/${row}.jpg,${row % 2}`);
    await expect(gone()).rejects.toThrow("no file that the column file names is there: x/0.jpg");
  });
});

describe("tables", () => {
  const table = async (name: string, text: string) =>
    surveyTable(join(await writeFiles(root, { [name]: text }), name));
  const rows = (make: (row: number) => string) =>
    Array.from({ length: 40 }, (_, row) => make(row)).join("\n");

  test("names in the first column are the label, the others features", async () => {
    const survey = await table(
      "first.csv",
      rows((row) => `${row % 2 ? "x" : "y"},${2 * row},-1,${row / 7}`),
    );
    expect(survey).toMatchObject({ label: "first", columns: 3 });
    expect(survey.classes).toEqual([
      { name: "x", train: 20 },
      { name: "y", train: 20 },
    ]);
    const text = await textOf(survey);
    expect(text).toContain("input  x: f32[N, 3]");
    expect(text).toContain('csv("photos", label=first, holdout=0.2)');
    expect(diagnosticsOf(text)).toEqual([]);
  });

  test("whole numbers in a square are gray pixels, with their largest value", async () => {
    const pixels = (row: number) =>
      Array.from({ length: 64 }, (_, at) => (row * at) % 17).join(",");
    const survey = await table(
      "pixels.csv",
      rows((row) => `${pixels(row)},${row % 3}`),
    );
    expect(survey).toMatchObject({ label: "last", side: 8, maximum: 16 });
    const text = await textOf(survey);
    expect(text).toContain("f32[N, 1, 8, 8]");
    expect(text).toContain("maximum=16");
    expect(diagnosticsOf(text)).toEqual([]);
  });

  test("a large mean keeps the digits that its small deviation needs", async () => {
    const survey = await table(
      "offset.csv",
      rows((row) => `${1_000_000 + (row % 2)},${row % 2 ? "x" : "y"}`),
    );
    expect(survey.statistics).toEqual({ mean: [1_000_000.5], std: [0.5] });
    expect(await textOf(survey)).toContain("const mean = 1000000.5");
  });

  test("a last column of groups is not the label", async () => {
    const survey = await table(
      "groups.csv",
      `kind,a,patient\n${rows((row) => `k${row % 2},${row / 3},p${row >> 2}`)}`,
    );
    expect(survey).toMatchObject({ label: "first", by: "patient" });
  });

  test("a table of labels alone is refused", async () => {
    const open = table(
      "labels.csv",
      rows((row) => `${row % 2}`),
    );
    await expect(open).rejects.toThrow(/has one column, and a network needs a label/);
  });

  test("what counts rows, names a group, or is text is not read as a number", async () => {
    const survey = await table(
      "patients.csv",
      `id,patient,ward,age,diagnosis,weight\n${rows(
        (row) => `${500 + row},p${row >> 2},w${row % 3},${row % 7},${1 + (row % 2)},${row / 3}`,
      )}`,
    );
    expect(survey).toMatchObject({
      label: { column: "diagnosis" },
      by: "patient",
      listed: ["1", "2"],
      columns: 2,
      ignored: [
        { name: "id", why: "counts the rows" },
        { name: "ward", why: "holds text; numbers in its place would be read" },
      ],
    });
    expect(survey.classes).toEqual([
      { name: "1", train: 20 },
      { name: "2", train: 20 },
    ]);
    const text = await textOf(survey);
    expect(text).toContain(
      'label="diagnosis", ignore=["id", "ward"], classes=["1", "2"], by="patient", holdout=0.2)',
    );
    expect(diagnosticsOf(text)).toEqual([]);
  });

  test("amounts do not count as classes, whether they are whole or not", async () => {
    const amounts = (name: string, make: (row: number) => string) =>
      table(name, `site,a,price\n${rows(make)}`);
    await expect(
      amounts("whole.csv", (row) => `s${row >> 3},${row / 3},${row * 7}`),
    ).rejects.toThrow(
      /the column price holds 40 different whole numbers: amounts rather than classes/,
    );
    await expect(amounts("parts.csv", (row) => `s${row >> 3},1,${row / 3}`)).rejects.toThrow(
      /the column price holds 40 different numbers: amounts rather than classes/,
    );
    const chosen = await surveyTable(join(root, "parts.csv"), "site");
    expect(chosen).toMatchObject({ label: "first", columns: 2 });
    await expect(surveyTable(join(root, "parts.csv"), "sites")).rejects.toThrow(/no column sites/);
  });

  test("a table without classes is refused", async () => {
    const open = table(
      "regression.csv",
      rows((row) => `${row / 3},${row * 1.5}`),
    );
    await expect(open).rejects.toThrow(
      /the column 2 holds 40 different numbers: amounts rather than classes/,
    );
    await expect(table("words.csv", "a,b\nx,y\nz,w\n")).rejects.toThrow(
      /has no column of numbers but for the label/,
    );
  });
});
