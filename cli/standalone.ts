/**
 * Makes a generated module standalone: the browser runtime's bundle takes the place of the import.
 */
import type { Program } from "../program/program.js";
import { wrongInput } from "./failure.js";

/** What a standalone module exports of the runtime in addition to its own. */
export const ERRORS = [
  "BatchTooLargeError",
  "DataError",
  "DeviceLimitError",
  "DeviceLostError",
  "InputError",
  "NetcError",
  "NoAdapterError",
  "WeightsError",
] as const;

/** The same, of one that only predicts. */
export const PREDICTION = ERRORS.filter((name) => name !== "DataError");

/** The same, of one whose spec has a recipe. */
export const TRAINING = [...ERRORS, "DivergedError", "RunFailedError", "fit"] as const;

/** Eval transforms that need no random numbers, and loops for bytes alone. */
const PLAIN = ["resize", "center_crop", "normalize"];

/**
 * The file of the runtime that a module which only predicts has inside: no larger than its pictures
 * need (scripts/build.mjs says what each leaves out).
 */
export function predictionRuntime(
  { preparations }: Pick<Program, "preparations">,
  { standardizes = false } = {},
): string {
  if (standardizes) return "standalone-prediction-standardize.js";
  if (!preparations?.eval) return "standalone-prediction-arrays.js";
  const { transforms, first } = preparations.eval;
  const isPlain = transforms.every(
    (transform, index) =>
      PLAIN.includes(transform.kind) &&
      !("mode" in transform) &&
      (transform.kind !== "normalize" || index >= first),
  );
  return `standalone-prediction${isPlain ? "" : "-any"}.js`;
}

const RUNTIME_IMPORT =
  /^import\s*\{([^}]*)\}\s*from\s*"netc\/(?:runtime(?:\/predict)?|[a-z]+)";[ \t]*\n?/gm;
const BUNDLE_EXPORT = /export\s*\{([^}]*)\}\s*;?\s*(?:\/\/.*\s*)?$/;

/**
 * Returns the module without imports. `bundle` is an ES module that ends in one `export { ... }`
 * clause; it becomes a separate function, so that its names and the module's cannot clash. The
 * module exports what it does not import of it.
 */
export function inlineRuntime(module: string, bundle: string): string {
  const clause = BUNDLE_EXPORT.exec(bundle);
  if (!clause) throw new Error("the runtime's bundle does not end in an export clause");
  const body = bundle.slice(0, clause.index).trimEnd();
  const runtime = [
    "// The runtime that this module needs, inlined.",
    "const netcRuntime = (() => {",
    body,
    `return { ${exportedProperties(clause[1]!)} };`,
    "})();",
    "",
  ].join("\n");
  const header = /^(?:(?:\/\/[^\n]*|\/\*[\s\S]*?\*\/)?\s*\n)*/.exec(module)?.[0] ?? "";
  const used = new Set<string>();
  const rest = module.slice(header.length).replace(RUNTIME_IMPORT, (_, clause: string) => {
    for (const [imported] of names(clause)) used.add(imported);
    return `const { ${importedNames(clause)} } = netcRuntime;\n`;
  });
  if (/^import\s/m.test(rest)) {
    throw wrongInput("the module imports more than the runtime and cannot be made standalone");
  }
  const others = names(clause[1]!).flatMap(([, exported]) =>
    used.has(exported) ? [] : [exported],
  );
  return `${header}${runtime}${rest}${exportOf(others)}`;
}

/** Exports properties of the runtime under names that clash with none of the module's. */
function exportOf(properties: readonly string[]): string {
  if (properties.length === 0) return "";
  const bound = properties.map((name, index) => [name, `netcExport${index}`]);
  const values = bound.map(([name, local]) => `${name}: ${local}`).join(", ");
  const exported = bound.map(([name, local]) => `${local} as ${name}`).join(", ");
  return `\nconst { ${values} } = netcRuntime;\nexport { ${exported} };\n`;
}

/** The declarations of a module, with those of what it exports of the runtime. */
export function declareRuntime(declarations: string, exported: readonly string[]): string {
  const entry = exported === PREDICTION ? "netc/runtime/predict" : "netc/runtime";
  return `${declarations}\nexport { ${exported.join(", ")} } from "${entry}";\n`;
}

/** `a as createNetwork, b` as properties: `createNetwork: a, b`. */
function exportedProperties(clause: string): string {
  return names(clause)
    .map(([local, exported]) => (local === exported ? local : `${exported}: ${local}`))
    .join(", ");
}

/** `createNetwork as create, b` as a destructuring pattern: `createNetwork: create, b`. */
function importedNames(clause: string): string {
  return names(clause)
    .map(([imported, local]) => (imported === local ? local : `${imported}: ${local}`))
    .join(", ");
}

function names(clause: string): [left: string, right: string][] {
  return clause
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => {
      const [left, right] = part.split(/\s+as\s+/);
      return [left!, right ?? left!];
    });
}
