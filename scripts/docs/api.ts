import { join } from "node:path";
import ts from "typescript";
import { code, formatted, page, table } from "./markdown.js";

const NOTICE =
  "<!-- Written by `npm run docs` from docstrings of runtime/: change those instead. -->";

interface ApiPage {
  readonly file: string;
  readonly title: string;
  readonly introduction: string;
  readonly names: readonly string[];
}

/** Which page documents which exports of netc/runtime. An export on no page is on "more". */
const PAGES: readonly ApiPage[] = [
  {
    file: "network",
    title: "Network: step, evaluate, predict, load, save",
    introduction:
      "What `createNAME` of a compiled module resolves to. [Guide](../../deploy/javascript.md).",
    names: ["Network"],
  },
  {
    file: "detection",
    title: "Boxes in pictures",
    introduction: "What a network with boxes finds. [Guide](../../guides/detection.md).",
    names: ["detect", "DetectOptions", "Detection", "Box"],
  },
  {
    file: "options",
    title: "Options and values of a network's calls",
    introduction: "What the methods of a [Network](network.md) take and give.",
    names: [
      ...["NetworkOptions", "StepOptions", "ReadOptions", "SaveOptions", "LoadOptions"],
      ...["Picture", "Pictures", "Classification", "ClassifyOptions"],
      ...["Metrics", "ParameterInfo", "Labels", "ClassLabels", "MixedLabels", "Targets"],
      ...["Images", "MemoryUse"],
    ],
  },
  {
    file: "inside",
    title: "Activations and Grad-CAM",
    introduction:
      "What networks have in addition, whose module was compiled with `--inspect`. " +
      "[Guide](../../guides/inside.md).",
    names: ["Inspectable", "Activation", "AttributionOptions", "Attribution", "ImportInside"],
  },
  {
    file: "standardize",
    title: "Standardized numbers",
    introduction:
      "What networks have in addition, whose spec standardizes columns of a table. " +
      "[Guide](../../guides/tables.md#standardize).",
    names: ["Standardizing", "Scales", "Scale"],
  },
  {
    file: "training",
    title: "Training: fit and its options",
    introduction: "[Guide](../../deploy/training.md).",
    names: [
      ...["fit", "FitOptions", "FitResult", "GivenBatch", "BatchSource", "StepReport"],
      ...["EpochReport", "TrainingState", "evaluateDataset", "EvaluateOptions", "Evaluation"],
      ...["learningRateFactor", "runLength"],
    ],
  },
  {
    file: "statistics",
    title: "Batch normalization of averaged weights: measureStatistics",
    introduction:
      "What `fit` does for a recipe with `swa`, for loops without `fit`: " +
      "[weight averaging](../../guides/overfitting.md#weight-averaging-ema-swa).",
    names: ["measureStatistics", "MeasureOptions", "StatisticsPass", "StatisticsReport"],
  },
  {
    file: "parallel",
    title: "Training on several devices: exchange and collectives",
    introduction: "What `fit` needs to train several networks together.",
    names: [
      ...["Collective", "Arrival", "PeerFailedError", "loopback", "joinRanks", "launchOf"],
      ...["Launch", "MpiCollective", "MpiOptions"],
    ],
  },
  {
    file: "errors",
    title: "Errors",
    introduction: "All errors that the runtime throws on purpose are `NetcError`s.",
    names: [
      ...["NetcError", "InputError", "WeightsError", "DataError", "DeviceLimitError"],
      ...["BatchTooLargeError", "DeviceLostError", "NoAdapterError", "RunFailedError"],
      ...["DivergedError", "Divergence", "CheckpointError"],
    ],
  },
  {
    file: "data",
    title: "Data: datasets, decoding, transforms",
    introduction: "What reads and prepares images. What reads files is for Node only.",
    names: [
      ...["openData", "OpenDataOptions", "OpenedData", "openSplit", "openEvaluation"],
      ...["decodeImage", "applyTransforms", "loadBatches", "LoaderOptions", "countBatches"],
      ...["Dataset", "Example", "Image", "Batch", "InputShape"],
    ],
  },
  {
    file: "files",
    title: "Weights files and checkpoints",
    introduction: "What reads and writes files. What writes checkpoints is for Node.",
    names: [
      ...["WeightsSource", "DownloadOptions", "DownloadProgress"],
      ...["parseTensors", "serializeTensors", "Tensor", "TensorFile", "saveWeights"],
      ...["saveCheckpoint", "resumeCheckpoint", "ResumedRun", "RunIdentity", "RunPlan"],
      ...["LAST_CHECKPOINT", "PREVIOUS_CHECKPOINT", "MetricsLog", "readMetrics", "SkippedFile"],
    ],
  },
  {
    file: "adapters",
    title: "Adapters and devices",
    introduction: "What finds a GPU. [GPU set-up](../../start/gpu.md).",
    names: [
      ...["findAdapter", "NodeAdapter", "FoundAdapter", "Attempt", "doctor", "DoctorReport"],
      ...["DoctorAdapter", "createNetwork", "Device", "targetFor"],
      ...["AdapterSummary", "CompileProgress"],
    ],
  },
  {
    file: "profiling",
    title: "Profiling and inspection of kernels",
    introduction: "What `netc time` and `netc verify` use.",
    names: [
      ...["timeSteps", "TimedStep", "profileSteps", "ProfileOptions", "Profile", "ProfiledStep"],
      ...["inspecting", "Inspection", "InspectionParts", "InspectionExamples", "InspectableRun"],
      ...["CallExamples", "Call", "ListRun", "FloatPlace"],
    ],
  },
  {
    file: "program",
    title: "Program and recipe",
    introduction: "Plain data that a compiled module holds.",
    names: ["Program", "TrainRecipe"],
  },
];

