import { describe, expect, test } from "vitest";
import { analyze } from "../../compiler/index.js";
import { trainSettings } from "../../compiler/semantics/recipes/settings.js";
import { builtIns } from "../../compiler/reference/built-ins.js";
import { explainWord, listEverything, nearestWord } from "../../compiler/reference/explain.js";
import { topics } from "../../compiler/reference/topics.js";

/** A spec with a place for everything: what is given replaces its line. */
interface Places {
  readonly layer?: string;
  readonly constant?: string;
  readonly loss?: string;
  readonly metric?: string;
  readonly source?: string;
  readonly transform?: string;
  readonly setting?: string;
}

const SETTINGS = ["epochs = 1", "batch = 8", "optimizer = sgd(lr=0.01)", "freeze = [features.*]"];

/** Scores of labels, of values and of masks need different targets. */
const LABELED = {
  target: "label: u32[N] in 0..10",
  head: "flatten -> linear(10) as logits",
  loss: "cross_entropy(logits, label)",
  source: 'cifar10("data")',
};
const VALUED: Kind = {
  target: "target: f32[N, 10]",
  head: "flatten -> linear(10) as output",
  loss: "mse(output, target)",
};
const MASKED: Kind = {
  target: "mask: u32[N, 32, 32] in 0..10",
  head: "conv(10, kernel=1) as logits",
  loss: "cross_entropy(logits, mask)",
  source: 'pairs("images", "masks")',
};

/** Of two networks, one of which is in a section. */
const TAUGHT: Kind = {
  ...LABELED,
  head: `big { flatten -> linear(10) as logits }
  from image -> flatten -> linear(10) as logits
  metric right = accuracy(logits, label)`,
};
const BOXED: Kind = {
  target: "boxes: boxes[N, 20] in 0..3",
  head: "conv(8, kernel=1) as head",
  loss: "yolo(head, boxes)",
  source: 'boxes("images", "labels")',
};

/** A class for each of 64 tokens. */
const TOKENS: Kind = {
  target: "next: u32[N, 64] in 0..10",
  head: "reshape([64, 128]) -> linear(10) as logits",
  loss: "cross_entropy(logits, next)",
};

const TRIPLETS: Kind = {
  inputs: ["anchor", "positive", "negative"],
  target: LABELED.target,
  head: `flatten as own
  from positive -> flatten -> concat(own) as same
  from negative -> flatten -> concat(same) -> linear(10) as logits`,
  loss: LABELED.loss,
};
const PAIRED: Kind = {
  inputs: ["left", "right"],
  target: "same: u32[N] in 0..2",
  head: `flatten as own
  from right -> flatten -> concat(own) -> linear(2) as logits`,
  loss: "cross_entropy(logits, same)",
};

type Kind = Omit<typeof LABELED, "source"> &
  Partial<typeof LABELED> & { readonly inputs?: readonly string[] };

function specOf(places: Places, kind: Kind): string {
  const { constant = "1", layer = "conv(8, kernel=3, padding=1)", setting = "" } = places;
  const { loss = kind.loss, metric, source = kind.source, transform = "hflip" } = places;
  const { inputs = ["image"] } = kind;
  const channels = source?.startsWith("idx") ? 1 : 3;
  const others = SETTINGS.filter((line) => line.split(" ")[0] !== setting.split(" ")[0]);
  return `
const width = 64
const size = ${constant}
model M {
  ${inputs.map((name) => `input ${name}: f32[N, ${channels}, 32, 32]`).join("\n  ")}
  target ${kind.target}
  features {
    ${layer}
  }
  batchnorm
  ${kind.head}
  loss ${loss}
  ${metric === undefined ? "" : `metric score = ${metric}`}
}
${source ? dataAndTrain({ source, transform, settings: [...others, setting] }) : ""}`;
}

interface Recipe {
  readonly source: string;
  readonly transform: string;
  readonly settings: readonly string[];
}

function dataAndTrain({ source, transform, settings }: Recipe): string {
  const isForEval = transform.startsWith("ten_crop");
  return `
data D for M {
  train ${source} { ${isForEval ? "hflip" : transform} }
  eval  ${source} { ${isForEval ? transform : "center_crop(32)"} }
}
train T of M on D {
  ${settings.join("\n  ")}
}
`;
}

function kindOf(example: string): Kind {
  if (example.startsWith("triplets")) return TRIPLETS;
  if (example.startsWith("siamese")) return PAIRED;
  if (example.includes("boxes")) return BOXED;
  if (example.includes("mask")) return MASKED;
  if (example.includes("next")) return TOKENS;
  if (/\bbig\b/.test(example)) return TAUGHT;
  return example.includes("target") ? VALUED : LABELED;
}

function errorsOf(places: Places, example: string): readonly string[] {
  const text = specOf(places, kindOf(example));
  return analyze(text, "example.net")
    .diagnostics.filter(({ severity }) => severity === "error")
    .map(({ code, message }) => `${code}: ${message}`);
}

