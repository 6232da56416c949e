import { expect, test } from "vitest";
import { analyze, type ReadImport } from "../../compiler/semantics/index.js";

/** Each name as `kind text -> where it is defined`, with its values. */
function occurrencesOf(text: string, readImport?: ReadImport): readonly string[] {
  const { occurrences } = analyze(text, "m.net", readImport && { readImport });
  return occurrences.map(({ kind, span, definition, values }) => {
    const written = text.slice(span.start.offset, span.end.offset);
    const { file, start } = definition;
    const shown = values.length > 0 ? ` = ${values.join(" ")}` : "";
    return (
      `${kind} ${written} ` +
      `${file === "m.net" ? "" : `${file}:`}${start.line}:${start.column}${shown}`
    );
  });
}

test("names are without the text around them", () => {
  const text = `model M {
  input image: f32[N, 3, 8, 8]
  target label: u32[N]
  s { relu as a }
  from s.a -> flatten -> linear(2) as logits
  loss cross_entropy(logits=s.logits, labels=label)
}`;
  const found = occurrencesOf(text.replace("s.logits", "logits"));
  expect(found).toContain("value s.a 4:15");
  expect(found).toContain("value logits 5:39");
  expect(found).toContain("target label 3:10");
});

test("names take the values of all turns and uses", () => {
  const text = `const w = 2 * 4
block b(n: int) { conv(n, kernel=1) }
model M {
  input image: f32[N, 3, 8, 8]
  for i in 1..4 { b(w * i) }
}`;
  const found = occurrencesOf(text);
  expect(found).toContain("constant w 1:7 = 8");
  expect(found).toContain("variable i 5:7 = 1 2 3");
  expect(found).toContain("parameter n 2:9 = 8 16 24");
});

test("names are found where nothing is analyzed", () => {
  const text = `const w = 3
block unused(n: int, size: int) {
  repeat 0 { conv(w * n, kernel=1) as a }
  lrn(divide=size) -> from a -> add(a)
}`;
  const found = occurrencesOf(text).filter((each) => !each.includes("2:"));
  expect(found).toEqual([
    ...["constant w 1:7 = 3", "constant w 1:7 = 3", "value a 3:39", "value a 3:39", "value a 3:39"],
  ]);
});

test("imports lead to the imported file, by either name", () => {
  const readImport = () => ({ file: "b.net", text: "const c = 5\nblock b() { relu }" });
  const text = 'import { c as d, b as e } from "./b.net"\nmodel M { input x: f32[N, d]\n e }';
  expect(occurrencesOf(text, readImport).filter((each) => !each.startsWith("model"))).toEqual([
    ...["constant c b.net:1:7 = 5", "constant d b.net:1:7 = 5"],
    ...["block b b.net:2:7", "block e b.net:2:7", "input x 2:17"],
    ...["constant d 1:15 = 5", "block e b.net:2:7"],
  ]);
});
