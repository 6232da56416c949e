import type { Command } from "commander";

/**
 * The commands in the order in which `netc --help` lists them. Each is loaded when it is needed:
 * all of them take a while.
 */
export const commands: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => (await import("./init.js")).initCommand(),
  compile: async () => (await import("./compile.js")).compileCommand(),
  check: async () => (await import("./check.js")).checkCommand(),
  fmt: async () => (await import("./fmt.js")).fmtCommand(),
  explain: async () => (await import("./explain.js")).explainCommand(),
  summary: async () => (await import("./summary.js")).summaryCommand(),
  graph: async () => (await import("./graph.js")).graphCommand(),
  train: async () => (await import("./train.js")).trainCommand(),
  eval: async () => (await import("./eval.js")).evalCommand(),
  predict: async () => (await import("./predict.js")).predictCommand(),
  compare: async () => (await import("./compare.js")).compareCommand(),
  show: async () => (await import("./show.js")).showCommand(),
  weights: async () => (await import("./weights.js")).weightsCommand(),
  time: async () => (await import("./time.js")).timeCommand(),
  verify: async () => (await import("./verify.js")).verifyCommand(),
  tune: async () => (await import("./tune.js")).tuneCommand(),
  import: async () => (await import("./import.js")).importCommand(),
  export: async () => (await import("./export.js")).exportCommand(),
  doctor: async () => (await import("./doctor.js")).doctorCommand(),
  lsp: async () => (await import("./lsp.js")).lspCommand(),
};
