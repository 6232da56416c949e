/**
 * The examples of a page of documentation: its fenced blocks, and the code in the `netc` columns of
 * its tables.
 */

/**
 * What the HTML comment right before an example says about it:
 * `<!-- input: f32[N, 64]; after: blocks.net -->`.
 */
export type Notes = Readonly<Record<string, string>>;

export interface Example {
  /** Line of the page, from 1. */
  readonly line: number;
  readonly text: string;
  readonly isWrong: boolean;
  readonly notes: Notes;
}

const FENCE = /^```net( wrong)?$/;
const COMMENT = /^<!-- (.*) -->$/;

/** The examples of a page, from top to bottom. */
export function examplesOf(page: string): readonly Example[] {
  const lines = page.split("\n");
  return [...fencedExamples(lines), ...tableExamples(lines)].sort((a, b) => a.line - b.line);
}

function fencedExamples(lines: readonly string[]): readonly Example[] {
  return lines.flatMap((line, index) => {
    const fence = FENCE.exec(line);
    if (!fence) return [];
    const end = lines.indexOf("```", index + 1);
    const text = lines.slice(index + 1, end).join("\n");
    return [
      { line: index + 1, text, isWrong: fence[1] !== undefined, notes: notesAbove(lines, index) },
    ];
  });
}

function tableExamples(lines: readonly string[]): readonly Example[] {
  return lines.flatMap((line, index) => {
    const isHeader = line.startsWith("|") && !lines[index - 1]?.startsWith("|");
    const column = isHeader ? cellsOf(line).indexOf("netc") : -1;
    if (column < 0) return [];
    const length = lines.slice(index).findIndex((row) => !row.startsWith("|"));
    const notes = notesAbove(lines, index);
    return lines.slice(index + 2, index + length).flatMap((row, offset) => {
      const texts = codeOf(cellsOf(row)[column] ?? "");
      return texts.map((text) => ({ line: index + 3 + offset, text, isWrong: false, notes }));
    });
  });
}

const cellsOf = (row: string) =>
  row
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());

const codeOf = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);

function notesAbove(lines: readonly string[], index: number): Notes {
  const above = lines.slice(0, index).findLast((line) => line !== "");
  const comment = COMMENT.exec(above ?? "");
  if (!comment) return {};
  return Object.fromEntries(
    comment[1]!.split("; ").map((note) => {
      const [key, ...value] = note.split(": ");
      return [key!, value.join(": ")];
    }),
  );
}

const DECLARATION = /^(import|const|fn|block|model|data|train \w+ of)\b/;
const SPLIT = /^(train|eval) /;
const ARGUMENT = /^(bias_)?(init|lr|decay)=/;
const SETTING = /^\w+\s*=/;

/** Settings that every recipe must have. */
const REQUIRED_SETTINGS = {
  epochs: "epochs = 300",
  batch: "batch = 32",
  optimizer: "optimizer = sgd(lr=0.1)",
};

const MODEL = [
  "model Example {",
  "  input  image: f32[N, 3, 32, 32]",
  "  target label: u32[N] in 0..10",
  "  features { conv(8, kernel=3, padding=1) -> relu }",
  "  flatten -> linear(10) as logits",
  "  loss   cross_entropy(logits, label)",
  "}",
].join("\n");

/**
 * A whole spec around an example.
 *
 * - Declarations (`const`, `model`, `data` ...) are used as they are.
 * - Arguments (`init=kaiming`, without blanks) are those of a convolution.
 * - Settings (`optimizer = adam()`) are put into a recipe, which gets the required ones that they
 *   leave out.
 * - The splits of data (`train folder("...")`) are put into a data declaration.
 * - All else is the body of a model. Unless it says otherwise, its input is
 *   `image: f32[N, 3, 32, 32]` or the `input` of the notes, its target `label: u32[N] in 0..10` or
 *   the `target` of the notes; `layers` of the notes come before it.
 */
export function specAround({ text, notes }: Pick<Example, "text" | "notes">): string {
  const first = text.split("\n").find((line) => line !== "" && !line.startsWith("//")) ?? "";
  if (DECLARATION.test(first)) return text;
  if (SPLIT.test(first)) return `${MODEL}\ndata Images for Example {\n${text}\n}\n`;
  if (ARGUMENT.test(first)) return modelAround(`conv(8, kernel=3, ${text})`, notes);
  if (SETTING.test(first)) return `${MODEL}\n${recipeAround(text)}`;
  return modelAround(text, notes);
}

function recipeAround(settings: string): string {
  const missing = Object.entries(REQUIRED_SETTINGS).flatMap(([name, setting]) =>
    new RegExp(`^${name}\\b`, "m").test(settings) ? [] : [setting],
  );
  return ["train Recipe of Example {", ...missing, settings, "}"].join("\n");
}

function modelAround(body: string, notes: Notes): string {
  const { input = "f32[N, 3, 32, 32]", target = "u32[N] in 0..10", layers = "" } = notes;
  return [
    "model Example {",
    /^input\b/m.test(body) ? "" : `input image: ${input}`,
    /^target\b/m.test(body) ? "" : `target label: ${target}`,
    layers,
    body,
    "}",
  ].join("\n");
}
