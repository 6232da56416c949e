import { expect, test } from "vitest";
import { classify } from "../../grammar/index.js";

const kindsOf = (text: string) =>
  classify(text, "a.net").map((token) => `${token.kind} ${token.text}`);

test("words are keywords where they have their meaning, and names elsewhere", () => {
  expect(kindsOf("model M { loss -> linear(2, in=3) as of\n loss f(a) }")).toEqual([
    ...["keyword model", "name M", "bracket {", "name loss", "operator ->", "name linear"],
    ...["bracket (", "number 2", "separator ,", "name in", "operator =", "number 3", "bracket )"],
    ...["keyword as", "name of", "keyword loss", "name f", "bracket (", "name a", "bracket )"],
    "bracket }",
  ]);
  expect(kindsOf("train A of B(c=1) on D { }").slice(0, 4)).toEqual([
    ...["keyword train", "name A", "keyword of", "name B"],
  ]);
  expect(kindsOf("block b() { for x in 0..2 { residual { relu } skip auto } }")).toContain(
    "keyword auto",
  );
});

test("comments are among the tokens, and a broken text has its tokens, too", () => {
  expect(kindsOf('/// doc\nconst a = (1.5 // open\nmodel "x')).toEqual([
    ...["documentation /// doc", "keyword const", "name a", "operator =", "bracket ("],
    ...["number 1.5", "comment // open", "keyword model", 'string "x'],
  ]);
});
