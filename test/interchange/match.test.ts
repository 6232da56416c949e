/**
 * Which tensor of a file is which of a model's: what is sure, what is likely, and what is asked.
 */
import fc from "fast-check";
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { analyze } from "../../compiler/semantics/index.js";
import { describeUnmatched } from "../../interchange/weights/describe.js";
import { matchTensors, type MatchRequest } from "../../interchange/weights/match.js";
import { sameNumbers, type Shaped } from "../../interchange/weights/modules.js";
import { parseRenaming, renamed } from "../../interchange/weights/rename.js";
import { torchvisionNames } from "../../interchange/weights/torchvision.js";
import { WeightsError } from "../../runtime/errors.js";
import { readExpected, readSpec } from "../parity/harness.js";

/** Names of torchvision's layers in its own order. */
const layersOf = readExpected<Readonly<Record<string, string>>>("torchvision-names");
const shipped = ["torchvision", "torchvision-segmentation"].flatMap((file) =>
  readExpected<readonly { readonly name: string }[]>(file),
);

/** A convolution, its normalization, or a linear layer, by name. */
const conv = (name: string, out: number, inputs: number, kernel = 3): readonly Shaped[] => [
  { name: `${name}.weight`, shape: [out, inputs, kernel, kernel] },
];
const norm = (name: string, size: number): readonly Shaped[] =>
  ["weight", "bias", "running_mean", "running_var"].map((kind) => ({
    name: `${name}.${kind}`,
    shape: [size],
  }));
const linear = (name: string, out: number, inputs: number): readonly Shaped[] => [
  { name: `${name}.weight`, shape: [out, inputs] },
  { name: `${name}.bias`, shape: [out] },
];

/** `SPEC <- FILE (how, sure)`, a line each. */
function linesOf(request: MatchRequest): readonly string[] {
  const { matches, unmatched } = matchTensors(request);
  return [
    ...matches.map(({ own, file, how, sure }) => `${own.name} <- ${file.name} (${how}, ${sure})`),
    ...unmatched.map(describeUnmatched),
  ];
}

interface LibraryFile {
  /** Of specs/ or scripts/networks/specs; null for a network that netc has not. */
  readonly spec: string | null;
  /** `MODULE KIND:SIZES KIND:SIZES`, as timm 1.0.29 and transformers 5.18 define them. */
  readonly tensors: readonly string[];
}

