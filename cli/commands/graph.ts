import { extname } from "node:path";
import type { Command } from "commander";
import { analyze } from "../../compiler/semantics/index.js";
import { wrongInput, wrongUsage } from "../failure.js";
import { writeOutput } from "../files.js";
import { plural } from "../format.js";
import { openSpec, requireNoErrors } from "../spec.js";
import { print, say } from "../terminal.js";
import { watching } from "../watch.js";
import { describeCommand } from "./command.js";

interface GraphOptions {
  readonly output?: string;
  readonly model?: string;
  readonly train?: string;
  readonly fused?: boolean;
  readonly watch?: boolean;
}

export function graphCommand(): Command {
  return describeCommand(
    "graph",
    "Draw a network as SVG or PNG: layers, costs and shapes. Needs no GPU.",
    ["graph specs/alexnet.net -o alexnet.svg", "graph specs/alexnet.net --fused -o kernels.png"],
  )
    .argument("<spec>", "the spec file")
    .option(
      "-o, --output <file>",
      "the file to write: .svg or .png (default: SVG on standard output)",
    )
    .option("--model <name>", "the model, if the spec has several")
    .option("--train <name>", "the recipe whose model to draw")
    .option("--fused", "outline the layers that one kernel computes when the network predicts")
    .option("--watch", "draw it again when the spec changes, until Ctrl-C")
    .action(graph);
}

const FORMATS = [".svg", ".png"] as const;

async function graph(path: string, options: GraphOptions): Promise<void> {
  formatOf(options.output);
  if (!options.watch) return void (await draw(path, options));
  if (options.output === undefined) {
    throw wrongUsage("--watch writes a file again and again: name it with -o FILE.svg");
  }
  await watching(path, () => draw(path, options));
}

/** Draws it once; gives the files that it is drawn from. */
async function draw(path: string, options: GraphOptions): Promise<readonly string[]> {
  const format = formatOf(options.output);
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
  const files = spec.files();
  if (options.output === undefined) {
    print(picture.trimEnd());
    return files;
  }
  await writeOutput(options.output, format === ".png" ? await toPng(picture) : picture);
  say(
    `${options.output}: ${selected.model.name}, ${plural(selected.model.layers.length, "layer")}`,
  );
  return files;
}

/** What the file's ending asks for: nothing else is written under it. */
function formatOf(output = ".svg"): (typeof FORMATS)[number] {
  const ending = extname(`graph${output}`).toLowerCase();
  const format = FORMATS.find((each) => each === ending);
  if (format) return format;
  throw wrongUsage(`${output} ends in neither .svg nor .png, the two formats of graphs`);
}

/** The image library takes a while to load; SVG does without. */
async function toPng(picture: string): Promise<Buffer> {
  const { svgToPng } = await import("../png.js");
  return svgToPng(picture);
}
