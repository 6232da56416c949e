/**
 * The shipped specs and the ways to train them: every net is compiled as each of these variants.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { compile, Compilation, CompileOptions } from "../../compiler/index.js";
import type { Program } from "../../program/program.js";
import { trainingBytes } from "../../program/planned-memory.js";

const folder = join(import.meta.dirname, "../../specs");

/** Names of the shipped specs, without `.net`. */
export const SPECS = readdirSync(folder)
  .filter((file) => file.endsWith(".net"))
  .map((file) => file.replace(/\.net$/, ""))
  .sort();

export const specText = (name: string) => readFileSync(join(folder, `${name}.net`), "utf8");

/** What a variant adds to a recipe of plain SGD, and to the options. */
interface Change {
  readonly settings?: readonly string[];
  readonly mixes?: boolean;
  readonly options?: Pick<CompileOptions, "keepGradients">;
  /** What the values of a step may take, as a share of what they take without a budget. */
  readonly memory?: number;
}

const CHANGES = {
  f16: { settings: ["precision = f16"] },
  clip: { settings: ["clip_norm = 1"] },
  adamw: { settings: ["optimizer = adamw(lr=0.001)"] },
  average: { settings: ["average = ema(0.999)"] },
  mixup: { mixes: true },
  phases: { settings: ["freeze = [*.weight]", "unfreeze = after(1 epochs, [*.weight])"] },
  memory: { memory: 0.8 },
  keepGradients: { options: { keepGradients: true } },
} as const satisfies Record<string, Change>;

/** The spec as it is (`f32`), and its variants. */
export type Variant = "f32" | keyof typeof CHANGES;

export const VARIANTS = Object.keys(CHANGES) as readonly Exclude<Variant, "f32">[];

const BATCH = 32;

/** Specs that compile in a fraction of a second: the tests compare all variants of them. */
const QUICK = new Set([
  ...["all-cnn", "alexnet", "cifar10-quick", "cifar10-transfer", "cifar10-vgg"],
  ...["digits", "lenet", "nin", "resnet18"],
]);

/** The variants of a spec that the tests compare. */
export const comparedVariants = (spec: string): readonly Variant[] =>
  QUICK.has(spec) ? ["f32", ...VARIANTS] : ["f32"];

/**
 * Compiles a spec as it is for all adapters, a variant of it for GPUs alone. Throws if there are
 * errors.
 */
export function compileVariant(
  compiler: typeof compile,
  spec: string,
  variant: Variant,
  options: Partial<CompileOptions> = {},
): Compilation {
  const file = `${spec}.net`;
  if (variant === "f32") return withoutErrors(compiler(specText(spec), { ...options, file }));
  const change: Change = CHANGES[variant];
  const text = variantText(specText(spec), change);
  const common: CompileOptions = { ...options, ...change.options, file, target: "gpu" };
  const compiled = withoutErrors(compiler(text, common));
  if (change.memory === undefined) return compiled;
  const memory = { bytes: budget(compiled.program!, change.memory), batch: BATCH };
  return withoutErrors(compiler(text, { ...common, memory }));
}

/** Bytes that leave the values of a step the given share of what they take. */
function budget(program: Program, share: number): number {
  const kept = program.buffers
    .filter(({ purpose }) => purpose === "parameter" || purpose === "state")
    .reduce((sum, { bytes }) => sum + bytes.fixed, 0);
  const all = trainingBytes(program, { batch: BATCH, slices: 1 });
  return Math.round(kept + (all - kept) * share);
}

function withoutErrors(compiled: Compilation): Compilation {
  const { diagnostics, programs } = compiled;
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join("\n"));
  if (programs.length === 0) throw new Error("there is no program");
  return compiled;
}

/** The text with one recipe, for the model and the data of its first. */
function variantText(text: string, { settings = [], mixes = false }: Change): string {
  const [, model, data] = /^train \w+ of (\w+)(?: on (\w+))?/m.exec(text)!;
  const declarations = text.slice(0, text.search(/^train /m));
  const optimizer = settings.some((line) => line.startsWith("optimizer"))
    ? []
    : ["optimizer = sgd(lr=0.1, momentum=0.9, weight_decay=5e-4)"];
  const lines = ["epochs = 3", `batch = ${BATCH}`, ...optimizer, ...settings];
  const on = data ? ` on ${data}` : "";
  const recipe = `train Variant of ${model}${on} {\n${lines.join("\n")}\n}\n`;
  return (mixes ? withMixup(declarations) : declarations) + recipe;
}

/** Puts `mixup` last among the transforms of the first training split. */
function withMixup(text: string): string {
  return text.replace(
    /^(data [^]*?\btrain \w+\([^]*?\) \{)([^{}]*)\}/m,
    (_, start: string, transforms: string) => `${start}${transforms} -> mixup(0.2)\n}`,
  );
}
