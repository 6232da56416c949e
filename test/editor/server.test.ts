import { afterEach, describe, expect, test } from "vitest";
import type {
  CodeAction,
  CompletionItem,
  CompletionList,
  DocumentSymbol,
  FoldingRange,
  Hover,
  InlayHint,
  Location,
  SemanticTokens,
  TextEdit,
  WorkspaceEdit,
} from "vscode-languageserver-protocol";
import { analyze } from "../../compiler/index.js";
import { callsOf } from "../work.js";
import { Client, cursorIn, type Files, positionOf, specText, uriOf } from "./client.js";

let client: Client;

afterEach(() => client.stop());

async function open(name: string, text: string, files: Files = {}): Promise<string> {
  client = await Client.start(files);
  return client.open(name, text);
}

const SMALL = `/// A small network.
model Small(classes: int = 10) {
  input  image: f32[N, 3, 32, 32]
  target label: u32[N] in 0..classes

  features {
    conv(16, kernel=3, padding=1) as stem -> relu -> maxpool(2)
  }
  flatten -> linear(classes) as logits

  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
}
`;

const EVERYTHING = { start: { line: 0, character: 0 }, end: { line: 9999, character: 0 } };

describe("diagnostics", () => {
  test("none for a right spec, and those of an edit a moment later", async () => {
    const uri = await open("small.net", SMALL);
    expect(await client.diagnostics(uri)).toEqual([]);
    const at = SMALL.indexOf("linear(classes)");
    await client.edit(uri, at, at + "linear".length, "liner");
    const [mistake, ...others] = await client.diagnostics(uri);
    expect(others).toEqual([]);
    expect(mistake).toMatchObject({ code: "NET1001", severity: 1, source: "netc" });
    expect(mistake!.message).toContain("did you mean `linear`?");
    expect(mistake!.range.start).toEqual(positionOf(SMALL, at));
  });

  test("shapes that disagree name the places that led there", async () => {
    const uri = await open("small.net", SMALL.replace("linear(classes)", "linear(classes, in=99)"));
    const [mistake] = await client.diagnostics(uri);
    expect(mistake!.code).toBe("NET2002");
    expect(mistake!.relatedInformation!.length).toBeGreaterThan(0);
    expect(mistake!.relatedInformation![0]!.location.uri).toBe(uri);
  });

  test("broken text gives one mistake and keeps everything else alive", async () => {
    const uri = await open("small.net", SMALL.replace("padding=1)", "padding=1"));
    expect(await client.diagnostics(uri)).toHaveLength(1);
    const symbols = await client.ask<DocumentSymbol[]>("documentSymbol", uri);
    expect(symbols[0]!.name).toBe("Small");
    expect(await client.askAt<Hover>("hover", uri, { word: "maxpool" })).not.toBeNull();
  });

  test("unused names are faded", async () => {
    const uri = await open("small.net", `const unused = 3\n${SMALL}`);
    const [warning] = await client.diagnostics(uri);
    expect(warning).toMatchObject({ code: "NET1015", severity: 2, tags: [1] });
  });

  test("an imported block that changes in another tab is seen at once", async () => {
    const blocks = "block unit(out: int) { conv(out, kernel=3, padding=1) -> relu }\n";
    const user =
      `import { unit } from "./blocks.net"\n` +
      `${SMALL.replace("conv(16, kernel=3, padding=1)", "unit(16)")}`;
    const uri = await open("user.net", user, { [uriOf("blocks.net")]: blocks });
    expect(await client.diagnostics(uri)).toEqual([]);
    client.forget(uri);
    await client.open("blocks.net", blocks.replace("unit(", "other("));
    expect((await client.diagnostics(uri)).map(({ code }) => code)).toContain("NET1032");
  });
});

