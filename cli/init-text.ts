/** What `netc init` found, for people. */
import { toleratedSkips } from "../runtime/node/data/skipped.js";
import { type PictureSurvey, type Survey, type TableSurvey, trainCount } from "../starter/index.js";
import { formatCount, formatNumber, plural } from "./format.js";
import { renderTable } from "./table.js";

/** More names than these are only counted. */
const MOST_NAMED = 10;

/** Classes and their counts, sizes, and whatever may be wrong. */
export function describeSurvey(survey: Survey): readonly string[] {
  return [
    classTable(survey),
    "",
    ...(survey.kind === "pictures" ? describePictures(survey) : describeTable(survey)),
    ...warnings(survey),
    ...survey.notices,
  ];
}

function classTable({ classes, evaluation }: Survey): string {
  const columns = [
    { title: "class", align: "left", expendable: 0 },
    { title: evaluation === undefined ? "examples" : "train", align: "right", expendable: 0 },
    ...(evaluation === undefined
      ? []
      : [{ title: "eval", align: "right", expendable: 0 } as const]),
  ] as const;
  const rows = classes.map(({ name, train, evaluation: other }) => [
    name,
    formatCount(train),
    ...(other === undefined ? [] : [formatCount(other)]),
  ]);
  return renderTable(columns, rows);
}

const describeTable = (survey: TableSurvey): readonly string[] => [
  `${plural(survey.columns, "column")} of numbers; the label is in the column ${survey.labelName}`,
  ...describeColumns(survey),
];

function describeColumns({
  ignored,
  listed,
  by,
}: Pick<TableSurvey, "ignored" | "listed" | "by">): readonly string[] {
  return [
    ...(listed ? [`labels are ${listed.join(", ")}, not numbers from 0: they are names`] : []),
    ...ignored.map(({ name, why }) => `not read: ${name} (${why})`),
    ...(by === undefined ? [] : [`rows of the same ${by} stay in one split`]),
  ];
}

function describePictures(survey: PictureSurvey): readonly string[] {
  const { shorterSide, oneSize, isGray, gray, decoded, table } = survey;
  const { statistics, rotated } = survey;
  const size = oneSize
    ? `all pictures are ${oneSize.width} pixels wide and ${oneSize.height} high`
    : `shorter sides ${shorterSide.least} to ${shorterSide.most} pixels, ` +
      `median ${shorterSide.median}`;
  const channels = isGray ? 1 : 3;
  const numbers = (values: readonly number[]) =>
    values
      .slice(0, channels)
      .map((value) => formatNumber(Number(value.toFixed(3))))
      .join(", ");
  const columns = table
    ? [`images are in the column ${table.files}, the label is in the column ${table.labelName}`]
    : [];
  return [
    ...columns,
    ...(table ? describeColumns(table) : []),
    `${size}; ${isGray ? "gray" : "color"}`,
    `mean ${numbers(statistics.mean)}; standard deviation ${numbers(statistics.std)}`,
    ...(gray > 0 && !isGray
      ? [`${formatCount(gray)} of ${plural(decoded, "picture")} have no color`]
      : []),
    ...(rotated > 0 ? [`${plural(rotated, "picture")} turned upright by EXIF`] : []),
  ];
}

function warnings(survey: Survey): readonly string[] {
  return [
    ...smallClasses(survey),
    ...(survey.kind === "pictures" ? [...unreadable(survey), ...duplicates(survey)] : []),
  ];
}

/** Below this, neither training nor evaluation says much. */
const FEW = 20;

function smallClasses({ classes }: Survey): readonly string[] {
  const few = classes.filter(({ train }) => train < FEW);
  if (few.length === 0) return [];
  const names = few.map(({ name, train }) => `${name} (${train})`);
  return [`warning: fewer than ${FEW} examples to learn from: ${shortList(names)}`];
}

function unreadable(survey: PictureSurvey): readonly string[] {
  const { unreadable: files } = survey;
  if (files.length === 0) return [];
  const tolerated = toleratedSkips(trainCount(survey));
  const what =
    files.length <= tolerated
      ? "and training skips them"
      : `and training ends with an error after ${tolerated}, so remove them`;
  const lines = files.slice(0, MOST_NAMED).map(({ file, reason }) => `  ${file}: ${reason}`);
  return [
    `warning: ${plural(files.length, "file")} cannot be read, ${what}:`,
    ...lines,
    ...andMore(files),
  ];
}

const MEANINGS = {
  splits: "in both splits, so that evaluation sees what was trained on",
  classes: "in two classes, so that one label is wrong",
  "one class": "twice in one class",
} as const;

function duplicates({ duplicates: all }: PictureSurvey): readonly string[] {
  return Object.entries(MEANINGS).flatMap(([across, meaning]) => {
    const found = all.filter((each) => each.across === across);
    if (found.length === 0) return [];
    const lines = found.slice(0, MOST_NAMED).map(({ file, of }) => `  ${file} = ${of}`);
    return [`warning: ${plural(found.length, "picture")} ${meaning}:`, ...lines, ...andMore(found)];
  });
}

function andMore(all: readonly unknown[]): readonly string[] {
  return all.length > MOST_NAMED ? [`  and ${formatCount(all.length - MOST_NAMED)} more`] : [];
}

function shortList(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMED).join(", ");
  return names.length > MOST_NAMED ? `${shown} and ${names.length - MOST_NAMED} more` : shown;
}
