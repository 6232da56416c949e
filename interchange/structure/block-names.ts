/** What a block is called, and a line on it: by the names of its sections, or by what it does. */
import { findLayer } from "../../compiler/layers/index.js";
import { isWord } from "../names.js";
import { bodiesOf, isWeighted, type Block, type Body, type Item } from "./items.js";
import { layersOf } from "./references.js";

/** @param sections names that the file gives to the block's uses */
export function nameBlock(
  body: Body,
  sections: readonly string[],
  taken: ReadonlySet<string>,
): string {
  const common = sections.length > 0 ? commonName(sections) : undefined;
  const wanted = common ?? usualName(body);
  let name = findLayer(wanted) ? `${wanted}_block` : wanted;
  for (let more = 2; isTaken(name, taken) || findLayer(name); more++) {
    name = `${wanted}_${letter(more)}`;
  }
  return name;
}

/** Uses are numbered: `unit1` is one of the block `unit`, and cannot be a section as well. */
const isTaken = (name: string, taken: ReadonlySet<string>) =>
  [...taken].some((each) => each === name || each.replace(/\d+$/, "") === name);

/** Without digits, which number uses. */
const letter = (count: number) => String.fromCharCode(96 + Math.min(count, 26));

/** `inception` of `inception_3a` and `inception_4b`. */
function commonName(names: readonly string[]): string | undefined {
  const start = names.reduce((a, b) => {
    const differs = [...a].findIndex((character, index) => character !== b[index]);
    return differs < 0 ? a : a.slice(0, differs);
  });
  const name = start.replace(/[_\d]+$/, "");
  return name.length > 1 && !isWord(name) ? name : undefined;
}

function usualName(body: Body): string {
  const joins = joinsIn(body);
  const [first] = joins;
  if (first?.form === "residual") return residualName(first.body);
  if (first?.form === "branches") {
    if (first.branches.some((branch) => branch.body.length === 0)) return "dense_layer";
    return first.branches.length === 2 && body[0]!.form === "layer" ? "fire" : "inception";
  }
  const kinds = layersOf(body).map(({ layer }) => layer.definition.name);
  if (isGate(kinds)) return "gate";
  if (kinds.includes("multiply")) return "gated";
  const isDeep = layersOf(body).some(({ role }) => role === "depthwise");
  return isDeep ? "separable" : "unit";
}

/** What squeeze and excitation multiplies channels by (Hu and others, 2018). */
const isGate = (kinds: readonly string[]) =>
  kinds[0] === "global_avgpool" && /sigmoid$/.test(kinds.at(-1)!);

const joinsIn = (body: Body): readonly Item[] =>
  body.filter(({ form }) => form === "residual" || form === "branches");

/** As the papers call them: He and others, 2015; Sandler and others, 2018. */
function residualName(body: Body): string {
  const layers = layersOf(body).filter(isWeighted);
  if (layers.some(({ role }) => role === "depthwise")) return "inverted_residual";
  return layers.length === 3 ? "bottleneck" : "basic";
}

/** What a block does, in a line above it. */
export function docOf({ body }: Block): string {
  const [join] = joinsIn(body);
  const kinds = kindsIn(body);
  if (isGate(kinds)) return "A factor for each channel, from the means of all channels.";
  const weighted = kinds.filter((kind) => WEIGHTED.has(kind));
  if (join?.form === "residual") return `${counted(weighted)} around which the input is added.`;
  if (join?.form === "branches") {
    return join.branches.some((branch) => branch.body.length === 0)
      ? "Layers whose channels are joined to those of the input."
      : `${WORDS[join.branches.length] ?? "Several"} branches whose channels are concatenated.`;
  }
  const others = [...new Set(kinds.filter((kind) => !WEIGHTED.has(kind)))];
  if (weighted.length === 0) return `Layers: ${others.join(", ")}.`;
  return `${counted(weighted)} with ${listed(others)}.`;
}

const WEIGHTED = new Set(["conv", "linear", "conv_transpose", "attention", "patches"]);

/** `Two convolutions`, `Attention and two linear layers`. */
function counted(kinds: readonly string[]): string {
  const attends = kinds.includes("attention");
  const linear = kinds.filter((kind) => kind === "linear").length;
  const convolutions = kinds.filter((kind) => /^conv|^patches/.test(kind)).length;
  const parts = [
    ...(attends ? ["attention"] : []),
    ...(convolutions > 0 ? [several(convolutions, "a convolution", "convolutions")] : []),
    ...(linear > 0 ? [several(linear, "a linear layer", "linear layers")] : []),
  ];
  const text = parts.length === 0 ? "no weights" : listed(parts);
  return text[0]!.toUpperCase() + text.slice(1);
}

const several = (count: number, one: string, many: string) =>
  count === 1 ? one : `${(WORDS[count] ?? "Several").toLowerCase()} ${many}`;

const WORDS = ["No", "", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten"];

const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;

/** Also of the blocks that it uses. */
function kindsIn(body: Body): readonly string[] {
  return body.flatMap((item) => {
    if (item.form === "layer")
      return item.layer.definition.name === "identity" ? [] : [item.layer.definition.name];
    if (item.form === "use") return kindsIn(item.block.body);
    return bodiesOf(item).flatMap(kindsIn);
  });
}
