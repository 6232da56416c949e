/** Weights that outlive a change of their spec in a dev server. */
import type { NetworkOptions } from "./calls.js";
import type { Program } from "../program/program.js";

/** What is used of Vite's `import.meta.hot`. */
interface HotContext {
  readonly data: HotData;
  dispose(before: (data: HotData) => void): void;
}

interface HotData {
  weights?: Promise<Weights>;
  /** Of a network that standardizes (standardizing.ts). */
  scales?: unknown;
}

/** What is used of a network. */
interface KeptNetwork {
  readonly scales?: unknown;
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[];
  read(name: string): Promise<Float32Array>;
  write(name: string, values: Float32Array): Promise<void>;
}

interface Kept {
  readonly shape: string;
  readonly values: Float32Array;
}

type Weights = ReadonlyMap<string, Kept>;

type Create<Network extends KeptNetwork> = (
  programs: readonly Program[],
  options?: NetworkOptions,
) => Promise<Network>;

/**
 * Like `create`, but a network of a changed spec begins with the weights of the last network that
 * was made before the change, where name and shape are the same.
 */
export function keepWeights<Network extends KeptNetwork>(
  create: Create<Network>,
  hot: HotContext | undefined,
): Create<Network> {
  if (!hot) return create;
  const { weights: before, scales } = hot.data;
  let last: Network | undefined;
  hot.dispose((data) => {
    data.weights = last ? weightsOf(last) : before;
    data.scales = last ? last.scales : scales;
  });
  return async (programs, options) => {
    const network = await create(programs, options);
    last = network;
    if (scales) Object.defineProperty(network, "scales", { value: scales, configurable: true });
    if (before) await restore(network, await before);
    return network;
  };
}

/** None of a network that was destroyed. */
async function weightsOf(network: KeptNetwork): Promise<Weights> {
  try {
    const kept = network.parameters.map(async ({ name, shape }): Promise<[string, Kept]> => {
      return [name, { shape: shape.join(), values: await network.read(name) }];
    });
    return new Map(await Promise.all(kept));
  } catch {
    return new Map();
  }
}

async function restore(network: KeptNetwork, weights: Weights): Promise<void> {
  for (const { name, shape } of network.parameters) {
    const kept = weights.get(name);
    if (kept?.shape === shape.join()) await network.write(name, kept.values);
  }
}
