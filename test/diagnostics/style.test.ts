import { describe, expect, test } from "vitest";
import { catalogue, diagnosticCodes } from "../../compiler/diagnostics/catalogue/index.js";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { analyzeWrongSpec, wrongSpecs } from "./wrong-specs.js";

/** docs/diagnostics-style.md, as far as a machine can tell. */

interface Rule<Subject> {
  readonly rule: string;
  /** What breaks it; empty where nothing does. */
  readonly broken: (subject: Subject) => readonly string[];
}

/** A rule that each of some texts must keep. */
function eachOf<Subject>(
  rule: string,
  textsOf: (subject: Subject) => readonly string[],
  isKept: (text: string) => boolean,
): Rule<Subject> {
  return { rule, broken: (subject) => textsOf(subject).filter((text) => !isKept(text)) };
}

const messageOf = ({ message }: Diagnostic) => [message];
const labelsOf = ({ primary, related }: Diagnostic) =>
  [primary, ...related].map(({ message }) => message).filter((message) => message !== "");
const notesOf = ({ notes }: Diagnostic) => notes;
const titlesOf = ({ fixes }: Diagnostic) => fixes.map(({ title }) => title);
const allOf = (diagnostic: Diagnostic) =>
  [messageOf, labelsOf, notesOf, titlesOf].flatMap((textsOf) => textsOf(diagnostic));

const beginsLow = (text: string) => /^[a-z`]/.test(text);
const hasNoStop = (text: string) => !text.endsWith(".") || text.endsWith("...");
/** Without text in backticks. */
const prose = (text: string) => text.replace(/`[^`]*`/g, "`");
/** A layer's kind before its name, and an argument with its value, need no backticks. */
const plainWords = (text: string) => prose(text).replace(/\b\w+(?= `)|\b\w+=/g, "");
const withoutQuestion = (text: string) => text.replace(/; did you mean `.*`\?$/, "");

const verbs = [
  ...["add", "close", "drop", "give", "insert", "join", "make", "move", "name", "put", "remove"],
  ...["start", "train", "use", "write"],
];

const rules: readonly Rule<Diagnostic>[] = [
  eachOf("messages begin in lower case or with a backtick", messageOf, beginsLow),
  eachOf("messages have no full stop", messageOf, hasNoStop),
  eachOf("messages have at most 130 characters", messageOf, (text) => text.length <= 130),
  eachOf("messages are one line", messageOf, (text) => !text.includes("\n")),
  eachOf(
    "messages do not address the reader, except for a question",
    (diagnostic) => messageOf(diagnostic).map(withoutQuestion),
    (text) => !/\b(you|your|please|sorry|must not)\b|[!?]$/i.test(prose(text)),
  ),
  eachOf("nothing is invalid or illegal", allOf, (text) => !/invalid|illegal/i.test(text)),
  eachOf("backticks are closed", allOf, (text) => text.split("`").length % 2 === 1),
  eachOf("names of several words are in backticks", allOf, (text) => {
    return !/[a-z\d]_\w/.test(plainWords(text));
  }),
  eachOf("files are in backticks", messageOf, (text) => !/\w\.net\b/.test(prose(text))),
  eachOf("single quotes quote nothing", allOf, (text) => !/(^|\s)'[^']+'/.test(prose(text))),
  eachOf("labels have at most 50 characters", labelsOf, (text) => text.length <= 50),
  eachOf("labels begin without a capital", labelsOf, (text) => !/^[A-Z]/.test(text)),
  eachOf("labels have no full stop", labelsOf, hasNoStop),
  {
    rule: "there are at most three related labels",
    broken: ({ related }) => related.slice(3).map(({ message }) => message),
  },
  eachOf("notes begin in lower case or with a backtick", notesOf, beginsLow),
  eachOf("notes have no full stop", notesOf, hasNoStop),
  eachOf("titles of fixes have no full stop", titlesOf, hasNoStop),
  eachOf("titles of fixes have at most 70 characters", titlesOf, (text) => text.length <= 70),
  eachOf("titles of fixes begin with a verb", titlesOf, (text) => {
    return verbs.includes(text.split(" ")[0]!);
  }),
];

const diagnostics = wrongSpecs.flatMap((folder) => analyzeWrongSpec(folder).diagnostics);

test.each(rules)("$rule", ({ broken }) => {
  const found = diagnostics.flatMap((diagnostic) =>
    broken(diagnostic).map((text) => `${diagnostic.code}: ${text}`),
  );
  expect(found).toEqual([]);
});

describe("the rules notice", () => {
  const breaking: readonly Partial<Diagnostic>[] = [
    { message: "Layer is wrong" },
    { message: "the layer is wrong." },
    { message: "invalid layer" },
    { message: "the layer `conv is wrong" },
    { message: "the argument kernel_size is wrong" },
    { message: "you cannot do this" },
    { message: "the file blocks.net is empty" },
    { message: "the layer 'conv' is wrong" },
    { notes: ["See the manual"] },
    { fixes: [{ title: "`conv` was meant", edits: [] }] },
  ];

  test.each(breaking)("%j", (part) => {
    const right = diagnostics.find(({ code }) => code === "NET1001")!;
    const wrong = { ...right, ...part };
    expect(rules.flatMap(({ broken }) => broken(wrong))).toHaveLength(1);
  });
});

test("there are at least eighty codes", () => {
  expect(diagnosticCodes.length).toBeGreaterThanOrEqual(80);
});

describe("the catalogue's page of", () => {
  test.each(diagnosticCodes)("%s", (code) => {
    const { title, explanation } = catalogue[code];
    expect(title).toMatch(/^[a-z`].{4,59}$/);
    expect(title).not.toMatch(/[.!]$/);
    expect(explanation).toMatch(/[.]$/);
    expect(`${title} ${explanation}`).not.toMatch(/invalid|illegal|please try/i);
    expect(title.split("`").length % 2, "backticks are closed").toBe(1);
    expect(explanation.split("`").length % 2, "backticks are closed").toBe(1);
  });
});
