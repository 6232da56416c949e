/** All checks of a compiled spec on an adapter, repeated as often as wanted. */
import type { AdapterSummary } from "../../runtime/device.js";
import type { Network } from "../../runtime/network.js";
import { addTallies, type CheckOptions, type CheckResult, type Tally } from "./tally.js";
import { ALL_LISTS, verifyNetwork, type Written } from "./verify.js";

/** A network, and what its program came from. */
export interface Opened {
  readonly network: Network;
  readonly written: Written;
}

export interface RoundResult extends CheckResult {
  /** From 1. */
  readonly round: number;
}

export interface RoundOptions extends Pick<CheckOptions, "continues"> {
  /** Later rounds begin with the weights and the memory that earlier ones leave. */
  readonly rounds: number;
  readonly onChecked?: ((result: RoundResult) => void) | undefined;
  /** Called with what is done of a part of the checks; begins again with the next part. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface Verdict {
  readonly adapter: AdapterSummary;
  readonly model: string;
  readonly tally: Tally;
}

/** Where gradients are applied as they are made, slices of a batch have other kernels. */
const KEEPING = ["accumulate", "update"] as const;

/**
 * Checks the network that `open` opens, and once more with stored gradients where the first applies
 * them as they are made. Ends with the first divergence unless `continues`.
 */
export async function verifySpec(
  open: (options: { readonly keepGradients: boolean }) => Promise<Opened>,
  { rounds, onChecked, ...options }: RoundOptions,
): Promise<Verdict> {
  let known = new Set<string>();
  const verify = ({ network, written }: Opened, lists: typeof ALL_LISTS, round: number) => {
    const report = (result: CheckResult) => onChecked?.({ ...result, round });
    return verifyNetwork(network, written, lists, { ...options, known, onChecked: report });
  };
  const isOver = ({ divergence }: Tally) => divergence && !options.continues;
  const { tally, trainsAtOnce, ...about } = await using(
    await open({ keepGradients: false }),
    async (opened) => {
      let tally: Tally = { kernels: 0, values: 0 };
      for (let round = 1; round <= rounds && !isOver(tally); round++) {
        known = new Set();
        tally = addTallies(tally, await verify(opened, ALL_LISTS, round));
      }
      const { program, adapter } = opened.network;
      const { train, accumulate } = program.steps;
      const trainsAtOnce = train.length > 0 && accumulate.length === 0;
      return { adapter, model: program.model, tally, trainsAtOnce };
    },
  );
  if (!trainsAtOnce || isOver(tally)) return { ...about, tally };
  const keeping = await open({ keepGradients: true });
  const stored = await using(keeping, (opened) => verify(opened, KEEPING, 1));
  return { ...about, tally: addTallies(tally, stored) };
}

async function using<Result>(
  opened: Opened,
  visit: (opened: Opened) => Promise<Result>,
): Promise<Result> {
  try {
    return await visit(opened);
  } finally {
    opened.network.destroy();
  }
}
