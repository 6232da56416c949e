import { describe, expect, test } from "vitest";
import { renderText } from "../../compiler/diagnostics/render-text.js";
import { analyze } from "../../compiler/semantics/index.js";
import { isDiagnostic, pages, readPage } from "./pages.js";
import { type Example, examplesOf, specAround } from "./examples.js";

/*
 * Everything that the documentation calls netc compiles: blocks marked `net`, and code in table
 * columns headed `netc`. `specAround` completes parts of specs. An HTML comment before a block may
 * have notes, separated by `; `:
 *
 *   <!-- file: blocks.net -->           other blocks of the page may import it, or follow it
 *   <!-- after: blocks.net -->          the block follows that one in a file
 *   <!-- input: f32[N, 64] -->          of the model around layers, also `target` and `layers`
 *   <!-- gives: NET2002 -->             what a block marked `net wrong` must give, and nothing else
 */

const checked = pages.filter((page) => !isDiagnostic(page));

/** The blocks of a page that have a file's name. */
function filesOf(examples: readonly Example[]): ReadonlyMap<string, string> {
  return new Map(
    examples.flatMap(({ text, notes }) => (notes.file ? [[notes.file, text] as const] : [])),
  );
}

function diagnose(example: Example, files: ReadonlyMap<string, string>) {
  const { after } = example.notes;
  const before = after ? `${files.get(after) ?? `// no ${after}`}\n` : "";
  const text = before + specAround(example);
  const readImport = (path: string) => {
    const file = path.replace("./", "");
    const imported = files.get(file);
    return imported === undefined ? undefined : { file, text: imported };
  };
  const { diagnostics } = analyze(text, "example.net", { readImport });
  return {
    codes: diagnostics.map(({ code }) => code),
    messages: diagnostics.map((diagnostic) => renderText(diagnostic, text)),
  };
}

describe.each(checked)("%s", (page) => {
  const examples = examplesOf(readPage(page));
  const files = filesOf(examples);
  test.skipIf(examples.length === 0)("its examples do what it says", () => {
    for (const example of examples) {
      const { codes, messages } = diagnose(example, files);
      const place = `${page}:${example.line}`;
      if (example.isWrong) {
        expect({ place, codes }).toEqual({ place, codes: example.notes.gives?.split(", ") });
      } else {
        expect({ place, messages }).toEqual({ place, messages: [] });
      }
    }
  });
});

test("examples are found in blocks and in tables", () => {
  const page = [
    ...["<!-- input: f32[N, 4] -->", "", "```net", "linear(2)", "```", ""],
    ...["<!-- gives: NET1001 -->", "```net wrong", "Dense(2)", "```", ""],
    ...["| Keras | netc |", "| --- | --- |", "| `Dense(2)` | `linear(2)`, `relu` |", ""],
  ].join("\n");
  expect(examplesOf(page)).toEqual([
    { line: 3, text: "linear(2)", isWrong: false, notes: { input: "f32[N, 4]" } },
    { line: 8, text: "Dense(2)", isWrong: true, notes: { gives: "NET1001" } },
    { line: 14, text: "linear(2)", isWrong: false, notes: {} },
    { line: 14, text: "relu", isWrong: false, notes: {} },
  ]);
});
