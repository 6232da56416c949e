/** Runs on masks with all that a recipe may ask for: ranks, slices and resumed runs agree. */
import { afterEach, expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import {
  createNetwork,
  fit,
  loopback,
  type Collective,
  type Dataset,
  type Network,
  type TrainingState,
} from "../../runtime/index.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import { inspectable } from "../../runtime/inside/inspectable.js";
import { parseState, serializeState } from "../../runtime/training/state.js";
import { runsAllVariants } from "../adapters.js";

const SPEC = `
model Small {
  input  image: f32[N, 1, 8, 8]
  target mask: u32[N, 8, 8] in 0..3
  stem { conv(4, kernel=3, padding=1) as conv -> relu -> maxpool(2) }
  conv_transpose(4, kernel=2, stride=2) -> dropout(0.3) -> conv(3, kernel=1) as logits
  loss   cross_entropy(logits, mask, ignore=255, class_weights=[0.5, 1, 2])
  metric miou   = miou(logits, mask)
  metric pixels = pixel_accuracy(logits, mask)
}
data Some for Small {
  train pairs("no images", "no masks") {
    random_crop(8, padding=2) -> hflip -> normalize(mean=[0.5], std=[0.5])
  }
}
train Run of Small on Some {
  freeze    = [stem.*]
  unfreeze  = after(1 epochs, [stem.*])
  average   = ema(0.8)
  epochs    = 3
  batch     = 4
  optimizer = adam(lr=0.02)
  seed      = 3
}`;

/** Ten pictures, the last batch of a pass has two; of one, no pixel counts. */
const dataset: Dataset = {
  name: "stripes",
  classes: ["a", "b", "c"],
  length: 10,
  pixels: "bytes",
  get: (index) => {
    const side = { width: 8, height: 8, channels: 1, maximum: 255 } as const;
    const labels = Array.from({ length: 64 }, (_, at) => Math.floor((at + 5 * index) / 7) % 3);
    const label = (at: number) => (index === 6 || at % 11 === index ? 255 : labels[at]!);
    const shown = labels.map((own, at) => 70 * own + ((at * 31) % 40));
    const image = { ...side, pixels: Uint8Array.from(shown) };
    const pixels = Uint8Array.from(labels, (_, at) => label(at));
    return Promise.resolve({ image, label: 0, mask: { ...side, pixels, ignore: 255 } });
  },
};

// As for ranks, also for a single process: the lists are then the same.
const { programs, inside } = compile(SPEC, { file: "small.net", exchange: true, inspect: true });
const recipe = analyze(SPEC, "small.net").selected!.recipe!;
const adapter = process.env["NETC_ADAPTER"] ?? "embedded";
const networks: Network[] = [];
afterEach(() => networks.splice(0).forEach((network) => network.destroy()));

async function open(batch: number): Promise<Network> {
  const network = await createNetwork(programs, { adapter, batch, seed: 3 });
  networks.push(network);
  return network;
}

interface Trained {
  readonly bytes: Uint8Array;
  readonly state: string;
  readonly loss: number;
  readonly miou: number;
}

interface Part {
  readonly exchange?: Collective;
  readonly from?: Trained;
  readonly to?: number;
}

/** Trains up to the recipe's end or a step, alone in two slices, or as one of several ranks. */
async function train({ exchange, from, to }: Part = {}): Promise<Trained> {
  const network = await open(exchange ? 2 : 4);
  if (from) await network.load(from.bytes);
  const start: TrainingState | undefined = from && parseState(from.state);
  const abort = new AbortController();
  const sliced = { ...recipe, accumulate: exchange ? 1 : 2 };
  const { state, evaluation } = await fit(network, dataset, sliced, {
    evaluation: dataset,
    ...withoutUndefined({ exchange }),
    start,
    signal: abort.signal,
    onStep: ({ step }) => step === to && abort.abort(),
  });
  const { loss, miou } = { loss: NaN, miou: NaN, ...evaluation?.metrics };
  const bytes = await network.save({ optimizer: true });
  return { bytes, state: serializeState(state), loss, miou };
}

test.runIf(runsAllVariants)("ranks and a stopped run end in the bits of one process", async () => {
  const whole = await train();
  expect(whole.loss).toBeLessThan(1.2);
  expect(parseState(whole.state)).toMatchObject({ step: 9 });
  const ranks = await Promise.all(loopback(2).map((exchange) => train({ exchange })));
  for (const { bytes, loss, miou } of ranks) {
    expect(bytes).toEqual(whole.bytes);
    expect(loss).toBeCloseTo(whole.loss, 5);
    expect(miou).toBe(whole.miou);
  }
  // In the second phase, with averages.
  const half = await train({ to: 5 });
  const rest = await train({ from: half });
  expect([rest.bytes, rest.state]).toEqual([whole.bytes, whole.state]);
});

test("Grad-CAM, which explains the class of an image, is refused", async () => {
  const seen = inspectable(await open(1), () => Promise.resolve({ inside }));
  await expect(seen.attribution(new Float32Array(64))).rejects.toThrow(
    "`logits` has scores of classes for each pixel, not for the example",
  );
  const made = await seen.activations(new Float32Array(64), ["stem.conv"]);
  expect(made["stem.conv"].shape).toEqual([1, 4, 8, 8]);
});