/** Where an example of each kind goes. */
const placesOf = {
  loss: (example) => ({ loss: example }),
  metric: (example) => ({ metric: example }),
  source: (example) => ({ source: example }),
  transform: (example) => ({ transform: example }),
  optimizer: (example) => ({ setting: `optimizer = ${example}` }),
  schedule: (example) => ({ setting: `schedule = ${example}` }),
  sampling: (example) => ({ setting: `sampling = ${example}` }),
  average: (example) => ({ setting: `average = ${example}` }),
  unfreeze: (example) => ({ setting: `unfreeze = ${example}` }),
  stop: (example) => ({ setting: `stop = ${example}` }),
  // The metric of these specs is called `score`.
  best: (example) => ({
    metric: "accuracy(logits, label)",
    setting: `best = ${example.replace("top1", "score")}`,
  }),
  precision: (example) => ({ setting: `precision = ${example}` }),
  weights: (example) => ({ setting: `weights = ${example}` }),
  teacher: (example) => ({ setting: `teacher = ${example}` }),
  initializer: (example) => ({ layer: `conv(8, kernel=3, padding=1, init=${example})` }),
  function: (example) => ({ constant: example }),
  // Of classes, a formula has its place in a loss.
  formula: (example) =>
    example.startsWith("one_hot")
      ? { loss: `mean((logits - ${example})^2)` }
      : { layer: `conv(8, kernel=3) as x -> relu as y\n  let z = ${example}` },
} satisfies Readonly<Record<Exclude<keyof typeof builtIns, "layer">, (text: string) => Places>>;

describe("every example of the reference is right where it belongs", () => {
  for (const [kind, place] of Object.entries(placesOf)) {
    const { definitions } = builtIns[kind as keyof typeof placesOf];
    for (const { name, examples } of definitions) {
      test(`${kind} ${name}`, () => {
        expect(examples).toHaveLength(1);
        // First, or as `identity`, which is chosen among others, within.
        expect(examples[0]).toMatch(new RegExp(`(^|, )${name}\\b`));
        expect(errorsOf(place(examples[0]!), examples[0]!)).toEqual([]);
      });
    }
  }

  for (const { name, example } of trainSettings) {
    test(`setting ${name}`, () => {
      expect(example).toMatch(new RegExp(`^${name} = `));
      const [, value = ""] = example.split(" = ");
      const place = name === "best" ? placesOf.best(value) : { setting: example };
      expect(errorsOf(place, example)).toEqual([]);
    });
  }

  test("a wrong example would be seen", () => {
    expect(errorsOf({ setting: "schedule = step(gamma=2)" }, "")).not.toEqual([]);
    expect(errorsOf({ transform: "hflip(2)" }, "")).not.toEqual([]);
  });
});

describe("what a word means", () => {
  test("a layer: signature, arguments, examples with shapes", () => {
    const page = explainWord("maxpool")!;
    expect(page).toMatch(/^# maxpool: layer\n/);
    expect(page).toContain("- `kernel`: ");
    expect(page).toMatch(/`maxpool\(.*\)`: \[N, .*\] -> \[N, /);
  });

  test("another framework's name leads to netc's, and says what differs", () => {
    expect(explainWord("Conv2d")).toMatch(/^`Conv2d` is `conv` in netc\.\n\n# conv: layer/);
    expect(explainWord("clipnorm")).toMatch(/^`clipnorm` is `clip_norm` in netc \(Keras limits/);
  });

  test("an argument names everything that takes it", () => {
    const page = explainWord("stride")!;
    expect(page).toMatch(
      /^# stride: argument\n\n- of the layer `conv`, the layer `conv_transpose`: /,
    );
    expect(page).toContain("- of the layer `maxpool`, the layer `avgpool`, the layer `lp_pool`: ");
  });

  test("a word with several meanings has a page for each", () => {
    const page = explainWord("constant")!;
    expect(page).toContain("# constant: schedule");
    expect(page).toContain("# constant: initializer");
  });

  test("letters alone count where nothing is written exactly so", () => {
    expect(explainWord("Label Smoothing")).toMatch(/^# label_smoothing: argument/);
    expect(explainWord("learning_rate")).toContain("# learning rate: term");
    expect(explainWord("GRADIENT-CLIPPING")).toContain("# gradient clipping: term");
  });

  test.each([
    ["torch.nn.Conv2d", "# conv: layer"],
    ["tf.keras.layers.Dense(10)", "# linear: layer"],
    ["padding=same", "# padding: argument"],
  ])("of code, %s, the name is explained", (word, title) => {
    expect(explainWord(word)).toContain(title);
  });

  test("what netc does not have is said with what to do instead", () => {
    expect(explainWord("LSTM")).toMatch(/^netc has no `LSTM`: /);
    expect(explainWord("num_workers")).toContain("as many threads as there are cores");
  });

  test("codes keep their pages", () => {
    expect(explainWord("2002")).toMatch(/^# NET2002: /);
  });

  test("other words are searched for in names, summaries and titles", () => {
    expect(explainWord("rectangle")).toMatch(/^Nothing is named `rectangle`;.*\n {2}center_crop/);
    expect(explainWord("declared input size")).toContain("NET2002");
    expect(explainWord("qwertyuiop")).toBeUndefined();
    expect(explainWord("  ")).toBeUndefined();
    expect(nearestWord("conf")).toBe("conv");
  });

  test.each(["toString", "__proto__", "constructor", "hasOwnProperty"])("%s is unknown", (word) => {
    expect(explainWord(word)).toBeUndefined();
  });
});

test("the list has every topic and every family of codes", () => {
  const list = listEverything();
  for (const { name, summary } of topics) {
    expect(list).toContain(`  ${name}`);
    expect(list).toContain(summary);
  }
  expect(list).toMatch(/^NET2: shapes$/m);
});