describe("names of timm and transformers", () => {
  const path = new URL("../fixtures/library-names.json", import.meta.url);
  const files = JSON.parse(readFileSync(path, "utf8")) as Readonly<Record<string, LibraryFile>>;

  const tensorsOf = ({ tensors }: LibraryFile): readonly Shaped[] =>
    tensors.flatMap((line) => {
      const [module, ...kinds] = line.split(" ");
      return kinds.map((each) => {
        const [kind, sizes] = each.split(":") as [string, string];
        const name = module === "" ? kind : `${module}.${kind}`;
        return { name, shape: sizes === "" ? [] : sizes.split(",").map(Number) };
      });
    });

  /** As the safetensors library writes them. */
  const sorted = (tensors: readonly Shaped[]) =>
    [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));

  const ownOf = (spec: string): readonly Shaped[] => {
    const folders = ["specs", "scripts/networks/specs"].map(
      (folder) => new URL(`../../${folder}/${spec}.net`, import.meta.url),
    );
    const text = readFileSync(
      folders.find((path) => existsSync(path))!,
      "utf8",
    );
    const { selected } = analyze(text, `${spec}.net`);
    return selected!.model.graph!.parameters.map(({ value: { name, shape } }) => {
      return { name, shape: shape.map(Number) };
    });
  };

  const known = Object.entries(files).filter(([, { spec }]) => spec !== null);

  test.each(known)("%s: every tensor is found, and sure", (name, file) => {
    const own = ownOf(file.spec!);
    const { matches, unmatched, left } = matchTensors({
      own,
      file: sorted(tensorsOf(file)),
      isOrdered: false,
    });
    expect([unmatched, left]).toEqual([[], []]);
    expect(matches.map((match) => match.own)).toEqual(own);
    const ways = new Set(matches.map(({ how, sure }) => `${how}, ${sure}`));
    expect([...ways]).toEqual([`${name}, sure`]);
  });

  test("what a network of the same name does otherwise is said", () => {
    const file = tensorsOf(files["timm's mobilenetv3_small_100"]!);
    const { remarks } = matchTensors({ own: ownOf("mobilenet_v3_small"), file, isOrdered: true });
    expect(remarks).toEqual([expect.stringContaining("`eps=1e-5`")]);
  });

  test("weights of attention are named where nothing fits", () => {
    const file = tensorsOf(files["timm's vit_tiny_patch16_224"]!);
    const { matches, remarks } = matchTensors({ own: ownOf("resnet18"), file, isOrdered: true });
    expect(matches).toEqual([]);
    expect(remarks).toEqual([expect.stringContaining("`blocks.0.attn.qkv.weight`")]);
    expect(remarks[0]).toContain("netc knows the names of torchvision's vit_b_16 and swin_t, and");
  });

  test("timm's vision transformer, whose attention has other names", () => {
    const { tensors } = files["timm's vit_tiny_patch16_224"]!;
    const block = tensors.filter((line) => line.startsWith("blocks.1."));
    const others = Array.from({ length: 10 }, (_, index) =>
      block.map((line) => line.replace(".1.", `.${index + 2}.`)),
    );
    const end = ["norm weight:192 bias:192", "head weight:1000,192 bias:1000"];
    const all = [...tensors, ...others.flat(), ...end];
    const file = sorted(tensorsOf({ spec: null, tensors: all }));
    const own = ownOf("deit_tiny_patch16_224");
    const { matches, unmatched, left } = matchTensors({ own, file, isOrdered: false });
    expect([unmatched, left]).toEqual([[], []]);
    const found = Object.fromEntries(matches.map(({ own, file }) => [own.name, file.name]));
    expect(found).toMatchObject({
      class_token: "cls_token",
      "encoder.pos_embedding": "pos_embed",
      "encoder.layer2.attention1.in_proj_bias": "blocks.1.attn.qkv.bias",
      "encoder.layer12.attention1.out_proj.weight": "blocks.11.attn.proj.weight",
    });
    expect(matches.every(({ sure }) => sure === "sure")).toBe(true);
  });

  test.each(["", "module."])("torchvision's swin_t %s", (prefix) => {
    const own = ownOf("swin_t");
    const modules = [...new Set(own.map(({ name }) => name.replace(/\.[^.]+$/, "")))];
    const file = own.map(({ name, shape }) => {
      const [kind] = /[^.]+$/.exec(name)!;
      const module =
        torchvisionNames.get("swin_t")![modules.indexOf(name.slice(0, -kind.length - 1))];
      return {
        name: `${prefix}${module}.${kind}`,
        shape: shape.slice(0, shape.at(-1) === 1 ? 2 : 4),
      };
    });
    const places = { name: `${prefix}features.1.0.attn.relative_position_index`, shape: [2401] };
    const { matches, unmatched, left } = matchTensors({
      own,
      file: sorted([...file, places]),
      isOrdered: false,
    });
    expect([unmatched, left]).toEqual([[], []]);
    expect(matches.map((match) => match.file.name)).toEqual(file.map(({ name }) => name));
    expect(new Set(matches.map(({ how }) => how))).toEqual(new Set(["torchvision's swin_t"]));
  });

  test.each(["", "module."])("torchvision's vit_b_16 %s", (prefix) => {
    const own = ownOf("vit_b_16");
    const file = own.map(({ name, shape }) => {
      const torchvisions = name
        .replace(/encoder_layer(\d+)/, (_, count) => `layers.encoder_layer_${Number(count) - 1}`)
        .replace("linear_1", prefix === "" ? "mlp.0" : "mlp.linear_1")
        .replace("linear_2", prefix === "" ? "mlp.3" : "mlp.linear_2")
        .replace(/^head\./, "heads.head.");
      const isParameter = /class_token|pos_embedding/.test(name);
      return { name: prefix + torchvisions, shape: isParameter ? [1, ...shape] : shape };
    });
    const { matches, unmatched, left } = matchTensors({
      own,
      file: sorted(file),
      isOrdered: false,
    });
    expect([unmatched, left]).toEqual([[], []]);
    expect(matches.map((match) => match.file.name)).toEqual(file.map(({ name }) => name));
    expect(new Set(matches.map(({ how, sure }) => `${how}, ${sure}`))).toEqual(
      new Set(["torchvision's vit_b_16, sure"]),
    );
  });
});

