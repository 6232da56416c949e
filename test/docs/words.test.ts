/** Plain English in everything that people read: pages, messages, help, comments, test names. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { globSync } from "tinyglobby";
import { describe, expect, test } from "vitest";
import { root } from "./pages.js";

/** Translated idioms, and what to write instead. A blank matches any space, line ends included. */
const AVOIDED: readonly (readonly [RegExp, string])[] = [
  [/stands?|standing|stood/, "is, is in, means"],
  [/besides?/, "next to, in addition to, compared with"],
  [/anew/, "again"],
  [/nobody/, "no one, nothing; or use the passive"],
  [/so many/, "this many"],
  [/by way of/, "through"],
  [/(?<!can )be it/, "whether"],
  [/(go|goes|going|gone|went) on/, "continue"],
  [/set(s|ting)? ([a-z]+ ){0,3}free/, "unfreeze"],
  [/of (its|their) own/, "separate"],
  [/(?<!there )(is|are|was|were|be) no(?! (longer|more|less|fewer|one))/, "is not a"],
  [/(?<!there )(is|are|was|were|be) none/, "does not count, is not one"],
  [/not there/, "missing, does not exist"],
  [/what is there/, "features; what exists"],
  [/nothing of/, "no"],
  [/lives? shortly/, "is short-lived"],
  [/the name of no/, "no ... has this name"],
  [/(without|in a|in) circles?/, "acyclic, cycle"],
  [/limits of gradients/, "gradient clipping"],
  [/hears? of/, "is called with"],
  [/(several|two) ways from/, "branches of"],
  [/(is|are) there already|that (is|are) there/, "exists, existing"],
  [/taken for/, "predicted as, read as, counts as"],
  [/at hand/, "current, in use, available"],
  [/(take|takes|taken|taking) off/, "subtract, remove"],
  [/(come|comes|coming) in slices/, "netc splits the batch into slices"],
  [/beforehand/, "first, before the run"],
  [/gone through/, "is the output of; passes over"],
  [/(is|are|was|were) cut off/, "is truncated"],
  [/what (training|a run) makes small/, "the objective to minimize"],
  [/what a call is about/, "the examples of a call"],
  [/weights spared/, "weights without weight decay"],
  [/more largest logits/, "k exceeds the number of classes"],
  [/skip that nothing/, "a `residual` without layers"],
  [/batch comes in/, "a slice; images per slice"],
  [/sigmoid of three lines/, "piecewise-linear sigmoid"],
  [/distribution up to it/, "the standard normal CDF"],
  [/sure and wrong/, "confident mistakes"],
  [/beside (its|our) peers/, "benchmarks"],
  [/every contender/, "outputs were checked to agree first"],
];

/** British spellings, and the American ones that the names of the API have. */
const BRITISH: readonly (readonly [RegExp, string])[] = [
  [/(\w*)colour(s|ed|ful)?/, "color"],
  [/grey/, "gray"],
  [/(normal|initial|optim|recogn|summar|serial|quant)is(e|es|ed|er|ing|ation)s?/, "-ize"],
  [/centre[sd]?/, "center"],
  [/neighbour(s|ing)?/, "neighbor"],
  [/(un)?labell(ed|ing)/, "labeled"],
  [/cancelled/, "canceled"],
  [/misspelt|spelt/, "spelled"],
  [/learnt/, "learned"],
  [/analys(ed|e|ing)/, "analyze"],
  [/licence/, "license"],
];

/** Real uses: the files, the text, and the reason. */
const ALLOWED: readonly (readonly [files: RegExp, text: string, reason: string])[] = [
  [/settings\.ts$|recipe-settings\.md$|aliases\.txt$/, "optimiser", "users may write it"],
  [/transforms(-of-color)?\.(ts|md)$|aliases\.txt$/, "normalise", "users may write it"],
  [/^editors\/vscode\/picture-panels\.ts$/, "Beside", "VS Code's ViewColumn.Beside"],
];