const TOOLS: ApiPage = {
  file: "more",
  title: "More exports of the runtime",
  introduction: "For programs that build on the runtime, as netc's own commands do.",
  names: [],
};

const MODULE = `
# API

| page | has |
| --- | --- |
PAGES

## The generated module

\`netc compile digits.net\` writes \`digits.js\` and \`digits.d.ts\` with these exports:

| export | is |
| --- | --- |
| \`createDigits(options?)\` | opens a GPU and resolves to a \`Digits\`, a [Network](network.md) |
| \`recipe\` | the spec's recipe, for [fit](training.md); absent without a recipe |
| \`programs\` | the compiled programs, one for each kind of adapter |
| \`Digits\` | type of the network |
| \`DigitsParameter\` | type: names of the weights, \`"features.conv1.weight"\` and others |
| \`DigitsMetric\` | type: names of the loss and the metrics |

The names follow the name of the model. [NetworkOptions](options.md) lists the options.

## In Node

\`\`\`ts
import { readFile } from "node:fs/promises";
import { createDigits } from "./digits.js";

const net = await createDigits({ batch: 16 });
await net.load(await readFile("best.safetensors"));
const logits = await net.predict(new Float32Array(64)); // one image of 1 x 8 x 8
console.log(logits.length); // 10
net.destroy();
\`\`\`

## In a browser

\`\`\`ts
import { NoAdapterError } from "netc/runtime";
import { createDigits } from "./digits.js";

try {
  const net = await createDigits({ batch: 1 });
  await net.load(await (await fetch("best.safetensors")).arrayBuffer());
  console.log(await net.predict(new Float32Array(64)));
} catch (error) {
  if (error instanceof NoAdapterError) console.log("no WebGPU here:", error.message);
}
\`\`\`

[Browser](../../deploy/browser.md) has a complete page, [Web worker](../../deploy/worker.md) a
worker.
`;

/** The pages of the API by path. @param root the repository */
export async function apiPages(root: string): Promise<Readonly<Record<string, string>>> {
  const symbols = exportsOf(join(root, "runtime/index.ts"), root);
  const placed = new Set(PAGES.flatMap(({ names }) => names));
  const rest = [...symbols.keys()].filter((name) => !placed.has(name)).sort();
  const all = [...PAGES, { ...TOOLS, names: rest }];
  const rows = all.map(({ file, title }) => `| [${title}](${file}.md) | \`netc/runtime\` |`);
  const texts: [string, string][] = [
    ["README", MODULE.replace("PAGES", rows.join("\n"))],
    ...all.flatMap((each) => apiPage(each, symbols)),
  ];
  const pages = texts.map(async ([file, text]): Promise<[string, string]> => {
    return [`docs/reference/api/${file}.md`, await formatted(page(NOTICE, text))];
  });
  return Object.fromEntries(await Promise.all(pages));
}

type Exports = ReadonlyMap<string, Exported>;

interface Exported {
  readonly symbol: ts.Symbol;
  readonly checker: ts.TypeChecker;
}