describe("torchvision's names", () => {
  test.each(Object.keys(layersOf))("of %s are those that it writes", (name) => {
    const own = torchvisionNames.get(name)!;
    expect([...own].sort()).toEqual(layersOf[name]!.split(" ").sort());
  });

  /**
   * The spec's tensors under torchvision's names, which are the specs' but for GoogLeNet's `fc`.
   */
  const filesOf = (name: string) => {
    const { selected } = analyze(readSpec(name), `${name}.net`);
    const own = selected!.model.graph!.parameters.map(({ value }) => ({
      name: value.name,
      shape: value.shape.map(Number),
    }));
    const layers = layersOf[name]!.split(" ");
    layers.sort((a, b) => Number(a.startsWith("aux")) - Number(b.startsWith("aux")));
    const modules = [...new Set(own.map((each) => each.name.replace(/\.[^.]+$/, "")))];
    expect(modules).toHaveLength(layers.length);
    const file = own.map(({ name: each, shape }) => {
      const [module, kind] = [each.replace(/\.[^.]+$/, ""), each.split(".").at(-1)!];
      return { name: `${layers[modules.indexOf(module)]!}.${kind}`, shape };
    });
    return { own, file };
  };

  test.each(shipped.map(({ name }) => name))("%s: every tensor is found in any order", (name) => {
    const { own, file } = filesOf(name);
    const sorted = [...file].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const [shown, isOrdered] of [
      [file, true],
      [sorted, false],
      [sorted.map((each) => ({ ...each, name: `module.${each.name}` })), false],
    ] as const) {
      const { matches, left } = matchTensors({ own, file: shown, isOrdered });
      expect(matches.map((match) => match.own.name)).toEqual(own.map((each) => each.name));
      expect(matches.map((match) => match.file.name.replace("module.", ""))).toEqual(
        file.map((each) => each.name),
      );
      expect(new Set(matches.map(({ how, sure }) => `${how} ${sure}`))).toEqual(
        new Set([`torchvision's ${name} sure`]),
      );
      expect(left).toEqual([]);
    }
  });

  test.each(shipped.map(({ name }) => name))(
    "%s under unknown names: what is matched is right, in any order",
    (name) => {
      const { own, file } = filesOf(name);
      const unknown = file.map((each) => ({
        ...each,
        name: each.name.replace(/^\w+/, "$&_of_mine"),
      }));
      const rights = new Map(own.map((each, index) => [each.name, unknown[index]!.name]));
      const sorted = [...unknown].sort((a, b) => (a.name < b.name ? -1 : 1));
      for (const [shown, isOrdered] of [
        [unknown, true],
        [sorted, false],
      ] as const) {
        const { matches, unmatched } = matchTensors({ own, file: shown, isOrdered });
        expect(matches.length + unmatched.length).toBe(own.length);
        for (const match of matches) expect(match.file.name).toBe(rights.get(match.own.name));
        if (isOrdered && name !== "googlenet") expect(unmatched).toEqual([]);
      }
    },
  );

  test("a DenseNet of old is read by the names that it had", () => {
    const { own, file } = filesOf("densenet121");
    const old = file.map((each) => ({
      ...each,
      name: each.name.replace(/(denselayer\d+\.(?:norm|conv))([12])/, "$1.$2"),
    }));
    expect(old.some((each) => each.name.includes("norm.1."))).toBe(true);
    const { matches } = matchTensors({ own, file: old, isOrdered: false });
    expect(matches.map((match) => match.file.name)).toEqual(old.map((each) => each.name));
  });

  test("a head of other classes is named, and left out with `except`", () => {
    const { own, file } = filesOf("alexnet");
    const mine = own.map((each) =>
      each.name.startsWith("classifier.logits")
        ? { ...each, shape: [7, ...each.shape.slice(1)] }
        : each,
    );
    const found = matchTensors({ own: mine, file, isOrdered: true });
    expect(found.unmatched.map(describeUnmatched)).toEqual([
      "`classifier.logits.weight` [7, 4096]: `classifier.6.weight` in its place is [1000, 4096]",
      "`classifier.logits.bias` [7]: `classifier.6.bias` in its place is [1000]",
    ]);
    const except = new Set(["classifier.logits.weight", "classifier.logits.bias"]);
    const spared = matchTensors({ own: mine, file, isOrdered: true, except });
    expect([spared.matches.length, spared.unmatched, spared.left]).toEqual([14, [], []]);
  });

  test("weights of ResNet-34 do not fill a ResNet-18", () => {
    const { own } = filesOf("resnet18");
    const { file } = filesOf("resnet34");
    for (const isOrdered of [true, false]) {
      const { unmatched } = matchTensors({ own, file, isOrdered });
      expect(unmatched.length).toBeGreaterThan(own.length / 2);
    }
  });
});

