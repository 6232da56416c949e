/** Tokens from a CSV file, with the built command. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeWorkspace, type Workspace } from "./fixtures.js";
import { netc as run } from "./netc.js";

let workspace: Workspace;

const netc = (...args: readonly string[]) => run(args, { cwd: workspace.folder });

const spec = (words: number) => `model Order {
  input  words: u32[N, 6] in 0..${words}
  target label: u32[N] in 0..2
  parameter places: f32[6, 16] init normal(0.1)

  embedding(16) -> add(places) -> residual { layernorm -> attention(2) }
  layernorm -> global_avgpool -> linear(32) -> relu -> linear(2) as logits

  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
}

data Words for Order {
  train csv("words.csv", holdout=0.25)
  eval  csv("words.csv", holdout=0.25)
}

train Base of Order on Words {
  epochs    = 12
  batch     = 32
  optimizer = adam(lr=0.01)
  seed      = 1
}
`;

/** Six words a row, among them 1 and 2, and which of the two comes first. */
function words(): string {
  const lines = Array.from({ length: 480 }, (_, row) => {
    const own = Array.from({ length: 6 }, (_, place) => 3 + ((row * 7 + place * 5 + 3) % 8));
    const first = row % 6;
    const second = (first + 1 + (Math.floor(row / 6) % 5)) % 6;
    own[first] = 1;
    own[second] = 2;
    return [...own, first < second ? "before" : "after"].join(",");
  });
  return `a,b,c,d,e,f,label\n${lines.join("\n")}\n`;
}

beforeAll(async () => {
  workspace = await makeWorkspace();
  await workspace.write("words.csv", words());
  await workspace.write("order.net", spec(11));
  await workspace.write("few.net", spec(10));
});

afterAll(() => workspace.remove());

test("a table of tokens trains a classifier", async () => {
  const trained = await netc("train", "order.net");
  expect(trained.stderr).not.toContain("error");
  expect(trained.code).toBe(0);
  const weights = ["--weights", "runs/order/best.safetensors"];
  const { stdout } = await netc("eval", "order.net", ...weights, "--json");
  const { examples, top1 } = JSON.parse(stdout) as { readonly [name in string]: number };
  expect(examples).toBe(120);
  expect(top1).toBeGreaterThan(0.97);
});

test("a token beyond the range of the input ends the run, and says which", async () => {
  const { code, stderr } = await netc("train", "few.net");
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /words\.csv:\d+: "10" in the column [a-f] is not one of `words`: expected an integer .* 0 to 9/,
  );
});
