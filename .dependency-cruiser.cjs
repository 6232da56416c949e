// The arrows between the parts: grammar <- compiler <- cli and runtime <- cli. What passes from compiler to runtime is
// plain data, defined in program/, which both may import.

/** A rule: modules under `from` must not reach modules that match `to`. */
const forbid = (name, comment, from, to) => ({
  name,
  comment,
  severity: "error",
  from: typeof from === "string" ? { path: from } : from,
  to: typeof to === "string" ? { path: to } : to,
});

module.exports = {
  forbidden: [
    forbid(
      "program-imports-nothing",
      "Program is plain data that both sides read: it depends on neither, nor on packages.",
      "^program/",
      { pathNot: "^program/" },
    ),
    forbid(
      "grammar-stands-alone",
      "The parser knows no layers, no compiler and no machine: only Chevrotain.",
      "^grammar/",
      { pathNot: "^(grammar/|node_modules/(chevrotain|@chevrotain)/)" },
    ),
    forbid(
      "compiler-stays-pure",
      "The compiler runs in a browser unchanged: it imports grammar and program, no package and no Node module.",
      "^compiler/",
      { pathNot: "^(compiler|grammar|program)/" },
    ),
    forbid(
      "pictures-are-pure",
      "Pictures are drawn from what the compiler knows, in browsers too: a layout library, no Node module.",
      "^picture/",
      { pathNot: "^(picture|compiler|program|node_modules/elkjs)/" },
    ),
    forbid(
      "the-formatter-knows-the-grammar-only",
      "Layout is a matter of the text: prettier's documents over the grammar's tree.",
      "^format/",
      { pathNot: "^(format|grammar|node_modules/prettier)/" },
    ),
    forbid(
      "editors-are-served-by-the-compiler",
      "The language server shows what the compiler knows; what needs Node stands in editor/node.",
      { path: "^editor/", pathNot: "^editor/node/" },
      { pathNot: "^(editor|compiler|grammar|format|program|node_modules/vscode-.*)/" },
    ),
    forbid(
      "reports-are-data-and-a-page",
      "A report is drawn by a browser from plain data: no Node module, no compiler.",
      "^report/",
      { pathNot: "^(report|runtime|program|node_modules/uplot)/" },
    ),
    forbid(
      "runtime-does-not-compile",
      "The runtime runs Programs, wherever they came from.",
      "^runtime/",
      "^(compiler|grammar|picture|format|editor|report|cli)/",
    ),
    forbid(
      "browser-runtime-reaches-no-node-module",
      "A generated module needs nothing in a browser but navigator.gpu.",
      { path: "^runtime/browser\\.ts$" },
      { reachable: true, path: ["^runtime/node/", "^node:", "^node_modules/"] },
    ),
    forbid(
      "node-code-stands-in-runtime-node",
      "Whatever needs Node's modules or native packages lives in runtime/node, so the rest runs in browsers.",
      { path: "^runtime/", pathNot: "^runtime/node/" },
      { dependencyTypes: ["core", "npm"] },
    ),
    forbid(
      "nobody-imports-the-cli",
      "The command line is thin and on top.",
      { pathNot: "^(cli|test)/" },
      "^cli/",
    ),
    forbid(
      "no-cycles",
      "A cycle means that two files are one idea. Types may refer to each other.",
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    ),
    forbid("everything-resolves", "An import that leads nowhere.", {}, { couldNotResolve: true }),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    // A checkout may share its packages with another one by a link.
    preserveSymlinks: true,
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "default"],
      mainFields: ["module", "main", "types"],
    },
  },
};
