/**
 * Makes a generated module standalone: the browser runtime's bundle takes the place of the import.
 */
import { wrongInput } from "./failure.js";

const RUNTIME_IMPORT = /^import\s*\{([^}]*)\}\s*from\s*"netc\/runtime";[ \t]*\n?/gm;
const BUNDLE_EXPORT = /export\s*\{([^}]*)\}\s*;?\s*(?:\/\/.*\s*)?$/;

/**
 * Returns the module without imports. `bundle` is an ES module that ends in one `export { ... }`
 * clause; it becomes a separate function, so that its names and the module's cannot clash.
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
  const rest = module.slice(header.length).replace(RUNTIME_IMPORT, (_, names: string) => {
    return `const { ${importedNames(names)} } = netcRuntime;\n`;
  });
  if (/^import\s/m.test(rest)) {
    throw wrongInput("the module imports more than the runtime and cannot be made standalone");
  }
  return `${header}${runtime}${rest}`;
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
