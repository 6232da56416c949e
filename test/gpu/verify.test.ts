import { describe, expect, test } from "vitest";
import { multiply, operand, unary } from "../../compiler/ir/expression.js";
import { compile } from "../../compiler/index.js";
import type { Graph } from "../../compiler/ir/graph.js";
import { compileGraph, type ProgramOptions } from "../../compiler/program.js";
import type { CompiledProgram } from "../../compiler/program.js";
import type { Tally, VerifiedList } from "../../workbench/verify/tally.js";
import { ALL_LISTS, verifyNetwork } from "../../workbench/verify/verify.js";
import type { Target } from "../../program/program.js";
import { createNetwork } from "../../runtime/index.js";
import { runsAllVariants, sampled } from "../adapters.js";
import { OPTIMIZER } from "../kernels/compare.js";
import { parameterValues } from "../oracle/values.js";
import { Chain } from "../passes/chain.js";

const PADDING = { top: 1, bottom: 1, left: 1, right: 1 };

/** Most ops that there are. */
const network = () =>
  new Chain(["N", 3, 12, 12])
    .convolution(8, { padding: PADDING })
    .bias()
    .unary("relu")
    .maxPool({ kernel: [3, 3], stride: [2, 2] })
    .lrn({ before: 2, after: 2 })
    .convolution(8, { groups: 2, padding: PADDING, stride: [2, 2] })
    .batchnorm()
    .pointwise(multiply(operand(0), unary("sigmoid", operand(0))))
    .averagePool({ windows: "adaptive", outputSize: [2, 2] })
    .flatten()
    .linear(20)
    .bias()
    .dropout(0.5)
    .classify();

const TARGETS: readonly Target[] = ["gpu", "lanes8", "lanes4"];

function compiledFor(graph: Graph, options: Partial<ProgramOptions> = {}): CompiledProgram[] {
  const common = { source: { file: "test.net", hash: "0" }, classes: 3, optimizer: OPTIMIZER };
  return TARGETS.map((target) => compileGraph(graph, { target, ...common, ...options }));
}

async function verify(
  programs: readonly CompiledProgram[],
  lists: readonly VerifiedList[] = ["train"],
): Promise<Tally> {
  const opened = await createNetwork(
    programs.map(({ program }) => program),
    { batch: 3, seed: 5 },
  );
  try {
    const traced = programs.find(({ program }) => program === opened.program)!;
    for (const { name, shape } of opened.parameters) {
      await opened.write(name, parameterValues(`kernels/${name}`, shape));
    }
    return await verifyNetwork(opened, traced, lists, { known: new Set() });
  } finally {
    opened.destroy();
  }
}

/**
 * The programs with the kernel of the list's first step of that label changed, or of what is folded
 * for it.
 */
function corrupt(
  programs: readonly CompiledProgram[],
  label: string | RegExp,
  change: (wgsl: string) => string,
  list: Exclude<VerifiedList, "calls"> = "train",
): CompiledProgram[] {
  return programs.map((traced) => {
    const { program } = traced;
    const { preparations = {} } = program;
    const steps = [
      ...(list === "prepare" ? [] : (program.steps[list] ?? [])),
      ...program.steps.fold,
      ...Object.values(preparations).flatMap((each) => each.steps),
    ];
    const step = steps.find((candidate) =>
      typeof label === "string" ? candidate.label === label : label.test(candidate.label),
    )!;
    const kernels = program.kernels.map((kernel, index) => {
      if (index !== step.kernel) return kernel;
      const wgsl = change(kernel.wgsl);
      expect(wgsl).not.toBe(kernel.wgsl);
      return { ...kernel, wgsl };
    });
    return { ...traced, program: { ...program, kernels } };
  });
}

/** Means that cancel: `layernorm` makes the sum of each token's channels 0. */
const NO_SUMS = `
model Tokens {
  input x: f32[N, 8, 6]
  target label: u32[N] in 0..3
  linear(7) -> layernorm -> mean(channels) -> flatten -> linear(3) as logits
  loss cross_entropy(logits, label)
}
`;