describe("completion", () => {
  async function completed(marked: string): Promise<CompletionItem[]> {
    const { text, position } = cursorIn(marked);
    const uri = await open("small.net", text);
    const found = await client.ask<CompletionList | CompletionItem[]>("completion", uri, {
      position,
    });
    return Array.isArray(found) ? found : found.items;
  }
  const labels = (items: readonly CompletionItem[]) => items.map(({ label }) => label);

  test("layers, blocks and keywords where a layer is allowed", async () => {
    const items = await completed(`block unit { relu }\n${SMALL.replace("-> relu ->", "-> | ->")}`);
    expect(labels(items)).toEqual(
      expect.arrayContaining(["conv", "batchnorm", "upsample", "unit", "residual"]),
    );
    const conv = items.find(({ label }) => label === "conv")!;
    expect(JSON.stringify(conv.documentation)).toContain("kernels over the image");
  });

  test("arguments that are not written yet", async () => {
    const found = labels(await completed(SMALL.replace("padding=1)", "padding=1, |)")));
    expect(found.join(" ")).toMatch(/stride.*dilation.*groups/);
    expect(found.join(" ")).not.toMatch(/\bpadding/);
  });

  test("values of an argument: choices, initializers, parameters", async () => {
    expect(labels(await completed(SMALL.replace("padding=1)", "init=|)")))).toContain("kaiming");
    const choices = await completed(SMALL.replace("relu", "gelu(approximate=|)"));
    expect(labels(choices)).toEqual(expect.arrayContaining(["none", "tanh"]));
    expect(labels(await completed(SMALL.replace("conv(16", "conv(|")))).toContain("classes");
  });

  test("named values in losses and after `from`", async () => {
    expect(labels(await completed(SMALL.replace("entropy(logits, ", "entropy(|, ")))).toEqual(
      expect.arrayContaining(["stem", "logits"]),
    );
    expect(labels(await completed(SMALL.replace("  loss ", "  from |\n  loss ")))).toContain(
      "stem",
    );
  });

  test("settings, optimizers and their arguments in a recipe", async () => {
    const recipe = (body: string) => `${SMALL}train Base of Small {\n  ${body}\n}\n`;
    expect(labels(await completed(recipe("|")))).toEqual(
      expect.arrayContaining(["epochs", "batch", "optimizer", "freeze"]),
    );
    expect(labels(await completed(recipe("optimizer = |")))).toEqual(
      expect.arrayContaining(["sgd", "adam", "adamw", "rmsprop"]),
    );
  });
});

describe("hover", () => {
  const hovered = async (text: string, word: string, nth = 1) => {
    const uri = await open("small.net", text);
    const found = await client.askAt<Hover | null>("hover", uri, { word, nth });
    return found ? (found.contents as { value: string }).value : "";
  };

  test("a layer tells its shape, parameters and multiply-adds, and its documentation", async () => {
    const text = await hovered(SMALL, "conv(16");
    expect(text).toContain("16");
    expect(text).toContain("448 parameters");
    expect(text).toMatch(/442[,.]?368|442K|0\\.44/);
    expect(text).toContain("Slides `out` kernels");
  });

  test("an argument, a parameter and a metric", async () => {
    expect(await hovered(SMALL, "padding=1")).toContain("zeros around the image");
    client.stop();
    expect(await hovered(SMALL, "classes", 2)).toContain("10");
    client.stop();
    expect(await hovered(SMALL, "accuracy")).toContain("largest logits");
  });

  test("a block in its use", async () => {
    expect(await hovered(specText("resnet18.net"), "basic(width, stride")).toContain(
      "Two convolutions around which the input is added",
    );
  });
});

describe("shapes, structure and colors", () => {
  test("hints show the shape after each line of alexnet.net", async () => {
    const text = specText("alexnet.net");
    const uri = await open("alexnet.net", text);
    const hints = await client.ask<InlayHint[]>("inlayHint", uri, { range: EVERYTHING });
    const byLine = new Map(hints.map(({ position, label }) => [position.line, label]));
    const lineOf = (word: string) => positionOf(text, text.indexOf(word)).line;
    expect(byLine.get(lineOf("conv(64"))).toBe("64x55x55 -> 64x27x27");
    expect(byLine.get(lineOf("as logits"))).toBe("1000");
  });

  test("symbols are nested as the spec is", async () => {
    const uri = await open("alexnet.net", specText("alexnet.net"));
    const symbols = await client.ask<DocumentSymbol[]>("documentSymbol", uri);
    const model = symbols.find(({ name }) => name === "AlexNet")!;
    expect(model.children!.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["features", "classifier"]),
    );
    expect(symbols.map(({ name }) => name)).toEqual(expect.arrayContaining(["ImageNet", "Base"]));
  });

  test("bodies fold", async () => {
    const uri = await open("small.net", SMALL);
    const ranges = await client.ask<FoldingRange[]>("foldingRange", uri);
    const lines = ranges.map(({ startLine, endLine }) => [startLine, endLine]);
    expect(lines).toContainEqual([1, 11]);
    expect(lines).toContainEqual([5, 6]);
  });

  test("tokens are within the text, in order, and cover every word", async () => {
    const text = specText("resnet18.net");
    const uri = await open("resnet18.net", text);
    const { data } = await client.ask<SemanticTokens>("semanticTokens/full", uri);
    expect(data.length % 5).toBe(0);
    const lines = text.split("\n");
    let [line, column, count] = [0, 0, 0];
    for (let at = 0; at < data.length; at += 5) {
      const [down, right, length] = data.slice(at, at + 3) as [number, number, number];
      column = down > 0 ? right : column + right;
      line += down;
      count++;
      expect(lines[line]!.slice(column, column + length)).not.toMatch(/^\s|\s$|^$/);
    }
    expect(count).toBeGreaterThan(150);
  });

  test("formatting is that of `netc fmt`, and leaves broken text alone", async () => {
    const uri = await open("small.net", SMALL.replaceAll(" -> ", "->"));
    const options = { options: { tabSize: 4, insertSpaces: true } };
    const [edit] = await client.ask<TextEdit[]>("formatting", uri, options);
    expect(edit!.newText).toBe(SMALL);
    const broken = await client.open("broken.net", "model M {\n     conv(3\n}");
    expect(await client.ask("formatting", broken, options)).toEqual([]);
  });
});

