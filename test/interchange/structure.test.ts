/** Networks as people write them: blocks, loops, braces. What is written is the same network. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { analyze } from "../../compiler/index.js";
import { outputsOf as networkOutputs } from "../../compiler/network/facts.js";
import { NetworkMaker } from "../../compiler/network/maker.js";
import type { NetworkValue, ResolvedNetwork } from "../../compiler/network/resolved.js";
import { formatSpec } from "../../format/index.js";
import type { Path } from "../../interchange/names.js";
import { structured } from "../../interchange/structure/index.js";
import { networksOf } from "../network/round-trip.js";
import { callsOf } from "../work.js";

const folder = join(import.meta.dirname, "../../specs");

/** A spec's network without losses, with the layers that its first output needs: as imported. */
function inference(network: ResolvedNetwork): ResolvedNetwork {
  const { value } = network.outputs[0]!;
  const needed = new Set<number>();
  const open = [value];
  for (let next = open.pop(); next; next = open.pop()) {
    if (next.from !== "layer" || needed.has(next.index)) continue;
    needed.add(next.index);
    open.push(...network.layers[next.index]!.inputs);
  }
  const kept = [...needed].sort((a, b) => a - b);
  const places = new Map(kept.map((layer, place) => [layer, place]));
  const moved = ({ from, index }: NetworkValue): NetworkValue =>
    from === "layer" ? { from, index: places.get(index)! } : { from, index };
  const layers = kept.map((index) => {
    const layer = network.layers[index]!;
    return { ...layer, inputs: layer.inputs.map(moved) };
  });
  const parts = { ...network, layers, losses: [], metrics: [], targets: [] };
  return { ...parts, outputs: networkOutputs(parts, moved(value)) };
}

/** Blocks and model, in the formatter's layout. `structured` compares the networks itself. */
const written = (network: ResolvedNetwork, paths: readonly Path[] = []) =>
  formatSpec(structured(network, paths).text);

const networkOf = (file: string) => networksOf(readFileSync(join(folder, file), "utf8"))[0]!;

/** No importer makes parameters, which read nothing. */
const specs = readdirSync(folder)
  .filter((file) => file.endsWith(".net"))
  .filter((file) => !networkOf(file).layers.some(({ definition }) => definition.readsNothing));

describe.each(specs)("%s", (file) => {
  const network = networkOf(file);

  test("is written as the same network", async () => {
    const text = await written(inference(network));
    expect(text.replace(/,? ?(bias_)?init=\w+(\([^()]*\))?/g, "")).toMatchSnapshot();
    expect(await formatSpec(text)).toBe(text);
  });

  test("is written as the same network with its own names, too", () => {
    expect(() => withOwnNames(network)).not.toThrow();
  });
});

/** An export has the spec's own names: `bottleneck1` of a use, next to uses that loops number. */
function withOwnNames(network: ResolvedNetwork): string {
  const plain = inference(network);
  const paths = plain.layers.map(({ name }): Path => {
    const parts = name.split(".");
    return { sections: parts.slice(0, -1), own: parts.at(-1)! };
  });
  return structured(plain, paths).text;
}

const further = join(import.meta.dirname, "../../scripts/networks/specs");

/** No importer makes formulas either. */
test.each(
  readdirSync(further).filter((file) => {
    const kinds = furtherNetwork(file).layers.map(({ definition }) => definition);
    return !kinds.some(({ name, readsNothing }) => readsNothing || name === "let");
  }),
)("%s is written as the same network with its own names", (file) => {
  expect(() => withOwnNames(furtherNetwork(file))).not.toThrow();
});

function furtherNetwork(file: string): ResolvedNetwork {
  return networksOf(readFileSync(join(further, file), "utf8"))[0]!;
}

test("what is wrong in the text would be an error", () => {
  const plain = inference(networkOf("resnet18.net"));
  const { text, network: read, order } = structured(plain, []);
  expect(read.layers.map(({ definition }) => definition.name)).toEqual(
    order.map((layer) => plain.layers[layer]!.definition.name),
  );
  expect(analyze(text, "m.net").selected!.model.network!.layers).toHaveLength(plain.layers.length);
});

const settings = (out: number, groups = 1) => ({
  out,
  groups,
  kernel: [3, 3],
  bias: false,
  padding: { top: 1, bottom: 1, left: 1, right: 1 },
});

