/** The uses of shared layers in a network, as `share` and its name in a chain write them. */
import { sameValue } from "./facts.js";
import type { NetworkValue, ResolvedLayer, ResolvedNetwork } from "./resolved.js";

/** Layers next to each other, `use.NAME` with the weights of `share.NAME`, that read one value. */
export interface ShareUse {
  readonly share: string;
  /** The full name, which begins those of its layers. */
  readonly name: string;
  readonly first: number;
  readonly count: number;
  readonly input: NetworkValue;
}

/** Throws where layers share weights in a way that the language cannot say. */
export function usesOf(network: ResolvedNetwork): readonly ShareUse[] {
  const uses: ShareUse[] = [];
  const placed = network.layers.map((layer) => placeOf(layer));
  requireShares(network);
  placed.forEach((place, index) => {
    const last = uses.at(-1);
    if (!place) return;
    const continues =
      last?.name === place.use && last.share === place.share && last.first + last.count === index;
    if (continues) uses[uses.length - 1] = { ...last, count: last.count + 1 };
    else uses.push({ ...place, name: place.use, first: index, count: 1, input: NOTHING });
  });
  const read = uses.map((use) => ({ ...use, input: inputOf(network, use) }));
  for (const use of read)
    requireAlike(
      network,
      use,
      read.find(({ share }) => share === use.share)!,
    );
  return read;
}

const NOTHING: NetworkValue = { from: "input", index: -1 };

/** The first use of each share. */
export const firstUses = (uses: readonly ShareUse[]): readonly ShareUse[] =>
  uses.filter(({ share }, index) => uses.findIndex((use) => use.share === share) === index);

/** Of a layer with the weights of a share: which, and the name of its use. */
function placeOf({ name, weights }: ResolvedLayer) {
  if (name === weights) return undefined;
  const [share, ...inner] = weights.split(".");
  const end = `.${inner.join(".")}`;
  if (inner.length > 0 && name.endsWith(end) && name.length > end.length) {
    return { share: share!, use: name.slice(0, -end.length) };
  }
  throw new Error(
    `\`${name}\` uses the weights \`${weights}\`: ` +
      `a spec writes layers like \`use.conv1\` with the weights \`share.conv1\``,
  );
}

/** A layer with separate weights is not part of a share. */
function requireShares({ layers }: ResolvedNetwork): void {
  const shared = new Set(
    layers.flatMap(({ name, weights }) => (name === weights ? [] : [weights])),
  );
  const own = layers.find(({ name, weights }) => name === weights && shared.has(weights));
  if (own) throw new Error(`a spec shares the weights \`${own.name}\` by \`share\` alone`);
}

/** The one value from outside that a use reads. */
function inputOf({ layers }: ResolvedNetwork, { name, first, count }: ShareUse): NetworkValue {
  const read = layers
    .slice(first, first + count)
    .flatMap(({ inputs }) => inputs)
    .filter(({ from, index }) => from !== "layer" || index < first);
  const [input] = read as [NetworkValue];
  if (read.every((each) => sameValue(each, input))) return input;
  throw new Error(`the shared layers \`${name}\` read several values`);
}

/** The layers of a use as a separate network, which reads what they are applied to. */
export function withinUse(network: ResolvedNetwork, use: ShareUse): ResolvedNetwork {
  const { first, count, share } = use;
  const value = ({ from, index }: NetworkValue): NetworkValue =>
    from === "layer" && index >= first
      ? { from: "layer", index: index - first }
      : { from: "input", index: 0 };
  const layers = network.layers.slice(first, first + count).map((layer) => {
    const name = layer.weights.slice(share.length + 1);
    return { ...layer, name, weights: name, inputs: layer.inputs.map(value) };
  });
  const [{ type, origin }] = network.inputs as [ResolvedNetwork["inputs"][number]];
  const inputs = [{ name: "input", type, origin }];
  return { ...network, inputs, targets: [], layers, losses: [], metrics: [], outputs: [] };
}

function requireAlike(network: ResolvedNetwork, use: ShareUse, first: ShareUse): void {
  const textOf = (each: ShareUse) =>
    JSON.stringify(
      withinUse(network, each).layers.map(({ name, definition, values, inputs, type }) => {
        return [name, definition.name, values, inputs, type.shape];
      }),
    );
  if (textOf(use) === textOf(first)) return;
  throw new Error(`\`${use.name}\` and \`${first.name}\` share weights and are not alike`);
}
