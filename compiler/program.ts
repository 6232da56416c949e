import type { Program } from "../program/program.js";
import type { WeightAverage } from "../program/recipe.js";
import type { Graph } from "./ir/graph.js";
import { lowerProgram, type LoweringOptions } from "./lower/program.js";
import { stepGraphs, type GraphOptions } from "./passes/step-graphs.js";
import { planProgram, type ProgramPlanOptions } from "./plan/program.js";
import type { WriteOptions } from "./write/program-writer.js";
import { writeProgram, type WrittenProgram } from "./write/program.js";

/** What each stage is told; the options of several stages have the same meaning in all of them. */
export type ProgramOptions = GraphOptions & ProgramPlanOptions & LoweringOptions & WriteOptions;

/** A program with what it came from: for tools that measure it and check it. */
export interface CompiledProgram extends WrittenProgram {
  /** Of a program that keeps averages of its parameters. */
  readonly average?: WeightAverage;
}

/**
 * A forward graph as a program: the graphs of its step lists, each with all choices made in a plan,
 * which is lowered to dispatches and laid into shared memory.
 */
export function compileGraph(forward: Graph, options: ProgramOptions): CompiledProgram {
  const graphs = stepGraphs(forward, options);
  const plan = planProgram(forward, graphs, options);
  const lowered = lowerProgram(plan, options);
  const { average } = options;
  return { ...writeProgram(plan, lowered, options), average };
}

/** The same, without what it came from. */
export const makeProgram = (forward: Graph, options: ProgramOptions): Program =>
  compileGraph(forward, options).program;