test("sums that cancel are right, and wrong where an element is left out", async () => {
  const { compiled } = compile(NO_SUMS, { file: "tokens.net" });
  expect((await verify(compiled)).divergence).toBeUndefined();
  const damaged = corrupt(compiled, /^mean1/, (wgsl) =>
    wgsl.replace("vec4u(0, 1, 2, 3)", "vec4u(0, 1, 3, 3)"),
  );
  expect((await verify(damaged)).divergence?.name).toContain("mean1");
});

/**
 * Every pixel has the same share in the gradient, and so all terms of the first bias's sum one
 * sign.
 */
const MANY_PIXELS = `
model Pixels {
  input image: f32[N, 3, 64, 64]
  target label: u32[N] in 0..10
  conv(16, kernel=3, padding=1) -> relu -> global_avgpool -> flatten -> linear(10) as logits
  loss cross_entropy(logits, label)
}
`;

describe("sums over many pixels", () => {
  test.each(sampled([{ keepGradients: true }, {}], 2))("are right, with %j", async (options) => {
    const { compiled } = compile(MANY_PIXELS, { file: "pixels.net", ...options });
    const tally = await verify(compiled, ALL_LISTS);
    expect(tally.divergence).toBeUndefined();
  });

  test("are wrong where a pixel of 12288 is left out", async () => {
    const { compiled } = compile(MANY_PIXELS, { file: "pixels.net" });
    const damaged = corrupt(compiled, /^conv1 weight/, (wgsl) =>
      wgsl.replace(
        "+= gradient[gradient_line];",
        "+= gradient[gradient_line] * f32(line + x > 0u);",
      ),
    );
    expect((await verify(damaged)).divergence?.name).toContain("conv1");
  });
});

describe("kernels as compiled are right", () => {
  test.each<[string, Partial<ProgramOptions>]>([
    ["fused", {}],
    [
      "with gradients kept, and averages",
      { keepGradients: true, average: { kind: "ema", decay: 0.5 } },
    ],
    [
      "adam with clipped gradients",
      {
        optimizer: {
          kind: "adam" as const,
          learningRate: 0.01,
          weightDecay: 0.01,
          beta1: 0.9,
          beta2: 0.99,
          epsilon: 1e-8,
          clip: { norm: 0.5, value: 0.1 },
        },
      },
    ],
  ])("%s", async (_, options) => {
    const tally = await verify(compiledFor(network(), options), ALL_LISTS);
    expect(tally.divergence).toBeUndefined();
    expect(tally.kernels).toBeGreaterThan(20);
    expect(tally.values).toBeGreaterThan(5000);
  });
});

/** Results of more elements than are looked at, one by one. */
const large = () =>
  new Chain(["N", 3, 64, 64])
    .convolution(32, { padding: PADDING })
    .batchnorm()
    .unary("sigmoid")
    .averagePool({ windows: "adaptive", outputSize: [60, 61] })
    .pointwise(multiply(operand(0), operand(0)))
    .maxPool({ kernel: [3, 3], stride: [1, 1], padding: PADDING })
    .averagePool({ windows: "adaptive", outputSize: [2, 2] })
    .flatten()
    .linear(3)
    .classify();

test.runIf(runsAllVariants)(
  "large results are checked at some places, and what is wrong there is found",
  async () => {
    const tally = await verify(compiledFor(large()), ["train", "evaluate", "predict"]);
    expect(tally.divergence).toBeUndefined();
    expect(tally.values).toBeLessThan(2_000_000);
    const wrong = (label: RegExp, from: string, to: string) =>
      corrupt(compiledFor(large()), label, (wgsl) => wgsl.replace(from, to));
    const pooled = await verify(
      wrong(/maxpool\d+ forward/, "candidate > winner", "candidate < winner"),
    );
    expect(pooled.divergence?.name).toMatch(/maxpool\d+ forward/);
  },
);