/** A maker that adds layers to the end. */
function chainOf(name = "Chain") {
  const maker = new NetworkMaker(name);
  let value = maker.input("image", [8, 8, 8]);
  let count = 0;
  const add = (kind: string, given: Record<string, unknown> = {}, ...others: NetworkValue[]) =>
    (value = maker.layer(`${kind}_${count++}`, kind, [value, ...others], given));
  const from = (other: NetworkValue) => (value = other);
  return { maker, add, from, current: () => value };
}

describe("names of the file", () => {
  const inception = (path: string, widths: readonly number[], net: ReturnType<typeof chainOf>) => {
    const start = net.current();
    const ends = widths.map((width) => {
      net.from(start);
      net.add("conv", settings(width));
      return net.add("relu");
    });
    net.from(ends[0]!);
    net.add("concat", {}, ...ends.slice(1));
    return widths.flatMap((_, way) => [
      { sections: [path], own: `way_${"abcd"[way]}` },
      { sections: [path] },
    ]);
  };

  test("sections that are alike are uses of a block under their names", async () => {
    const net = chainOf();
    const paths: Path[] = [];
    for (const [index, widths] of [
      [4, 6, 8],
      [8, 6, 4],
      [2, 4, 2],
    ].entries()) {
      paths.push(...inception(`mixed_${index + 3}a`, widths, net), {
        sections: [`mixed_${index + 3}a`],
      });
    }
    expect(await written(net.maker.finish(), paths))
      .toBe(`/// Three branches whose channels are concatenated.
block mixed(width: int, width2: int, width3: int) {
  concat {
    branch {
      conv(width, kernel=3, padding=1, bias=false) as way_a -> relu
    }
    branch {
      conv(width2, kernel=3, padding=1, bias=false) as way_b -> relu
    }
    branch {
      conv(width3, kernel=3, padding=1, bias=false) as way_c -> relu
    }
  }
}

model Chain {
  input image: f32[N, 8, 8, 8]

  mixed(4, 6, 8) as mixed_3a
  mixed(8, 6, 4) as mixed_4a
  mixed(2, 4, 2) as mixed_5a
}
`);
  });

  test("a section whose layers are not next to each other is not a section", async () => {
    const net = chainOf();
    const paths = ["a", "b", "a"].map((section): Path => ({ sections: [section] }));
    for (const out of [4, 8, 4]) net.add("conv", settings(out));
    const text = await written(net.maker.finish(), paths);
    expect(text).not.toMatch(/\ba\b/);
  });
});

test("a gate reads its image by a name, and is part of a block", async () => {
  const net = chainOf();
  for (const width of [8, 16, 24, 8]) {
    net.add("conv", settings(width));
    const image = net.add("relu");
    net.add("global_avgpool");
    net.add("conv", { out: width / 4, kernel: [1, 1] });
    net.add("relu");
    net.add("conv", { out: width, kernel: [1, 1] });
    const gate = net.add("sigmoid");
    net.from(image);
    net.add("multiply", {}, gate);
  }
  expect(await written(net.maker.finish())).toMatchSnapshot();
});

test("ways that cross are written by names", async () => {
  const net = chainOf();
  const start = net.current();
  const a = net.add("conv", settings(8));
  net.from(start);
  const b = net.add("conv", settings(8));
  const sum = net.add("add", {}, a);
  net.from(a);
  const product = net.add("multiply", {}, b);
  net.add("concat", {}, sum, product);
  expect(await written(net.maker.finish())).toMatchSnapshot();
});

test("the work grows with the network, not faster", async () => {
  const network = (turns: number) => {
    const net = chainOf();
    for (let turn = 0; turn < turns; turn++) {
      const start = net.current();
      net.add("conv", settings(8));
      net.add("relu");
      const body = net.add("conv", settings(8 + 8 * (turn % 3)));
      net.from(start);
      net.add("conv", { out: 8 + 8 * (turn % 3), kernel: [1, 1] });
      net.add("add", {}, body);
    }
    return net.maker.finish();
  };
  const [few, many] = [network(40), network(160)];
  structured(few, []);
  const calls = async (each: ResolvedNetwork) => callsOf(() => structured(each, []));
  expect(await calls(many)).toBeLessThan(5 * (await calls(few)));
});

// Random networks: parts that come again with other numbers, at any depth.

