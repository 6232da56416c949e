/**
 * Recipes of many settings at once, each with other transforms, layers, optimizer and averages: a
 * run that is stopped within an epoch and resumed elsewhere ends in the same bits, and so do two
 * ranks and one process in two slices.
 */
import { describe, expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import { createNetwork, fit, loopback, type Dataset, type Network } from "../../runtime/index.js";
import type { FitOptions, TrainingState, TrainRecipe } from "../../runtime/index.js";
import { parseState, serializeState } from "../../runtime/training/state.js";
import { sampled } from "../adapters.js";

const BODIES = {
  tokens: `tokens -> add(places)
    residual { layernorm -> attention(2, dropout=0.2, causal=true) -> stochastic_depth(0.3) }`,
  windows: `residual {
      layernorm -> attention(3, window=[3, 2], shift=[1, 1], dropout=0.1) -> stochastic_depth(0.2)
    }
    dropout(0.2, channels=true)`,
  rearranged: `conv(8, kernel=3, padding=1) -> dropout(0.2, channels=true) -> pad(1, mode=reflect)
    channel_shuffle(2) -> pixel_shuffle(2) -> crop(3) -> split { branch { relu } branch { } }`,
} as const;

interface Case {
  readonly transforms: string;
  readonly body: keyof typeof BODIES;
  readonly settings: readonly string[];
}

const STAGES = "freeze = [body]\n  unfreeze = after(1 epochs, [*.bias]) -> after(5 steps, [body])";

const CASES: readonly Case[] = [
  {
    transforms: "letterbox(8) -> rotation(30) -> rand_augment(2, 9) -> mixup_or_cutmix",
    body: "tokens",
    settings: [
      "optimizer = lamb(lr=0.01, weight_decay=0.02)",
      "average = ema(0.8, every=3)",
      "no_decay = [places, *.bias]",
      "schedule = cosine_restarts(first=2 steps, growth=2)",
    ],
  },
  {
    transforms:
      "resize([8, 8], mode=bicubic) -> trivial_augment -> random_erasing(0.7, value=random) -> " +
      "affine(degrees=20, translate=[0.1, 0.2], scale=[0.8, 1.2], shear=10)",
    body: "windows",
    settings: [
      "optimizer = lars(lr=1, momentum=0.9, weight_decay=1e-3)",
      "average = swa(start=3 steps, every=2 steps)",
      "sampling = balanced",
      "drop_last = true",
    ],
  },
  {
    transforms: "random_crop(8, padding=2) -> aug_mix(severity=3) -> gaussian_blur(3)",
    body: "rearranged",
    settings: [
      "optimizer = lion(lr=1e-3, weight_decay=0.1)",
      "sampling = weighted([1, 3, 2])",
      "evaluate_every = 2 steps",
      "stop = early_stopping(patience=3)",
      "clip_norm = 0.5",
    ],
  },
  {
    transforms: "center_crop(8) -> perspective(0.4)",
    body: "windows",
    settings: ["optimizer = radam(lr=0.01)", "average = ema(0.9)", STAGES],
  },
  {
    transforms:
      "center_crop(8) -> random_apply(color_jitter(0.4), vflip(1), probability=0.8) -> " +
      "one_of(rotation(20), identity) -> one_of(mixup(0.2), cutmix)",
    body: "tokens",
    settings: ["optimizer = nadam(lr=0.01)", "clip_value = 0.1", STAGES],
  },
  {
    transforms: "random_resized_crop(8, mode=bicubic)",
    body: "rearranged",
    settings: [
      "optimizer = adagrad(lr=0.02)",
      "schedule = step(every=1 epochs, gamma=0.5, until=4 steps) -> cosine(to=0.1)",
    ],
  },
];

const specOf = ({ transforms, body, settings }: Case) => `model Small {
  input  image: f32[N, 3, 8, 8]
  target label: u32[N] in 0..3
  ${body === "tokens" ? "parameter places: f32[16, 6] init normal(0.5)" : ""}
  stem { conv(6, kernel=3, stride=2, padding=1) -> tanh }
  body {
    ${BODIES[body]}
    flatten -> linear(8) -> relu
  }
  linear(3) as logits
  loss   cross_entropy(logits, label)
  metric top1 = accuracy(logits, label)
}
data Some for Small { train folder("nowhere") { ${transforms} } }
train Base of Small on Some {
  epochs = 3
  batch = 8
  ${settings.join("\n  ")}
  seed = 4
}`;

/** Pictures of three classes: an epoch is two whole batches and one of 5. */
const pictures = (length: number, width: number): Dataset => ({
  name: "pictures",
  classes: ["a", "b", "c"],
  length,
  pixels: "bytes",
  labelAt: (index) => index % 3,
  get: (index) => {
    const pixels = Uint8Array.from(
      { length: 24 * width },
      (_, at) => ((at * 31 + index * 17) % 200) + (index % 3) * 20,
    );
    const image = { width, height: 8, channels: 3, maximum: 255, pixels };
    return Promise.resolve({ image, label: index % 3 });
  },
});

interface Saved {
  readonly bytes: Uint8Array;
  readonly state: string;
  readonly losses: readonly number[];
}

interface Run extends Pick<FitOptions, "exchange"> {
  readonly from?: Saved;
  readonly to?: number;
}

async function train(network: Network, recipe: TrainRecipe, { from, to, exchange }: Run = {}) {
  const abort = new AbortController();
  const losses: number[] = [];
  let start: TrainingState | undefined;
  if (from) {
    await network.load(from.bytes);
    start = parseState(from.state);
  }
  const { state } = await fit(network, pictures(21, 9), recipe, {
    evaluation: pictures(7, 8),
    start,
    exchange,
    signal: abort.signal,
    onStep: ({ step, metrics }) => {
      losses.push(metrics["loss"]!);
      if (step === to) abort.abort();
    },
  });
  const bytes = await network.save({ optimizer: true });
  return { bytes, state: serializeState(state), losses };
}

describe.each(sampled(CASES, 8))("$settings.0 with $transforms", (parts) => {
  const text = specOf(parts);
  const recipe = analyze(text, "small.net").selected!.recipe!;
  const networks: Network[] = [];
  const opening = (exchange: boolean) => {
    const { programs, diagnostics } = compile(text, { file: "small.net", exchange });
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    return async (batch: number) => {
      const network = await createNetwork(programs, { batch, seed: 4 });
      networks.push(network);
      return network;
    };
  };
  const destroyAll = () => networks.splice(0).forEach((network) => network.destroy());

  test("resumed within an epoch", async () => {
    const open = opening(false);
    try {
      const whole = await train(await open(8), recipe);
      const half = await train(await open(8), recipe, { to: recipe.dropLast ? 3 : 4 });
      const rest = await train(await open(8), recipe, { from: half });
      expect([...half.losses, ...rest.losses]).toEqual(whole.losses);
      expect(rest.state).toBe(whole.state);
      expect(Buffer.compare(rest.bytes, whole.bytes)).toBe(0);
    } finally {
      destroyAll();
    }
  });

  test("on two ranks", async () => {
    const open = opening(true);
    try {
      const one = await train(await open(8), { ...recipe, accumulate: 2 });
      const ranks = await Promise.all(
        loopback(2).map(async (exchange) => train(await open(4), recipe, { exchange })),
      );
      for (const { bytes } of ranks) expect(Buffer.compare(bytes, one.bytes)).toBe(0);
      expect(ranks[0]!.losses).toEqual(one.losses);
    } finally {
      destroyAll();
    }
  });
});