describe("other names", () => {
  const own = [
    ...[...conv("conv1", 8, 3), ...norm("batchnorm1", 8)],
    ...[...conv("block1.conv1", 8, 8), ...norm("block1.batchnorm1", 8)],
    ...linear("logits", 5, 8),
  ];
  const file = [
    ...[...conv("stem.conv", 8, 3), ...norm("stem.bn", 8)],
    ...[...conv("blocks.0.conv", 8, 8), ...norm("blocks.0.bn", 8)],
    ...linear("head", 5, 8),
  ];

  test("in the order of definition match position by position", () => {
    const lines = linesOf({ own, file, isOrdered: true });
    expect(lines).toHaveLength(own.length);
    expect(lines).toContain("conv1.weight <- stem.conv.weight (order, unique shape, sure)");
    expect(lines).toContain("batchnorm1.bias <- stem.bn.bias (order, likely)");
    expect(lines).toContain("block1.batchnorm1.bias <- blocks.0.bn.bias (order, likely)");
  });

  test("sorted: what is ambiguous is a question with its candidates", () => {
    const lines = linesOf({ own, file, isOrdered: false });
    expect(lines).toContain("logits.bias <- head.bias (unique shape, sure)");
    expect(lines).toContain("`batchnorm1.bias` [8]: could be `stem.bn.bias`, `blocks.0.bn.bias`");
  });

  test("an answer to it is enough", () => {
    const rename = [parseRenaming("stem.bn.*=batchnorm1.*")!];
    const lines = linesOf({ own, file, isOrdered: false, rename });
    expect(lines).toHaveLength(own.length);
    expect(lines).toContain("batchnorm1.bias <- stem.bn.bias (renamed, sure)");
    expect(lines).toContain("block1.batchnorm1.bias <- blocks.0.bn.bias (unique shape, sure)");
  });

  test("an order that contradicts the names is not followed", () => {
    const two = [...conv("conv1", 4, 4), ...conv("conv2", 4, 4), ...linear("fc", 2, 4)];
    const swapped = [...conv("conv2", 4, 4), ...conv("conv1", 4, 4), ...linear("head", 2, 4)];
    const lines = linesOf({ own: two, file: swapped, isOrdered: true });
    expect(lines).toContain("conv1.weight <- conv1.weight (same name, sure)");
    expect(lines).toContain("fc.bias <- head.bias (unique shape, sure)");
  });

  test("numbers in names count where nothing else differs", () => {
    const mine = ["a", "b", "c"].flatMap((name) => conv(name, 4, 4));
    const theirs = ["net.10", "net.2", "net.7"].flatMap((name) => conv(name, 4, 4));
    expect(linesOf({ own: mine, file: theirs, isOrdered: false })).toEqual([
      "a.weight <- net.2.weight (numbered names, likely)",
      "b.weight <- net.7.weight (numbered names, likely)",
      "c.weight <- net.10.weight (numbered names, likely)",
    ]);
    // A file in the order of definition says otherwise: then it is undefined.
    const { unmatched } = matchTensors({
      own: [...mine, ...linear("d", 3, 4)],
      isOrdered: true,
      file: [...linear("z", 3, 4), ...theirs],
    });
    expect(unmatched.map(({ candidates }) => candidates.length)).toEqual([3, 3, 3]);
  });

  test("a layer without its bias does not match one with it", () => {
    const lines = linesOf({ own: conv("a", 4, 4), file: linear("b", 4, 4), isOrdered: true });
    expect(lines).toEqual([
      "`a.weight` [4, 4, 3, 3]: no tensor of the file has this kind and shape",
    ]);
  });

  test("names that all but agree stay as they are, and what is left over is told", () => {
    const extra = [...own, { name: "extra.weight", shape: [3] }];
    const { matches, left } = matchTensors({ own, file: extra, isOrdered: false });
    expect(new Set(matches.map(({ how }) => how))).toEqual(new Set(["same name"]));
    expect(left.map(({ name }) => name)).toEqual(["extra.weight"]);
  });

  test("prefixes that all names have are not part of them", () => {
    const wrapped = own.map((each) => ({ ...each, name: `model.backbone.${each.name}` }));
    const { matches } = matchTensors({ own, file: wrapped, isOrdered: false });
    expect(new Set(matches.map(({ how }) => how))).toEqual(
      new Set(["same name after `model.backbone.`"]),
    );
  });

  test("no match is ever a wrong one where names are a shuffle of the model's", () => {
    const size = fc.integer({ min: 1, max: 3 });
    const layer = fc.tuple(size, size, fc.boolean());
    fc.assert(
      fc.property(
        fc.array(layer, { maxLength: 12 }),
        fc.infiniteStream(fc.nat()),
        (layers, draws) => {
          const mine = layers.flatMap(([out, inputs, isConv], index) =>
            isConv ? conv(`layer${index}`, out, inputs) : linear(`layer${index}`, out, inputs),
          );
          const shuffled = mine
            .map((each) => ({ each, place: draws.next().value! }))
            .sort((a, b) => a.place - b.place)
            .map(({ each }) => each);
          const { matches, unmatched } = matchTensors({
            own: mine,
            file: shuffled,
            isOrdered: true,
          });
          expect(unmatched).toEqual([]);
          for (const match of matches) expect(match.file.name).toBe(match.own.name);
        },
      ),
    );
  });
});

