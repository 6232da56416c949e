/**
 * A network as a person would have written it: residual connections and branches in braces, runs
 * that come again as blocks and loops, sections and names of the file where they mean something.
 * Nothing is rewritten: layers, arguments and what reads what stay as they are. Only their order,
 * their names, and the order of the two terms of a sum or a product are those of the text.
 */
import { analyze } from "../../compiler/index.js";
import { layers as layerKinds } from "../../compiler/layers/index.js";
import { outlineOf } from "../../compiler/network/outline.js";
import type { NetworkValue, ResolvedNetwork } from "../../compiler/network/resolved.js";
import { formatShape } from "../../compiler/ir/shape.js";
import { ImportError } from "../error.js";
import type { Path } from "../names.js";
import { withBlocks } from "./blocks.js";
import { bodiesOf, type Block, type Body } from "./items.js";
import { Functions } from "./functions.js";
import { liftedParameters, uniqueNames, type Lifted } from "./parameters.js";
import { withLoops, withPlainLoops } from "./loops.js";
import { References } from "./references.js";
import { placeOfInput, regionsOf, type Regions } from "./regions.js";
import { withSections } from "./sections.js";
import { SpecWriter } from "./text.js";

export interface Structured {
  /** Blocks and the model; not in the formatter's layout. */
  readonly text: string;
  /** What the text resolves to: the given layers in another order, under other names. */
  readonly network: ResolvedNetwork;
  /** Of each of its layers, the given one. */
  readonly order: readonly number[];
}

/**
 * @param network with one output, its last layer, which needs all inputs and layers; no losses
 * @param paths names of the layers in the file, for each
 */
export function structured(given: ResolvedNetwork, paths: readonly Path[]): Structured {
  const { network, parameters, kept } = lifted(given, paths);
  const regions = regionsOf(network);
  const inText = regions.order.map((layer) => paths[kept[layer]!] ?? { sections: [] });
  const sectioned = withSections(regions.body, inText);
  const inputs = network.inputs.map(({ name }) => name);
  const kinds = layerKinds.map(({ name }) => name);
  const names = new Set([...kinds, "branch", "skip", ...inputs, ...namesIn(sectioned)]);
  const functions = new Functions(network, names);
  const taken = new Set([...names, ...functions.all]);
  const references = new References(regions.body);
  const { blocks, body } = withBlocks(withPlainLoops(sectioned, references), references, taken);
  const writer = new SpecWriter({
    inputs: new Map(inputs.map((name, index) => [placeOfInput(index), name])),
    taken: new Set([...taken, ...blocks.map(({ name }) => name)]),
    functions,
  });
  const declared = usedFirst(blocks).map((block) => ({
    ...block,
    body: withLoops(block.body, references),
  }));
  const lines = writer.body(withLoops(body, references));
  const text = [
    ...functions.declarations,
    ...declared.flatMap((block) => writer.block(block)),
    `model ${network.name} {`,
    ...given.inputs.map(
      ({ name, type }) => `  input ${name}: ${type.dtype}${formatShape(type.shape)}`,
    ),
    ...network.inputs
      .slice(given.inputs.length)
      .map(({ name, type }) => `  parameter ${name}: f32${formatShape(type.shape.slice(1))}`),
    "",
    ...lines.map((line) => `  ${line}`),
    "}",
    "",
  ].join("\n");
  const order = [...parameters, ...regions.order.map((layer) => kept[layer]!)];
  const swapped = new Set([...regions.swapped].map((place) => parameters.length + place));
  return { text, network: resolved(text, given, { order, swapped }), order };
}

/** A parameter has no name of a layer. */
function lifted(network: ResolvedNetwork, paths: readonly Path[]): Lifted {
  const taken = new Set([
    ...layerKinds.map(({ name }) => name),
    ...network.inputs.map(({ name }) => name),
  ]);
  const layers = network.layers.flatMap(({ definition }, index) => {
    return definition.readsNothing ? [index] : [];
  });
  const names = uniqueNames(
    layers.map((index) => paths[index]?.own ?? "numbers"),
    taken,
  );
  return liftedParameters(network, (layer) => names[layers.indexOf(layer)]!);
}

type TextOrder = Pick<Regions, "order" | "swapped">;

/** Blocks after those that they use. */
function usedFirst(blocks: readonly Block[]): readonly Block[] {
  const named = new Map(blocks.map((block) => [block.name, block]));
  const found = new Set<Block>();
  const visit = (block: Block) => {
    if (found.has(block)) return;
    for (const name of usesIn(block.body)) visit(named.get(name)!);
    found.add(block);
  };
  blocks.forEach(visit);
  return [...found];
}

const usesIn = (body: Body): readonly string[] =>
  body.flatMap((item) =>
    item.form === "use" ? [item.block.name] : bodiesOf(item).flatMap(usesIn),
  );

/** Names of sections and branches, which layers cannot have as well. */
function namesIn(body: Body): readonly string[] {
  return body.flatMap((item) => [
    ...(item.form === "section" ? [item.name] : []),
    ...(item.form === "branches" ? item.branches.flatMap(({ name }) => name ?? []) : []),
    ...bodiesOf(item).flatMap(namesIn),
  ]);
}

/**
 * What the text means. Throws an ImportError where an argument has a value that specs cannot have,
 * such as a negative `eps`, and an Error where the text is another network: netc's own mistake.
 */
function resolved(text: string, network: ResolvedNetwork, regions: TextOrder): ResolvedNetwork {
  const { selected, diagnostics } = analyze(text, "imported.net");
  const [error] = diagnostics.filter(({ severity }) => severity === "error");
  if (error) throw new ImportError(`no spec can say this network: ${error.message}`);
  const read = selected!.model.network!;
  const wanted = rearranged(network, regions, read);
  const [a, b] = [read, wanted].map((each) => JSON.stringify(outlineOf(each)));
  if (a !== b) throw new Error(`the spec that was written is another network\n${text}`);
  return read;
}

/** The given network in the order and under the names of another. */
function rearranged(
  network: ResolvedNetwork,
  { order, swapped }: TextOrder,
  names: ResolvedNetwork,
): ResolvedNetwork {
  const places = new Map(order.map((layer, place) => [layer, place]));
  const moved = ({ from, index }: NetworkValue): NetworkValue =>
    from === "layer" ? { from, index: places.get(index)! } : { from, index };
  const layers = order.map((index, place) => {
    const layer = network.layers[index]!;
    const name = names.layers[place]?.name ?? "";
    const inputs = layer.inputs.map(moved);
    return {
      ...layer,
      name,
      weights: name,
      inputs: swapped.has(place) ? inputs.reverse() : inputs,
    };
  });
  const outputs = network.outputs.map((output) => {
    const value = moved(output.value);
    return { ...output, value, name: layers[value.index]!.name };
  });
  return { ...network, layers, outputs };
}
