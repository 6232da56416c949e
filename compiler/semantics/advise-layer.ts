import type { CallExpression } from "../../grammar/ast.js";
import { absentLayers } from "../layers/absent.js";
import { layers } from "../layers/index.js";
import { type Advice, adviseCall, listNames, type Named } from "../calls/suggestion.js";
import type { Module } from "./modules.js";
import type { Signature } from "../calls/signature.js";

/** What to say about a layer that does not exist, in a file with these blocks and functions. */
export function adviseLayer(
  call: CallExpression,
  module: Pick<Module, "blocks" | "functions">,
): Advice {
  const blocks = [...module.blocks.keys()];
  const functions = [...module.functions.keys()];
  const otherwise = [`layers are ${listNames(layers.map(({ name }) => name))}`];
  if (blocks.length > 0) otherwise.push(`blocks are ${listNames(blocks)}`);
  if (functions.length > 0) otherwise.push(`functions are ${listNames(functions)}`);
  const own = [...blocks, ...functions].map((name): Named & Partial<Signature> => ({
    name,
    aliases: [],
  }));
  const known = own.length > 0 ? [...layers, ...own] : layers;
  return adviseCall(call, { known, absent: absentLayers, otherwise });
}