test("shapes that differ by ones at their end hold the same numbers", () => {
  expect(sameNumbers([10, 512], [10, 512, 1, 1])).toBe(true);
  expect(sameNumbers([1, 1], [])).toBe(true);
  expect(sameNumbers([1, 10], [10])).toBe(false);
  expect(sameNumbers([10, 1, 3], [10, 3])).toBe(false);
  const own = [{ name: "a.weight", shape: [10, 512, 1, 1] }];
  const file = [{ name: "b.weight", shape: [10, 512] }];
  expect(linesOf({ own, file, isOrdered: false })).toEqual([
    "a.weight <- b.weight (unique shape, sure)",
  ]);
});

describe("renaming", () => {
  test("replaces the text of the star", () => {
    const rename = parseRenaming("layer1.*.weight = stage.*.weight")!;
    expect(renamed("layer1.0.conv.weight", rename)).toBe("stage.0.conv.weight");
    expect(renamed("layer1.weight", rename)).toBeUndefined();
    expect(renamed("fc.$&", { from: "fc.*", to: "a.*" })).toBe("a.$&");
    for (const wrong of ["a", "a=", "a=b=c", "a.*=b", "*.*=*.*"]) {
      expect(parseRenaming(wrong)).toBeUndefined();
    }
  });

  test.each([
    ["nothing.*=a.*", "no tensor of the file is called `nothing.*`"],
    ["b.*=c.*", "makes `c.weight` of `b.weight`, which the model does not have"],
    ["b.weight=a.weight", "uses `a.weight` twice"],
  ])("that cannot be meant is an error: %s", (wrong, message) => {
    const own = linear("a", 2, 3);
    const rename = [parseRenaming(wrong)!, parseRenaming("b.weight=a.weight")!];
    const attempt = () => matchTensors({ own, file: linear("b", 2, 3), isOrdered: true, rename });
    expect(attempt).toThrow(WeightsError);
    expect(attempt).toThrow(message);
  });
});