/** Everything that we write: code, pages, settings of editors and builds, and templates. */
const FILES = [
  "**/*.{ts,js,mjs,cjs,py,sh,md,net,txt,yml,html,css,svg}",
  "**/{package,language-configuration,tsconfig*,*.tmLanguage}.json",
  "{.ci/run,.dependency-cruiser.cjs,.prettierrc.json}",
];

/** What we did not write: installed, built and generated from the texts of others. */
const IGNORED = [
  ...["**/node_modules", "dist", "build", "runs", "bench/results", "coverage"],
  "interchange/onnx/onnx_pb.ts", // generated from ONNX's onnx.proto
  "test/emit/golden", // generated code
  "test/docs/words.test.ts", // the list itself
];

const words = [...AVOIDED, ...BRITISH].map(([word, instead]) => {
  const source = word.source.replaceAll(" ", "\\s+");
  return { word: new RegExp(`(?<!-)\\b(${source})\\b`, "gi"), instead };
});

/** Joins the lines of comments, of pages and of strings; each character keeps its place. */
const joined = (text: string) =>
  text.replace(/(["`'] \+)?\n[ \t]*(\*|\/\/+|#+|>|["`'])?[ \t]*/g, (gap) => " ".repeat(gap.length));

/** What is to be written in another way, with its line. */
function complaintsAbout(text: string): readonly string[] {
  const line = joined(text.replace(/\]\([^)\s]*\)/g, (link) => " ".repeat(link.length)));
  return words.flatMap(({ word, instead }) =>
    [...line.matchAll(word)].flatMap(({ index, 0: found }) => {
      if (found.endsWith("None")) return []; // Python's
      const number = text.slice(0, index).split("\n").length;
      return `${number}: "${found.replace(/\s+/g, " ")}", write: ${instead}`;
    }),
  );
}

const files = globSync(FILES, { cwd: root, ignore: IGNORED }).sort();
const roomOf = (file: string) => (file.includes("/") ? file.split("/")[0]! : "pages");
const rooms = [...new Set(files.map(roomOf))].map(
  (room) => [room, files.filter((file) => roomOf(file) === room)] as const,
);
const isAllowed = (file: string, complaint: string) =>
  ALLOWED.some(([of, text]) => of.test(file) && complaint.includes(`"${text}"`));

test.each(rooms)("%s has plain English", (_, members) => {
  const found = members.flatMap((file) =>
    complaintsAbout(readFileSync(join(root, file), "utf8"))
      .filter((complaint) => !isAllowed(file, complaint))
      .map((complaint) => `${file}:${complaint}`),
  );
  expect(found).toEqual([]);
});

test.each(ALLOWED)("the exception of %s for %s is used", (of, text) => {
  const used = files.filter((file) => of.test(file));
  const texts = used.map((file) => readFileSync(join(root, file), "utf8"));
  expect(texts.some((each) => each.includes(text))).toBe(true);
});

describe("the list", () => {
  test.each([
    ["a label stands here", "stands"],
    ["netc beside its peers", "beside"],
    [" * at least so\n * many", "so many"],
    ['"it goes " +\n  "on"', "goes on"],
    ["logits that are no row", "are no"],
    ["the file is not\nthere", "not there"],
    ["any network without circles", "without circles"],
    ["a grey image", "grey"],
    ["normalised pixels", "normalised"],
  ])("finds %j", (text, found) => {
    expect(complaintsAbout(text).join()).toContain(`"${found}"`);
  });

  test.each([
    "a standalone module of standard size, understood",
    "there is no layer, and\n * there are none",
    "it is no longer than that",
    "[a page](docs/beside.md)",
    "`centre_crop` and `colour_jitter` are aliases",
  ])("accepts %j", (text) => {
    expect(complaintsAbout(text)).toEqual([]);
  });
});