type Part =
  | { readonly is: "conv"; readonly width: number; readonly depthwise: boolean }
  | { readonly is: "relu" | "batchnorm" | "gate" | "cross" }
  | { readonly is: "residual"; readonly body: readonly Part[]; readonly projects: boolean }
  | { readonly is: "branches"; readonly bodies: readonly (readonly Part[])[] }
  | { readonly is: "again"; readonly body: readonly Part[]; readonly turns: number };

const { part } = fc.letrec<{ part: Part; parts: Part[] }>((tie) => ({
  part: fc.oneof(
    { maxDepth: 3, depthIdentifier: "parts" },
    fc.record({
      is: fc.constant("conv" as const),
      width: fc.constantFrom(8, 16, 24),
      depthwise: fc.boolean(),
    }),
    fc.record({ is: fc.constantFrom("relu", "batchnorm", "gate", "cross") }) as fc.Arbitrary<Part>,
    fc.record({
      is: fc.constant("residual" as const),
      body: tie("parts"),
      projects: fc.boolean(),
    }),
    fc.record({
      is: fc.constant("branches" as const),
      bodies: fc.array(tie("parts"), { minLength: 2, maxLength: 3 }),
    }),
    fc.record({ is: fc.constant("again" as const), body: tie("parts"), turns: fc.nat(3) }),
  ),
  parts: fc.array(tie("part"), { maxLength: 4, depthIdentifier: "parts" }),
}));

/** @param shift makes widths of turns differ */
function addParts(net: ReturnType<typeof chainOf>, parts: readonly Part[], shift: number): void {
  for (const each of parts) addPart(net, each, shift);
}

const channelsOf = (net: ReturnType<typeof chainOf>) => {
  const value = net.current();
  return value.from === "input" ? 8 : Number(net.maker.layers[value.index]!.type.shape[1]);
};

function addPart(net: ReturnType<typeof chainOf>, each: Part, shift: number): void {
  const start = net.current();
  switch (each.is) {
    case "conv": {
      const groups = each.depthwise ? channelsOf(net) : 1;
      net.add("conv", settings(each.depthwise ? groups : each.width + 8 * shift, groups));
      return;
    }
    case "relu":
    case "batchnorm":
      net.add(each.is);
      return;
    case "gate": {
      const channels = channelsOf(net);
      net.add("global_avgpool");
      net.add("conv", { out: channels, kernel: [1, 1] });
      net.add("multiply", {}, start);
      return;
    }
    case "cross": {
      const left = net.add("conv", settings(8));
      net.from(start);
      const right = net.add("conv", settings(8));
      const sum = net.add("add", {}, left);
      net.from(left);
      net.add("multiply", {}, right);
      net.add("concat", {}, sum);
      return;
    }
    case "residual": {
      const before = channelsOf(net);
      net.add("conv", settings(each.projects ? before + 8 : before));
      addParts(net, each.body, shift);
      const channels = each.projects ? before + 8 : before;
      const body = net.add("conv", settings(channels));
      net.from(start);
      if (each.projects) net.add("conv", { out: channels, kernel: [1, 1], bias: false });
      if (each.projects) net.add("batchnorm");
      const skip = net.current();
      net.from(body);
      net.add("add", {}, skip);
      return;
    }
    case "branches": {
      const ends = each.bodies.map((body) => {
        net.from(start);
        addParts(net, body, shift);
        return net.current();
      });
      net.from(ends[0]!);
      net.add("concat", {}, ...ends.slice(1));
      return;
    }
    case "again":
      for (let turn = 0; turn < each.turns; turn++) addParts(net, each.body, turn % 2);
  }
}

const path = fc.record({
  sections: fc.array(fc.constantFrom("a", "b2", "#0", "#1", "stage1", "stage2"), { maxLength: 2 }),
  own: fc.constantFrom("fc", "head", "stem_2", "x", "unit1"),
});

const RUNS = process.env.NETC_TEST_FULL ? 3000 : 30;

test("random networks are written as the same network", { timeout: 1_800_000 }, () => {
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 7 }), fc.array(path), (parts, paths) => {
      const net = chainOf();
      addParts(net, parts, 0);
      net.add("conv", settings(8));
      if (net.maker.layers.length > 300) return;
      // `concat` of the same value several times is not a separate branch: covered above.
      const network = inference(net.maker.finish());
      const named = network.layers.map(
        (_, index) => paths[Math.floor(index / 4)] ?? { sections: [] },
      );
      const { text } = structured(network, named);
      expect(structured(network, named).text).toBe(text);
    }),
    { seed: 16, numRuns: RUNS },
  );
});
