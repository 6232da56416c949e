/**
 * `netc/verify`: the checks of `netc verify` in the browser that opens the page. Includes the
 * compiler, which knows what each kernel is to compute.
 */
import { compile, type CompileOptions } from "../../compiler/index.js";
import type { FittedProgram } from "../../compiler/budget.js";
import type { Program } from "../../program/program.js";
import { createNetwork } from "../../runtime/browser.js";
import type { AdapterSummary } from "../../runtime/device.js";
import { InputError } from "../../runtime/errors.js";
import { hasSameSteps } from "./same-steps.js";
import type { Divergence } from "./tally.js";
import { verifySpec, type RoundOptions, type RoundResult } from "./verify-spec.js";

export type { AdapterSummary } from "../../runtime/device.js";
export type { Deviation } from "./comparison.js";
export type { Divergence, VerifiedList } from "./tally.js";
export type { RoundResult } from "./verify-spec.js";

/** A spec as a page has it. */
export interface SpecSource {
  /** The text of the spec. */
  readonly spec: string;
  /** Its name, for messages and for finding what it imports; `spec.net` unless given. */
  readonly file?: string | undefined;
  /** Texts of the files that it imports, by their paths relative to it. */
  readonly imports?: Readonly<Record<string, string>> | undefined;
  /** What the module was compiled with: `model`, `train`, `memory`, `target`, `tuned`. */
  readonly settings?: Pick<CompileOptions, "model" | "train" | "memory" | "target" | "tuned">;
}

export interface VerifyOptions extends SpecSource, Pick<RoundOptions, "onChecked" | "onProgress"> {
  /** Images a step; 2 unless given. */
  readonly batch?: number | undefined;
  /** How often all checks run; 2 unless given, since engines were right in the first run only. */
  readonly rounds?: number | undefined;
}

export interface Verification {
  /** Whether every kernel and every call was right. */
  readonly ok: boolean;
  readonly adapter: AdapterSummary;
  readonly model: string;
  readonly batch: number;
  readonly rounds: number;
  /** Dispatches whose results were checked, and elements that were compared. */
  readonly kernels: number;
  readonly values: number;
  readonly seconds: number;
  /** All checks in order; those with a `deviation` are wrong. */
  readonly checks: readonly RoundResult[];
  /** The first that is wrong. */
  readonly first: Divergence | null;
}

/** What a compiled module exports. */
export interface VerifiableModule {
  readonly programs: readonly Program[];
}

const DEFAULT_BATCH = 2;
const DEFAULT_ROUNDS = 2;

/**
 * Runs every kernel of a module on this browser's GPU, compares the results with plain loops, and
 * whole calls with the same kernels one at a time. Checks what follows a wrong kernel, too. Throws
 * InputError where the module was compiled from another spec or with other settings, and what
 * `createNetwork` throws, such as NoAdapterError.
 */
export async function verifyInBrowser(
  module: VerifiableModule,
  options: VerifyOptions,
): Promise<Verification> {
  if (module.programs.some(({ predictOnly }) => predictOnly)) {
    throw new InputError(
      "the checks need a module compiled without `--predict-only`; " +
        "its kernels of `predict` are the same",
    );
  }
  return verifyPrograms(module.programs, options);
}

/** The same for the module that this compiler makes of the spec. */
export const verifySpecInBrowser = (options: VerifyOptions): Promise<Verification> =>
  verifyPrograms(
    compileSource(options, {}).map(({ program }) => program),
    options,
  );

async function verifyPrograms(
  programs: readonly Program[],
  options: VerifyOptions,
): Promise<Verification> {
  const { batch = DEFAULT_BATCH, rounds = DEFAULT_ROUNDS, onProgress } = options;
  const start = performance.now();
  const checks: RoundResult[] = [];
  const onChecked = (result: RoundResult) => {
    checks.push(result);
    options.onChecked?.(result);
  };
  const open = async ({ keepGradients }: { readonly keepGradients: boolean }) => {
    const compiled = compileSource(options, { keepGradients });
    const own = keepGradients ? compiled.map(({ program }) => program) : programs;
    const network = await createNetwork(own, { batch });
    try {
      return { network, written: writtenOf(network.program, compiled) };
    } catch (error) {
      network.destroy();
      throw error;
    }
  };
  const { adapter, model, tally } = await verifySpec(open, {
    rounds,
    continues: true,
    onChecked,
    onProgress,
  });
  const { kernels, values, divergence: first = null } = tally;
  const seconds = (performance.now() - start) / 1000;
  const ok = first === null;
  return { ok, adapter, model, batch, rounds, kernels, values, seconds, checks, first };
}

function compileSource(
  { spec, file = "spec.net", imports = {}, settings = {} }: SpecSource,
  { keepGradients = false }: { readonly keepGradients?: boolean },
): readonly FittedProgram[] {
  const texts = new Map(Object.entries(imports).map(([path, text]) => [addressOf(path), text]));
  const { compiled, diagnostics } = compile(spec, {
    ...settings,
    file,
    keepGradients,
    readImport: (path, importer) => {
      const found = addressOf(path, importer);
      const text = texts.get(found);
      return text === undefined ? undefined : { file: found, text };
    },
  });
  if (compiled.length > 0) return compiled;
  const { severity, code, message } = diagnostics.find((each) => each.severity === "error")!;
  throw new InputError(`${file} cannot be compiled: ${severity}[${code}]: ${message}`);
}

/** Deep enough for `../` in imports. */
const FOLDER = "file:///a/b/c/d/e/f/g/h/";

/** One text for each file, however it is named. */
const addressOf = (path: string, importer = ""): string =>
  new URL(path, new URL(importer, FOLDER)).href;

/** What the program of a module came from, whatever its kernels say. */
function writtenOf(program: Program, compiled: readonly FittedProgram[]): FittedProgram {
  const [first] = compiled;
  if (first?.program.source.hash !== program.source.hash) {
    throw new InputError(
      `the module was compiled from another text than this spec (${program.source.file}): ` +
        "compile it again, and give `imports` where the spec imports files",
    );
  }
  const found = compiled.find((candidate) => hasSameSteps(candidate.program, program));
  if (found) return found;
  throw new InputError(
    "the module was compiled from this spec with other settings or another version of netc: " +
      "give `settings`, or compile it again",
  );
}
