/** Which of netc's networks a file has weights of, for `netc init --weights`. */
import { fileShapeOf } from "../compiler/ir/graph.js";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "../compiler/network/build.js";
import { analyze } from "../compiler/semantics/index.js";
import { parse, type DataSplit, type ModelDeclaration, type Span } from "../grammar/index.js";
import { matchTensors } from "../interchange/weights/match.js";
import type { Shaped } from "../interchange/weights/modules.js";
import { readTextSync } from "../runtime/node/read-file.js";
import type { PretrainedNetwork } from "../starter/index.js";
import { wrongInput } from "./failure.js";
import { FileSource } from "./file-source.js";
import { explained } from "./foreign-weights.js";
import { packageFile } from "./package.js";
import { describedTensors } from "./weights-host.js";

/** A spec of the package, and the parts of its text. */
interface KnownSpec {
  readonly name: string;
  readonly text: string;
  readonly model: ModelDeclaration;
  /** Where its first data declaration begins: before it are constants, blocks and the model. */
  readonly end: number;
  readonly splits: readonly DataSplit[];
}

/**
 * The network that the weights in a file are of, for a number of classes. Throws a user's error
 * where netc does not have it, or the file does not hold weights.
 */
export async function findPretrained(path: string, classes: number): Promise<PretrainedNetwork> {
  const { file, isOrdered } = await explained(path, () => describe(path));
  const specs = await knownSpecs();
  const isNamed = ({ name }: KnownSpec) => basename(path).toLowerCase().includes(name);
  // Each spec that is tried takes a tenth of a second: the likely one first.
  const ordered = specs.toSorted((a, b) => Number(isNamed(b)) - Number(isNamed(a)));
  let best: { readonly network: PretrainedNetwork; readonly left: number } | undefined;
  for (const spec of ordered) {
    const network = networkOf(spec, classes);
    const { own, headTensors: except } = network;
    const { unmatched, left } = matchTensors({ own, file, isOrdered, except });
    if (unmatched.length > 0 || (best && best.left <= left.length)) continue;
    best = { network, left: left.length };
    if (best.left === 0) break;
  }
  if (best) return best.network;
  const names = specs.map(({ name }) => name).join(", ");
  throw wrongInput(
    `${path} has weights of none of the networks that netc init knows: ${names}`,
    "for another network, write a spec with `weights = load(...)` (docs/guides/fine-tuning.md), " +
      "or import it with `netc import`",
  );
}

function describe(path: string) {
  try {
    return FileSource.use(path, describedTensors);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code === "ENOENT"
      ? wrongInput(`there is no file ${path}`)
      : wrongInput(`${path}: ${message}`);
  }
}

/** Those of networks for ImageNet, for which weights are published. */
async function knownSpecs(): Promise<readonly KnownSpec[]> {
  const folder = fileURLToPath(packageFile("specs"));
  const names = (await readdir(folder)).filter((name) => name.endsWith(".net")).sort();
  const specs = names.map((name) => readKnown(name, readTextSync(join(folder, name))));
  return specs.filter((spec) => spec !== undefined);
}

const KNOWN_FOR = /data\/imagenet\//;

function readKnown(file: string, text: string): KnownSpec | undefined {
  const { spec } = parse(text, file);
  const models = spec.declarations.filter((each) => each.kind === "model");
  const data = spec.declarations.find((each) => each.kind === "data");
  const [model, ...others] = models;
  if (!model || !data || others.length > 0 || !KNOWN_FOR.test(text)) return undefined;
  const name = basename(file, ".net");
  return { name, text, model, end: data.span.start.offset, splits: data.splits };
}

function networkOf(spec: KnownSpec, classes: number) {
  const [text, other] = [classes, classes + 1].map((count) => textFor(spec, count)) as [
    string,
    string,
  ];
  const { own, multiplyAdds } = tensorsIn(text, spec.name);
  const wider = new Map(tensorsIn(other, spec.name).own.map(({ name, shape }) => [name, shape]));
  const head = own
    .filter(({ name, shape }) => String(wider.get(name)) !== String(shape))
    .map(({ name }) => name);
  const transforms = (name: string) => transformsIn(spec, name);
  return {
    own,
    headTensors: new Set(head),
    name: spec.name,
    model: spec.model.name.name,
    text,
    head: layersOf(head),
    frozen: prefixesBesides(own, head),
    multiplyAdds,
    train: transforms("train"),
    evaluation: transforms("eval"),
  };
}

const transformsIn = ({ text, splits }: KnownSpec, name: string) =>
  (splits.find((split) => split.name.name === name)?.transforms ?? []).map(({ span }) =>
    textOf(text, span),
  );

const textOf = (text: string, { start, end }: Span) => text.slice(start.offset, end.offset);

/** Constants, blocks and the model, for that many classes. */
function textFor({ text, model, end }: KnownSpec, classes: number): string {
  const parameter = model.parameters.find(({ name }) => name.name === "classes");
  const metrics = model.members.filter(
    (member) => member.kind === "metric" && isBeyond(textOf(text, member.span), classes),
  );
  const edits = [
    ...(parameter?.defaultValue ? [{ span: parameter.defaultValue.span, by: `${classes}` }] : []),
    ...metrics.map(({ span }) => ({ span, by: "" })),
  ].sort((a, b) => b.span.start.offset - a.span.start.offset);
  let changed = text.slice(0, end);
  for (const { span, by } of edits)
    changed = changed.slice(0, span.start.offset) + by + changed.slice(span.end.offset);
  return changed.trimEnd();
}

/** Of the k largest logits, there must be more. */
function isBeyond(metric: string, classes: number): boolean {
  const k = /\bk=(\d+)/.exec(metric);
  return k !== null && Number(k[1]) >= classes;
}

function tensorsIn(text: string, name: string) {
  const { selected } = analyze(text, `${name}.net`);
  const { model } = selected!;
  const own: readonly Shaped[] = build(model.network!).parameters.map((parameter) => {
    return { name: parameter.value.name, shape: fileShapeOf(parameter) };
  });
  return { own, multiplyAdds: model.layers.reduce((sum, { macs }) => sum + macs, 0) };
}

/** `logits` of `logits.weight` and `logits.bias`. */
const layersOf = (tensors: readonly string[]) => [
  ...new Set(tensors.map((name) => name.slice(0, name.lastIndexOf(".")))),
];

/** The shortest names that cover all tensors but those of the head. */
function prefixesBesides(own: readonly Shaped[], head: readonly string[]): readonly string[] {
  const isOfHead = (prefix: string) =>
    head.some((name) => name === prefix || name.startsWith(`${prefix}.`));
  const prefixes = own.flatMap(({ name }) => {
    if (head.includes(name)) return [];
    const parts = name.split(".");
    const lengths = parts.map((_, at) => parts.slice(0, at + 1).join("."));
    return [lengths.find((prefix) => !isOfHead(prefix))!];
  });
  return [...new Set(prefixes)];
}

const WEIGHTS = /\.(pth|pt|safetensors)$/i;

/** Files in a folder that may hold pretrained weights. */
export async function weightsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => WEIGHTS.test(name)).map((name) => join(folder, name));
}
