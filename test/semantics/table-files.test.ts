/** Tables that name image files, and mistakes in saying so. */
import { describe, expect, test } from "vitest";
import { analyze } from "../../compiler/semantics/index.js";

const spec = (columns: string, { input = "f32[N, 3, 32, 32]", transforms = "" } = {}) => `
model Tags {
  input  image: ${input}
  target tags: f32[N, 2]
  flatten -> linear(2) as logits
  loss bce_with_logits(logits, tags)
}
data Photos for Tags {
  train csv("tags.csv", ${columns}) { ${transforms} }
}
train Base of Tags on Photos {
  epochs = 1
  batch = 8
  optimizer = adam
}
`;

const TAGS = 'label=["cat", "dog"]';

function read(text: string) {
  const { diagnostics, selected } = analyze(text, "a.net");
  const source = selected?.recipe?.data?.train?.source;
  return {
    messages: diagnostics.map(({ code, message }) => `${code}: ${message}`),
    fields: source?.kind === "csv" ? source.fields : undefined,
  };
}

describe("`files`", () => {
  test("names the column of the one input", () => {
    const resize = { transforms: "resize([32, 32]) -> hflip" };
    const { messages, fields } = read(spec(`files="file", ${TAGS}`, resize));
    expect(messages).toEqual([]);
    expect(fields).toEqual([
      { name: "image", role: "input", holds: "file", columns: ["file"], size: 1 },
      {
        name: "tags",
        role: "target",
        holds: "numbers",
        size: 2,
        isShare: true,
        columns: ["cat", "dog"],
      },
    ]);
  });

  test.each([
    [
      "f32[N, 12]",
      `files="file", ${TAGS}`,
      "NET3027: `files` names images, but model `Tags` reads `image`, which is not an image",
    ],
    [
      "f32[N, 3, 32, 32]",
      `files="file", ${TAGS}, image=["a"]`,
      "NET3027: the images of `image` are in files, and `csv` also names columns for it",
    ],
    [
      "f32[N, 3, 32, 32]",
      `files="file", ${TAGS}, maximum=16`,
      "NET3027: `maximum` is of pixels in the rows of a table, and these are in files",
    ],
    [
      "f32[N, 3, 32, 32]",
      `files="file", ${TAGS}, standardize=true`,
      "NET3027: `standardize` is for inputs of numbers, which the model does not have",
    ],
    ["f32[N, 3, 32, 32]", `files=["a"], ${TAGS}`, "NET1009: `files` of `csv` must be a string"],
  ])("of %s with %s is a mistake", (input, columns, message) => {
    expect(read(spec(columns, { input })).messages.join("\n")).toContain(message);
  });

  test("names the pictures that tuples are drawn from", () => {
    const { messages, fields } = read(`
model Faces {
  input  anchor: f32[N, 1, 8, 8]
  input  positive: f32[N, 1, 8, 8]
  input  negative: f32[N, 1, 8, 8]
  share tower { flatten -> linear(4) }
  from anchor -> tower as a
  from positive -> tower as p
  from negative -> tower as n
  let near = sum((a - p)^2, over=channels)
  let far = sum((a - n)^2, over=channels)
  loss mean(max(near - far + 1, 0))
  output a
}
data People for Faces {
  train triplets(csv("people.csv", files="file", label="who")) { resize([8, 8]) }
}
train Base of Faces on People {
  epochs = 1
  batch = 8
  optimizer = adam
}
`);
    expect(messages).toEqual([]);
    expect(fields!.map(({ holds, columns }) => [holds, columns])).toEqual([
      ["file", ["file"]],
      ["class", ["who"]],
    ]);
  });

  test("takes labels that a constant names", () => {
    const resize = { transforms: "resize([32, 32])" };
    const text = `const tags = ["cat", "dog"]\n${spec('files="file", label=tags', resize)}`;
    const { messages, fields } = read(text);
    expect(messages).toEqual([]);
    expect(fields![1]!.columns).toEqual(["cat", "dog"]);
  });

  test("a mistake in the model is one message", () => {
    const wrong = spec(`files="file", tags=["cat", "dog"]`).replace("f32[N, 2]", "f32[N]");
    expect(read(wrong).messages.map((each) => each.slice(0, 7))).toEqual(["NET2014"]);
  });
});
