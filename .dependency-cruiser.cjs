/**
 * The rooms of the house and the arrows between them. A folder may import itself and what its row
 * names, types included. What passes from compiler to runtime is plain data, defined in program/,
 * which both may import.
 */

/**
 * Room -> what it may import in addition to itself: rooms, packages as `npm:NAME`, and modules of
 * Node as `node:NAME`. The longest folder that matches a file is its room.
 */
const ROOMS = {
  program: [],
  grammar: ["npm:chevrotain", "npm:@chevrotain"],
  "compiler/diagnostics": ["grammar", "program"],
  "compiler/ir": ["grammar", "program"],
  "compiler/ops": ["compiler/ir", "program"],
  "compiler/calls": ["grammar", "compiler/diagnostics", "compiler/ir", "program"],
  "compiler/layers": [
    "compiler/calls",
    "compiler/diagnostics",
    "compiler/ir",
    "grammar",
    "program",
  ],
  "compiler/network": [
    ...["compiler/layers", "compiler/calls", "compiler/ir", "compiler/ops", "program"],
  ],
  "compiler/semantics": [
    ...[
      "compiler/network",
      "compiler/layers",
      "compiler/calls",
      "compiler/diagnostics",
      "compiler/ir",
    ],
    ...["grammar", "program"],
  ],
  "compiler/reference": [
    "compiler/semantics",
    "compiler/layers",
    "compiler/calls",
    "compiler/diagnostics",
  ],
  "compiler/layout": ["compiler/ir", "program"],
  "compiler/passes": ["compiler/ir", "compiler/ops", "compiler/layout", "program"],
  "compiler/schedules": ["program"],
  "compiler/kernels": ["compiler/ir", "compiler/schedules", "program"],
  "compiler/plan": ["compiler/layout", "compiler/schedules", "compiler/ir", "program"],
  "compiler/lower": [
    ...["compiler/plan", "compiler/layout", "compiler/kernels", "compiler/schedules"],
    ...["compiler/ir", "program"],
  ],
  "compiler/write": [
    ...["compiler/plan", "compiler/lower", "compiler/kernels", "compiler/ir", "program"],
  ],
  "compiler/emit": ["program"],
  compiler: ["grammar", "program"],
  runtime: ["program"],
  workbench: ["compiler", "runtime", "program"],
  "workbench/page": ["workbench", "compiler", "runtime", "program", "report/page"],
  "interchange/zip": ["program", "npm:fflate"],
  "interchange/pytorch": ["interchange/zip", "runtime", "program"],
  "interchange/weights": ["runtime", "program"],
  starter: ["runtime", "program", "format", "npm:sharp", "node:(fs/promises|path|crypto)"],
  format: ["grammar", "npm:prettier"],
  interchange: ["compiler", "format", "program", "npm:(@bufbuild|jsfive)"],
  picture: ["compiler", "program", "npm:elkjs"],
  editor: ["compiler", "grammar", "format", "program", "npm:vscode-[^/]*"],
  report: ["runtime", "program", "npm:uplot"],
};

function pathOf(name) {
  const [kind, rest] = name.split(":");
  if (rest === undefined) return `${name}/`;
  return kind === "npm" ? `node_modules/${rest}/` : `${rest}$`;
}

/** A rule: modules under `from` must not reach modules that match `to`. */
const forbid = (name, comment, from, to) => ({
  name,
  comment,
  severity: "error",
  from: typeof from === "string" ? { path: from } : from,
  to: typeof to === "string" ? { path: to } : to,
});

/** Separate rooms within a room. */
const innerRooms = (room) => Object.keys(ROOMS).filter((name) => name.startsWith(`${room}/`));

/** Those under which Node's modules and native packages may be used: the rules below say where. */
const NODE_ROOMS = { runtime: "^runtime/", editor: "^editor/node/" };

function ruleOf([room, imports]) {
  const allowed = `^(${[`${room}/`, ...imports.map(pathOf)].join("|")})`;
  const elsewhere = innerRooms(room).map((inner) => `^${inner}/`);
  const free = NODE_ROOMS[room] ? [NODE_ROOMS[room]] : [];
  return forbid(
    `${room.replaceAll("/", "-")}-imports`,
    `${room}/ imports only what its row in ROOMS names.`,
    { path: `^${room}/`, pathNot: [...elsewhere, ...free] },
    { pathNot: allowed },
  );
}

/** The outermost folder, and within compiler/ the next one. */
const ROOM_OF_A_FILE = "^(compiler/[^/]+|[^/]+)/";

module.exports = {
  forbidden: [
    ...Object.entries(ROOMS).map(ruleOf),
    forbid(
      "runtime-does-not-compile",
      "The runtime runs Programs, wherever they came from.",
      "^runtime/",
      "^(compiler|grammar|picture|format|editor|report|interchange|workbench|cli)/",
    ),
    forbid(
      "browser-runtime-reaches-no-node-module",
      "A generated module needs nothing in a browser but navigator.gpu.",
      { path: "^runtime/browser\\.ts$" },
      {
        reachable: true,
        path: ["^runtime/node/", "^node:", "^node_modules/"],
        // Types alone, of navigator.gpu: the built code does not import it.
        pathNot: "^node_modules/@webgpu/types/",
      },
    ),
    forbid(
      "node-code-is-in-runtime-node",
      "Whatever needs Node's modules or native packages lives " +
        "in runtime/node, so the rest runs in browsers.",
      { path: "^runtime/", pathNot: "^runtime/node/" },
      { dependencyTypes: ["core", "npm", "npm-optional"], pathNot: "^node_modules/@webgpu/types/" },
    ),
    forbid(
      "no-room-imports-the-cli",
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
    forbid(
      "no-cycles-between-rooms",
      "Rooms lie in layers, types included.",
      { path: ROOM_OF_A_FILE },
      { circular: true, via: { pathNot: "^$1/" } },
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
