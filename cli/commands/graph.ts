import type { Command } from "commander";
import { analyze } from "../../compiler/semantics/index.js";
import { wrongInput } from "../failure.js";
import { writeOutput } from "../files.js";
import { plural } from "../format.js";
import { openSpec, requireNoErrors } from "../spec.js";
import { print, say } from "../terminal.js";
import { describeCommand } from "./command.js";

interface GraphOptions {
  readonly output?: string;
  readonly model?: string;
  readonly train?: string;
  readonly fused?: boolean;
}

export function graphCommand(): Command {
  return describeCommand(
    "graph",
    "Draw a network as SVG: layers with their costs, shapes on the wires. Needs no GPU.",
    ["graph specs/alexnet.net -o alexnet.svg", "graph specs/alexnet.net --fused -o kernels.svg"],
  )
    .argument("<spec>", "the spec file")
    .option("-o, --output <file>", "the SVG file to write (default: standard output)")
    .option("--model <name>", "the model, where the spec has several")
    .option("--train <name>", "the recipe whose model to draw")
    .option("--fused", "outline the layers that one kernel computes when the network predicts")
    .action(graph);
}

async function graph(path: string, options: GraphOptions): Promise<void> {
  const spec = await openSpec(path);
  const { model, train } = options;
  const selection = { model, train };
  const { diagnostics, selected } = analyze(spec.text, spec.path, {
    ...selection,
    readImport: spec.readImport,
  });
  requireNoErrors(spec, diagnostics);
  if (!selected) throw wrongInput(`${path} declares no model`);
  // The layout library takes a while to load; other commands do without.
  const { drawModel } = await import("../../picture/index.js");
  const picture = await drawModel(selected.model, { fused: options.fused ?? false });
  if (options.output === undefined) return print(picture.trimEnd());
  await writeOutput(options.output, picture);
  say(
    `${options.output}: ${selected.model.name}, ${plural(selected.model.layers.length, "layer")}`,
  );
}