describe("names", () => {
  test("definition of values, parameters, blocks, models and imported blocks", async () => {
    const blocks = "block unit(out: int) { conv(out, kernel=3, padding=1) -> relu }\n";
    const user =
      `import { unit } from "./blocks.net"\n` +
      `${SMALL.replace("conv(16, kernel=3, padding=1)", "unit(16)")}`;
    const uri = await open("user.net", user, { [uriOf("blocks.net")]: blocks });
    const definitionOf = async (word: string, nth = 1) =>
      [await client.askAt<Location | Location[]>("definition", uri, { word, nth })].flat()[0]!;
    expect((await definitionOf("logits", 2)).range.start).toEqual(
      positionOf(user, user.indexOf("logits")),
    );
    expect((await definitionOf("classes", 2)).range.start).toEqual(
      positionOf(user, user.indexOf("classes")),
    );
    expect(await definitionOf("unit(16")).toMatchObject({
      uri: uriOf("blocks.net"),
      range: { start: positionOf(blocks, blocks.indexOf("unit")) },
    });
  });

  test("references, with the declaration if asked for", async () => {
    const uri = await open("small.net", SMALL);
    const find = (includeDeclaration: boolean) =>
      client.askAt<Location[]>("references", uri, {
        word: "logits",
        context: { includeDeclaration },
      });
    expect(await find(true)).toHaveLength(3);
    expect(await find(false)).toHaveLength(2);
  });

  test("renaming changes every use and nothing else", async () => {
    const uri = await open("small.net", SMALL);
    const edit = await client.askAt<WorkspaceEdit>("rename", uri, {
      word: "logits",
      newName: "scores",
    });
    expect(client.applied(uri, edit)).toBe(SMALL.replaceAll("logits", "scores"));
  });

  test("renaming a block changes the files that import it", async () => {
    const blocks = "block unit(out: int) { conv(out, kernel=3, padding=1) -> relu }\n";
    const user =
      `import { unit } from "./blocks.net"\n` +
      `${SMALL.replace("conv(16, kernel=3, padding=1)", "unit(16)")}`;
    const uri = await open("blocks.net", blocks, { [uriOf("user.net")]: user });
    const edit = await client.askAt<WorkspaceEdit>("rename", uri, {
      word: "unit",
      newName: "cell",
    });
    expect(client.applied(uri, edit)).toBe(blocks.replace("unit", "cell"));
    expect(client.applied(uriOf("user.net"), edit, user)).toBe(user.replaceAll("unit", "cell"));
  });

  test.each([
    ["model", /keyword/],
    ["9lives", /not a name/],
    ["features", /fit|already/],
  ])("a rename to %s is refused with the reason", async (newName, reason) => {
    const uri = await open("small.net", SMALL);
    await expect(client.askAt("rename", uri, { word: "logits", newName })).rejects.toThrow(reason);
  });
});

test("fixes are offered where the mistake is, and mend it", async () => {
  const uri = await open("small.net", SMALL.replace("maxpool", "MaxPool2d"));
  const [{ range } = { range: EVERYTHING }] = await client.diagnostics(uri);
  const [action] = await client.ask<CodeAction[]>("codeAction", uri, {
    range,
    context: { diagnostics: [] },
  });
  expect(action).toMatchObject({ title: "Write `maxpool`", isPreferred: true });
  expect(client.applied(uri, action!.edit!)).toBe(SMALL);
});

test("an edit of alexnet.net is analyzed once, and nothing else is", async () => {
  const text = specText("alexnet.net");
  const uri = await open("alexnet.net", text);
  await client.diagnostics(uri);
  const at = text.indexOf("kernel=11") + "kernel=1".length;
  const edited = `${text.slice(0, at)}1${text.slice(at)}`;
  const edit = async () => {
    await client.edit(uri, at, at, "1");
    await client.diagnostics(uri);
    await client.edit(uri, at, at + 1, "");
    await client.diagnostics(uri);
  };
  const analyses = () => {
    analyze(edited, "alexnet.net");
    analyze(text, "alexnet.net");
  };
  await edit();
  analyses();
  const [editing, analyzing] = [await callsOf(edit), await callsOf(analyses)];
  // The rest is the protocol: 0.2% when this was written.
  expect(editing / analyzing).toBeLessThan(1.1);
});
