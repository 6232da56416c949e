import { describe, expect, test } from "vitest";
import { createDiagnostic } from "../../compiler/diagnostics/create.js";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { renderJson } from "../../compiler/diagnostics/render-json.js";
import { renderText } from "../../compiler/diagnostics/render-text.js";
import type { Span } from "../../grammar/index.js";

/** The span of the nth time that `part` occurs in a text. */
function spanOf(text: string, part: string, nth = 0): Span {
  let offset = text.indexOf(part);
  for (let count = 0; count < nth; count++) offset = text.indexOf(part, offset + 1);
  const position = (at: number) => {
    const before = text.slice(0, at).split("\n");
    return { offset: at, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
  };
  return { file: "a.net", start: position(offset), end: position(offset + part.length) };
}

function underline(text: string, part: string, message = ""): Diagnostic {
  return createDiagnostic("NET0001", {
    message: "wrong",
    span: spanOf(text, part),
    label: message,
  });
}

/** The lines below header and place. */
function excerptOf(diagnostic: Diagnostic, text: string): string[] {
  return renderText(diagnostic, text).split("\n").slice(2);
}

describe("as text", () => {
  test("related places come in the order of the lines, then notes, then help", () => {
    const text =
      "\n\n\n\n  input  image: f32[N, 3, 256, 256]\n\n\n\n\n\n\n\n" +
      "    relu -> maxpool(3)\n\n\n  linear(4096, in=9216)\n";
    const diagnostic = createDiagnostic("NET0001", {
      message: "linear `fc6` declares in=9216 but receives 12544 features",
      span: spanOf(text, "in=9216"),
      label: "expected 9216 = 256*6*6",
      related: [
        { span: spanOf(text, "maxpool(3)"), message: "gives [N, 256, 7, 7]" },
        { span: spanOf(text, "f32[N, 3, 256, 256]"), message: "starts as 256x256" },
      ],
      notes: ["inputs of 223 to 254 give exactly 9216"],
      fixes: [{ title: "drop `in=9216`", edits: [] }],
    });
    expect(renderText(diagnostic, text)).toBe(
      `
error[NET0001]: linear \`fc6\` declares in=9216 but receives 12544 features
  --> a.net:16:16
 5 |   input  image: f32[N, 3, 256, 256]
   |                 ------------------- starts as 256x256
13 |     relu -> maxpool(3)
   |             ---------- gives [N, 256, 7, 7]
16 |   linear(4096, in=9216)
   |                ^^^^^^^ expected 9216 = 256*6*6
   = note: inputs of 223 to 254 give exactly 9216
   = help: drop \`in=9216\``.trimStart(),
    );
  });

  test.each([
    ["tabs", "\tconv\t(x)", " 1 |     conv    (x)", "   |             ^^^"],
    ["wide characters", '"網路" (x)', ' 1 | "網路" (x)', "   |        ^^^"],
    ["emoji", '"🙂" (x)', ' 1 | "🙂" (x)', "   |      ^^^"],
    ["combining marks", '"e\u0301" (x)', ' 1 | "e\u0301" (x)', "   |     ^^^"],
    ["a byte order mark", "\ufeffa (x)", " 1 | a (x)", "   |   ^^^"],
    ["escapes", "\u001b[31m(x)", " 1 | \ufffd[31m(x)", "   |      ^^^"],
  ])("underlines are below their text: %s", (_, text, line, marks) => {
    expect(excerptOf(underline(text, "(x)"), text)).toEqual([line, marks]);
  });

  test("a span of several lines is marked where it starts and where it ends", () => {
    const text = "a (b\n  c\n  d) e";
    expect(excerptOf(underline(text, "(b\n  c\n  d)", "all of this"), text)).toEqual([
      " 1 | a (b",
      "   |   ^^ from here",
      " 3 |   d) e",
      "   |    ^ all of this",
    ]);
  });

  test("an empty span at the end of a line has a separate mark", () => {
    const diagnostic = createDiagnostic("NET0001", {
      message: "wrong",
      span: { ...spanOf("relu", "relu"), start: spanOf("relu", "relu").end },
    });
    expect(excerptOf(diagnostic, "relu")).toEqual([" 1 | relu", "   |     ^"]);
  });

  test("only a part of a very long line is shown", () => {
    const text = `${"x".repeat(500)}(here)${"y".repeat(500)}`;
    const [line = "", marks = ""] = excerptOf(underline(text, "(here)"), text);
    expect(line.length).toBeLessThan(180);
    expect(line.indexOf("(here)")).toBe(marks.indexOf("^"));
  });

  test("a place in another file becomes a note", () => {
    const elsewhere = { ...spanOf("x", "x"), file: "b.net" };
    const diagnostic = createDiagnostic("NET0001", {
      message: "wrong",
      span: spanOf("x", "x"),
      related: [{ span: elsewhere, message: "declared there" }],
    });
    expect(renderText(diagnostic, "x")).toContain("   = note: b.net:1:1: declared there");
  });

  test("colors change nothing but colors", () => {
    const diagnostic = underline("relu", "relu", "this");
    const colored = renderText(diagnostic, "relu", { color: true });
    expect(colored).toContain("\u001b[1;31m^^^^ this");
    // eslint-disable-next-line no-control-regex -- the escapes are what is removed
    expect(colored.replace(/\u001b\[[\d;]*m/g, "")).toBe(renderText(diagnostic, "relu"));
  });
});

test("as JSON: lines and columns from 1, everything that the text has", () => {
  const text = "a\n b";
  const span = spanOf(text, "b");
  const range = { start: { line: 2, column: 2 }, end: { line: 2, column: 3 } };
  const diagnostic = createDiagnostic("NET0001", {
    message: "wrong",
    span,
    related: [{ span, message: "here" }],
    notes: ["a note"],
    fixes: [{ title: "mend", edits: [{ span, newText: "c" }] }],
  });
  expect(JSON.parse(renderJson([diagnostic]))).toEqual({
    version: 1,
    diagnostics: [
      {
        code: "NET0001",
        severity: "error",
        message: "wrong",
        file: "a.net",
        range,
        label: "",
        related: [{ message: "here", file: "a.net", range }],
        notes: ["a note"],
        fixes: [{ title: "mend", edits: [{ file: "a.net", range, newText: "c" }] }],
      },
    ],
  });
});