/** Everything that a file exports, by name. */
function exportsOf(entry: string, root: string): Exports {
  const file = join(root, "tsconfig.json");
  const read = ts.readConfigFile(file, (path) => ts.sys.readFile(path));
  const config: unknown = read.config;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const program = ts.createProgram([entry], { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(entry)!;
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(source)!);
  return new Map(
    exported.map((symbol) => {
      const isAlias = symbol.flags & ts.SymbolFlags.Alias;
      return [
        symbol.name,
        { symbol: isAlias ? checker.getAliasedSymbol(symbol) : symbol, checker },
      ];
    }),
  );
}

function apiPage(
  { file, title, introduction, names }: ApiPage,
  symbols: Exports,
): readonly [string, string][] {
  const sections = names.map((name) => {
    const exported = symbols.get(name);
    if (!exported) throw new Error(`netc/runtime has no export ${name}`);
    return section(name, exported);
  });
  return [[file, page(`# ${title}`, introduction, ...sections)]];
}

const documentation = (symbol: ts.Symbol, checker: ts.TypeChecker): string =>
  ts.displayPartsToString(symbol.getDocumentationComment(checker)).replace(/\s*\n\s*/g, " ");

function section(name: string, { symbol, checker }: Exported): string {
  const declaration = symbol.declarations![0]!;
  const about = documentation(symbol, checker);
  if (ts.isFunctionDeclaration(declaration)) {
    return page(`## ${name}`, about, signature(headOf(declaration)));
  }
  if (ts.isClassDeclaration(declaration) || ts.isInterfaceDeclaration(declaration)) {
    const heading = ts.isClassDeclaration(declaration) ? "member" : "property";
    return page(`## ${name}`, about, members({ declaration, symbol, checker, heading }));
  }
  return page(`## ${name}`, about, signature(declaration.getText()));
}

/** A function without its body. */
function headOf(declaration: ts.FunctionDeclaration): string {
  const text = declaration.getText();
  const { body } = declaration;
  return body ? text.slice(0, body.getStart() - declaration.getStart()) : text;
}

/** A declaration without its comments, as a block of code. */
function signature(text: string): string {
  const own = text.replace(/\/\*\*[^]*?\*\/\s*/g, "").replace(/^export (declare )?/, "");
  return ["```", own.trim(), "```"].join("\n");
}

interface Members extends Exported {
  readonly declaration: ts.ClassDeclaration | ts.InterfaceDeclaration;
  readonly heading: string;
}

function members({ declaration, symbol, checker, heading }: Members): string {
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  const rows = checker
    .getPropertiesOfType(type)
    .filter((member) => isOwn(member, declaration) && isPublic(member))
    .map((member) => [code(nameOf(member)), code(typeOf(member)), documentation(member, checker)]);
  return table([heading, "type", "meaning"], rows);
}

/** Whether a member is declared in a class or interface, or in the constructor of the class. */
function isOwn(member: ts.Symbol, declaration: ts.Node): boolean {
  const parent = member.declarations?.[0]?.parent;
  return parent === declaration || parent?.parent === declaration;
}

function isPublic(member: ts.Symbol): boolean {
  const declaration: ts.Declaration | undefined = member.declarations?.[0];
  if (declaration === undefined) return false;
  const name: ts.DeclarationName | undefined = ts.getNameOfDeclaration(declaration);
  if (name !== undefined && ts.isPrivateIdentifier(name)) return false;
  return !(ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Private);
}

function nameOf(member: ts.Symbol): string {
  return member.flags & ts.SymbolFlags.Optional ? `${member.name}?` : member.name;
}

/** A member's type as it is written. */
function typeOf(member: ts.Symbol): string {
  const declaration = member.declarations![0]!;
  if (ts.isMethodDeclaration(declaration) || ts.isMethodSignature(declaration)) {
    const parameters = declaration.parameters.map((each) => each.getText()).join(", ");
    return oneLine(`(${parameters}) => ${declaration.type?.getText() ?? "void"}`);
  }
  if (ts.isParameter(declaration) || ts.isGetAccessor(declaration)) {
    return oneLine(declaration.type?.getText() ?? "");
  }
  const { type } = declaration as ts.PropertyDeclaration | ts.PropertySignature;
  return oneLine(type?.getText() ?? "string");
}

const oneLine = (text: string) => text.replace(/\s+/g, " ").replace(/^\| /, "");
