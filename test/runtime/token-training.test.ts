/** Runs with a class for each token: ranks, slices and resumed runs agree. */
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
import { parseState, serializeState } from "../../runtime/training/state.js";
import { runsAllVariants } from "../adapters.js";

/** Of tokens that do not count: no class, or one of the classes. */
const IGNORED = [99, 0] as const;
type Ignored = (typeof IGNORED)[number];

const specOf = (ignored: Ignored) => `
model Small {
  input  words: u32[N, 6] in 0..9
  target next: u32[N, 6] in 0..9
  embedding(8) -> residual { layernorm -> attention(2, causal=true) }
  dropout(0.2) -> linear(9) as logits
  loss   cross_entropy(logits, next, ignore=${ignored}, label_smoothing=0.1)
  metric right = accuracy(logits, next)
}
data Rows for Small {
  train csv("no table.csv", next="n*")
}
train Run of Small on Rows {
  epochs    = 3
  batch     = 4
  optimizer = adam(lr=0.02)
  seed      = 3
}`;

/** Ten rows, the last batch of a pass has two; of one, no token counts. */
const datasetOf = (ignored: Ignored): Dataset => ({
  name: "rows",
  classes: Array.from({ length: 9 }, (_, label) => String(label)),
  length: 10,
  get: (index) => {
    const word = (place: number) => (index + place * (1 + (index % 3))) % 9;
    const pixels = Float32Array.from({ length: 6 }, (_, place) => word(place));
    const next = Uint32Array.from(pixels, (_, place) =>
      index === 6 || place === index % 4 ? ignored : word(place + 1),
    );
    const image = { width: 1, height: 1, channels: 6, maximum: 1, pixels };
    return Promise.resolve({ image, label: 0, numbers: next });
  },
});

// As for ranks, also for a single process: the lists are then the same.
const programsOf = (ignored: Ignored) =>
  compile(specOf(ignored), { file: "small.net", exchange: true }).programs;
const recipe = analyze(specOf(99), "small.net").selected!.recipe!;
const adapter = process.env["NETC_ADAPTER"] ?? "embedded";
const networks: Network[] = [];
afterEach(() => networks.splice(0).forEach((network) => network.destroy()));

interface Trained {
  readonly bytes: Uint8Array;
  readonly state: string;
  readonly loss: number;
  readonly right: number;
}

interface Part {
  readonly ignored: Ignored;
  readonly exchange?: Collective;
  readonly from?: Trained;
  readonly to?: number;
}

/** Trains up to the recipe's end or a step, alone in two slices, or as one of several ranks. */
async function train({ ignored, exchange, from, to }: Part): Promise<Trained> {
  const dataset = datasetOf(ignored);
  const network = await createNetwork(programsOf(ignored), {
    adapter,
    batch: exchange ? 2 : 4,
    seed: 3,
  });
  networks.push(network);
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
  const { loss, right } = { loss: NaN, right: NaN, ...evaluation?.metrics };
  const bytes = await network.save({ optimizer: true });
  return { bytes, state: serializeState(state), loss, right };
}

const tested = test.runIf(runsAllVariants);
tested.each(IGNORED)("ranks and a stopped run end in the bits of one: %i", async (ignored) => {
  const whole = await train({ ignored });
  expect(whole.loss).toBeLessThan(2.2);
  expect(parseState(whole.state)).toMatchObject({ step: 9 });
  const ranks = await Promise.all(loopback(2).map((exchange) => train({ ignored, exchange })));
  for (const { bytes, loss, right } of ranks) {
    expect(bytes).toEqual(whole.bytes);
    expect(loss).toBeCloseTo(whole.loss, 5);
    expect(right).toBe(whole.right);
  }
  const half = await train({ ignored, to: 5 });
  const rest = await train({ ignored, from: half });
  expect([rest.bytes, rest.state]).toEqual([whole.bytes, whole.state]);
});
