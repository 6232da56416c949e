/** Targets of a sequence of numbers, `f32[N, T, C]`: scores are those of these numbers in rows. */
import { afterAll, expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import { createNetwork, type Network } from "../../runtime/index.js";
import { parameterValues, uniformValues } from "../oracle/values.js";

const BATCH = 4;
/** Channels that fill no vec4. */
const [TOKENS, CHANNELS] = [5, 3];
const NUMBERS = TOKENS * CHANNELS;

const opened: { destroy(): void }[] = [];
afterAll(() => opened.forEach((network) => network.destroy()));

const specOf = (target: string, last: string, score: string, settings: string) => `
model Next {
  input  x: f32[N, ${TOKENS}, 4]
  target y: f32[N, ${target}]
  linear(${CHANNELS}) -> gelu
  ${last} as out
  loss   ${score}
  metric away = mae(out, y)
}

train Fit of Next {
  optimizer = sgd(lr=0.1, momentum=0.9)
  batch     = ${BATCH}
  epochs    = 1
  ${settings}
}
`;

type Plain = Network<"loss" | "away", string, Float32Array>;

async function open(spec: string): Promise<Plain> {
  const { programs, diagnostics } = compile(spec, { file: "next.net" });
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  const network = (await createNetwork(programs, { batch: BATCH })) as unknown as Plain;
  opened.push(network);
  for (const { name, shape } of network.parameters) {
    await network.write(name, parameterValues(`sequence-targets/${name}`, shape));
  }
  return network;
}

test.each([
  ["mse(out, y)", ""],
  ["mse(out, y)", "accumulate = 2"],
  ["l1(out, y)", ""],
  ["l1(out, y)", "accumulate = 4"],
  ["bce_with_logits(out, y)", ""],
  ["mean(abs(out - y) * 0.5)", "accumulate = 2"],
])("%s, %s", async (score, settings) => {
  const sequence = await open(specOf(`${TOKENS}, ${CHANNELS}`, "identity", score, settings));
  const rows = await open(specOf(String(NUMBERS), "flatten", score, settings));
  const x = uniformValues("sequence-targets/x", BATCH * TOKENS * 4, 1);
  const y = uniformValues("sequence-targets/y", BATCH * NUMBERS, 1).map(Math.abs);
  for (let step = 0; step < 3; step++) {
    const [made, expected] = [await sequence.step(x, y), await rows.step(x, y)];
    expect(made.loss).toBeCloseTo(expected.loss, 6);
    expect(made.away).toBeCloseTo(expected.away, 6);
    const [logits, others] = [await sequence.predict(x), await rows.predict(x)];
    expect(logits).toHaveLength(BATCH * NUMBERS);
    logits.forEach((value, place) => expect(value).toBeCloseTo(others[place]!, 6));
  }
});

test("too few numbers are an error before anything is computed", async () => {
  const network = await open(specOf(`${TOKENS}, ${CHANNELS}`, "identity", "mse(out, y)", ""));
  const x = new Float32Array(BATCH * TOKENS * 4);
  const y = new Float32Array(BATCH * NUMBERS - 1);
  await expect(network.step(x, y)).rejects.toThrow(String(BATCH * NUMBERS));
});
