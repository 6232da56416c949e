import type { Command } from "commander";
import { checkCommand } from "./check.js";
import { compileCommand } from "./compile.js";
import { doctorCommand } from "./doctor.js";
import { evalCommand } from "./eval.js";
import { explainCommand } from "./explain.js";
import { fmtCommand } from "./fmt.js";
import { graphCommand } from "./graph.js";
import { lspCommand } from "./lsp.js";
import { predictCommand } from "./predict.js";
import { summaryCommand } from "./summary.js";
import { timeCommand } from "./time.js";
import { trainCommand } from "./train.js";
import { tuneCommand } from "./tune.js";
import { verifyCommand } from "./verify.js";

/** The commands in the order in which `netc --help` lists them. */
export const commands: readonly (() => Command)[] = [
  compileCommand,
  checkCommand,
  fmtCommand,
  explainCommand,
  summaryCommand,
  graphCommand,
  trainCommand,
  evalCommand,
  predictCommand,
  timeCommand,
  verifyCommand,
  tuneCommand,
  doctorCommand,
  lspCommand,
];