describe("a wrong kernel of each list is found", () => {
  const graph = () =>
    new Chain(["N", 3, 6, 6]).convolution(8).bias().batchnorm().unary("relu").dropout(0.5);
  const average = { kind: "ema", decay: 0.5 } as const;

  type List = Exclude<VerifiedList, "calls">;

  test.each<[List, label: RegExp, right: string, wrong: string]>([
    ["initialize", /initial values/, "draw(index),", "0.1 + draw(index),"],
    ["train", /image import/, "input[(plane", "0.5 * input[(plane"],
    ["train", /weight update/, "frame.momentum, is_first", "1.0, is_first"],
    ["accumulate", /weight update/, "!= 0u) + gradient", "!= 0u) - gradient"],
    ["update", /weight update/, "frame.momentum, is_first", "1.0, is_first"],
    ["average", /weight average/, "decay * average[at]", "average[at]"],
    ["evaluate", /batchnorm\d+ scale/, "weight[quad] /", "0.5 * weight[quad] /"],
    ["predict", /linear\d+ forward/, "fma(", "0.5 * fma("],
  ])("%s: %s", async (list, label, right, wrong) => {
    const programs = compiledFor(graph().classify(), { average, keepGradients: true });
    const changed = corrupt(programs, label, (wgsl) => wgsl.replace(right, wrong), list);
    const lists = list === "update" ? (["accumulate", "update"] as const) : ([list] as const);
    const { divergence } = await verify(changed, lists);
    expect(divergence).toMatchObject({ list, name: expect.stringMatching(label) });
  });
});

test("images prepared from bytes are checked, and what is wrong with them is found", async () => {
  const spec = `
    model Pictures {
      input  image: f32[N, 3, 8, 8]
      target label: u32[N] in 0..3
      flatten -> linear(3) as logits
      loss cross_entropy(logits, label)
    }
    data Some for Pictures {
      train folder("pictures") {
        resize(10) -> random_crop(8) -> affine(90, translate=[0.2, 0.2], scale=[0.5, 2]) -> hflip
          -> normalize(mean=[0.4, 0.5, 0.6], std=[0.2, 0.3, 0.2]) -> mixup_or_cutmix(cuts=0.3)
      }
      eval folder("pictures") {
        ten_crop(8) -> normalize(mean=[0.4, 0.5, 0.6], std=[0.2, 0.3, 0.2])
      }
    }
    train Base of Pictures on Some {
      epochs    = 1
      batch     = 3
      optimizer = sgd(lr=0.1)
    }`;
  const { compiled } = compile(spec, { file: "pictures.net" });
  const right = await verify(compiled, ["prepare"]);
  expect(right).toEqual({ kernels: expect.any(Number), values: 3 * 192 * 2 });
  const wrong = corrupt(
    compiled,
    /train/,
    (wgsl) => wgsl.replace("color, share", "color, 0.5"),
    "prepare",
  );
  const { divergence } = await verify(wrong, ["prepare"]);
  expect(divergence).toMatchObject({ list: "prepare", name: expect.stringMatching(/train/) });
});

describe("a wrong kernel is named, and none before it", () => {
  const halfOfFirst = (wgsl: string) => wgsl.replace(/fma\(/, "0.5 * fma(");

  test.each([
    ["conv1 forward", halfOfFirst],
    [
      "maxpool5 forward",
      (wgsl: string) => wgsl.replace("candidate > winner", "candidate < winner"),
    ],
  ])("%s", async (label, change) => {
    const { divergence } = await verify(corrupt(compiledFor(network()), label, change));
    expect(divergence).toMatchObject({ list: "train", name: label });
  });

  test("the gradient of a weight", async () => {
    const programs = corrupt(compiledFor(network()), "conv1 weight update", halfOfFirst);
    const { divergence } = await verify(programs);
    expect(divergence?.name).toMatch(/weight update$/);
    expect(divergence?.list).toBe("train");
  });
});
