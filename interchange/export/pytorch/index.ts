/** A network as a Python file of `nn.Module`s and the state_dict that belongs to it. */
import { withRows } from "../one-row.js";
import { basename } from "../paths.js";
import type { ResolvedLayer, ResolvedNetwork } from "../../../compiler/network/resolved.js";
import { usesOf, type ShareUse } from "../../../compiler/network/share-uses.js";
import type { Exporter, ExportRequest } from "../exporter.js";
import { LayerCall } from "../layer-call.js";
import type { Exported, ExportModel } from "../model.js";
import { bypassing } from "../needed.js";
import { forEachLayer, RefusedExport } from "../refusal.js";
import { TorchArchive } from "./archive.js";
import { Classes } from "./classes.js";
import type { Helper } from "./helpers.js";
import { isPassedOn, torchLayers } from "./layers.js";
import { optimizerClass, optimizerFile } from "./optimizer.js";
import { attributeName } from "./python.js";
import { pythonSource } from "./source.js";
import { treeOf } from "./tree.js";

export const pytorchExporter: Exporter = {
  name: "pytorch",
  title: "PyTorch",
  extension: ".py",
  choices: [],
  keptForTraining: ["dropout", "stochastic_depth"],
  keepsOptimizer: true,
  holdsSequences: true,
  write,
};

function write(signals: ExportModel, { path }: ExportRequest): Exported {
  const given = withRows(signals);
  const isPassed = (layer: ResolvedLayer) => isPassedOn(new LayerCall(given, layer));
  const model = { ...given, network: bypassing(given.network, isPassed) };
  const uses = usesOf(model.network);
  const helpers = new Set<Helper>();
  forEachLayer(model.network.layers, "PyTorch", (layer, index) => {
    const call = new LayerCall(model, layer);
    const found = torchLayers[call.kind];
    if (!found) throw new RefusedExport("netc does not know how PyTorch says it");
    requireTopLevel(uses, index);
    const helper = found.helper?.(call);
    if (helper) helpers.add(helper);
  });
  const classes = new Classes();
  const root = classes.add(treeOf(model, uses));
  const weights = path.replace(/\.py$/, ".pth");
  const optimizer = optimizerFileOf(model, path.replace(/\.py$/, ".optimizer.pth"));
  const parts = {
    model,
    classes,
    root,
    helpers: [...helpers],
    weights: basename(weights),
    optimizer: optimizer && { ...optimizer, file: basename(optimizer.path) },
  };
  return {
    files: [
      { path: weights, content: stateDict(model) },
      ...(optimizer ? [optimizer] : []),
      { path, content: pythonSource(parts) },
    ],
    notes: notesOf(model),
  };
}

/** The optimizer's state, where PyTorch has that optimizer. */
function optimizerFileOf({ optimizer, network }: ExportModel, path: string) {
  const className = optimizer && optimizerClass(optimizer.settings);
  if (className === undefined) return undefined;
  const content = optimizerFile(optimizer!, { has: ownerIn(network), of: nameInPython });
  return { path, content, className };
}

/** A module calls only what it has itself. */
function requireTopLevel(uses: readonly ShareUse[], index: number): void {
  const use = uses.find(({ first, count }) => index >= first && index < first + count);
  if (!use?.name.includes(".")) return;
  throw new RefusedExport(
    `\`${use.name}\` uses the layers of \`${use.share}\` within a section`,
    "use shared layers outside of sections and blocks",
  );
}

/** Whether a weight belongs to a layer of the network. */
function ownerIn({ layers }: ResolvedNetwork): (tensor: string) => boolean {
  const needed = new Set(layers.map(({ weights }) => weights));
  // `encoder.attention.out_proj.weight` is one of `encoder.attention`.
  return (tensor) => {
    const parts = tensor.split(".");
    return parts.some((_, index) => needed.has(parts.slice(0, index + 1).join(".")));
  };
}

const nameInPython = (name: string) => name.split(".").map(attributeName).join(".");

/** Weights in the spec's order; PyTorch counts the batches of running statistics, too. */
function stateDict({ network, tensors }: ExportModel): Uint8Array {
  const archive = new TorchArchive();
  const isNeeded = ownerIn(network);
  const entries = [...tensors].flatMap(([name, { shape, values }]) => {
    if (!isNeeded(name)) return [];
    const own = nameInPython(name);
    const entry = [own, archive.tensor({ shape, values })] as const;
    if (!own.endsWith(".running_var")) return [entry];
    const count = archive.tensor({ shape: [], values: new BigInt64Array(1) });
    return [entry, [own.replace(/running_var$/, "num_batches_tracked"), count] as const];
  });
  return archive.finish({ ordered: entries });
}

function notesOf(model: ExportModel): readonly string[] {
  return [...renamedNotes(model), ...optimizerNotes(model)];
}

function optimizerNotes({ optimizer }: ExportModel): readonly string[] {
  if (!optimizer || optimizerClass(optimizer.settings)) return [];
  return [
    "left out: the optimizer's state: PyTorch keeps the learning rate outside of the velocity",
  ];
}

function renamedNotes({ network }: ExportModel): readonly string[] {
  const parts = new Set(network.layers.flatMap(({ weights }) => weights.split(".")));
  const renamed = [...parts].filter((part) => attributeName(part) !== part);
  if (renamed.length === 0) return [];
  const pairs = renamed.map((part) => `\`${part}\` is \`${attributeName(part)}\``);
  return [`names that Python or nn.Module has already: ${pairs.join(", ")}`];
}
