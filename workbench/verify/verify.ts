/** A network's kernels and gradients on the adapter in use, compared with the references. */
import type { CompiledProgram } from "../../compiler/program.js";
import type { TurnList } from "../../program/program.js";
import type { Network } from "../../runtime/network.js";
import { examplesFor, randomExamples, type Examples } from "../random-examples.js";
import { addTallies, type Tally, type VerifiedList } from "./tally.js";
import { verifyCalls } from "./verify-calls.js";
import { stagesOf, verifyList, type VerifyOptions } from "./verify-list.js";
import { verifyAverages, verifyInitialValues } from "./verify-parameters.js";
import { preparedSplits, verifyPreparation } from "./verify-preparations.js";

/**
 * All lists, in an order in which each finds what it needs: `update` the gradients that
 * `accumulate` leaves.
 */
export const ALL_LISTS: readonly VerifiedList[] = [
  ...(["initialize", "prepare", "train", "accumulate", "update", "average"] as const),
  ...(["evaluate", "predict", "calls"] as const),
];

/** What a network's program came from. */
export type Written = Pick<CompiledProgram, "lists" | "average">;

/**
 * Checks those of the lists that a network has, one after the other, up to the first that is wrong,
 * or with `continues` all of them.
 */
export async function verifyNetwork(
  network: Network,
  written: Written,
  lists: readonly VerifiedList[],
  options: Omit<VerifyOptions, "only" | "onDivergence">,
): Promise<Tally> {
  // A batch in slices is computed by the kernels of a slice.
  const examples = randomExamples(network.program, network.slice);
  const wanted = lists
    .flatMap((list) => withTurns(network, list))
    .filter((list) => isIn(network, list));
  const stages = wanted.map((list) => stagesIn(written, list));
  const total = stages.reduce((sum, count) => sum + count, 0);
  let tally: Tally = { kernels: 0, values: 0 };
  let before = 0;
  await fillTeacher(network);
  for (const [index, list] of wanted.entries()) {
    const onProgress = (done: number) => options.onProgress?.(before + done, total);
    const own = list === "calls" ? examples : examplesFor(list, examples);
    const found = await verifyOne(network, written, list, own, { ...options, onProgress });
    tally = addTallies(tally, found);
    if (tally.divergence && !options.continues) break;
    before += stages[index]!;
    options.onProgress?.(before, total);
  }
  return tally;
}

/** Without a file, a teacher's weights are such that nothing after them is finite. */
async function fillTeacher(network: Network): Promise<void> {
  for (const { name, shape, teacher } of network.program.parameters) {
    const count = shape.reduce((product, size) => product * size, 1);
    const value = (index: number) => 0.1 + 0.05 * Math.sin(index);
    if (teacher)
      await network.write(
        name,
        Float32Array.from({ length: count }, (_, i) => value(i)),
      );
  }
}

/** Of a training list, also those of later turns. */
function withTurns({ program }: Network, list: VerifiedList): readonly VerifiedList[] {
  if (list !== "train" && list !== "accumulate" && list !== "update") return [list];
  const later = (program.turns ?? []).map((_, index): TurnList => `${list}${index + 1}`);
  return [list, ...later];
}

function isIn(network: Network, list: VerifiedList): boolean {
  if (list === "calls") return true;
  if (list === "prepare") return preparedSplits(network).length > 0;
  return (network.program.steps[list] ?? []).length > 0;
}

function stagesIn({ lists }: Written, list: VerifiedList): number {
  const written = list in lists && lists[list as keyof typeof lists];
  return written ? stagesOf(written) : 1;
}

async function verifyOne(
  network: Network,
  written: Written,
  list: VerifiedList,
  examples: Examples,
  options: VerifyOptions,
): Promise<Tally> {
  switch (list) {
    case "initialize":
      return verifyInitialValues(network, examples, options);
    case "prepare": {
      let tally: Tally = { kernels: 0, values: 0 };
      for (const split of preparedSplits(network)) {
        if (tally.divergence && !options.continues) break;
        tally = addTallies(tally, await verifyPreparation(network, split, options));
      }
      return tally;
    }
    case "average": {
      // Before the first step, averages are the weights.
      const { images, targets } = examples;
      await (network as Network<string, string, typeof targets, typeof images>).step(
        images,
        targets,
      );
      return verifyAverages(network, written, examples, options);
    }
    case "calls":
      return verifyCalls(network, examples, options);
    default:
      return verifyList(network, written, list, examples, options);
  }
}
