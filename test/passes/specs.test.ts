import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compile } from "../../compiler/index.js";
import type { Graph } from "../../compiler/ir/graph.js";
import { verify } from "../../compiler/ir/verify.js";
import { differentiate } from "../../compiler/passes/differentiate.js";
import { fuse } from "../../compiler/passes/fuse.js";
import { forInference, forPrediction } from "../../compiler/passes/inference.js";
import { simplify, simplifyTraining } from "../../compiler/passes/simplify.js";
import { summarize } from "../../compiler/passes/summarize.js";
import { analyze } from "../../compiler/semantics/index.js";
import type { Program, ProgramStep } from "../../program/program.js";

const folder = join(import.meta.dirname, "../../specs");
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".net"))
  .map((file) => file.replace(/\.net$/, ""));

const textOf = (name: string) => readFileSync(join(folder, `${name}.net`), "utf8");

function forwardGraph(name: string): Graph {
  const graph = analyze(textOf(name), `${name}.net`).selected?.model.graph;
  if (!graph) throw new Error(`${name} has no graph`);
  return graph;
}

/** WebGPU's default limits. */
const BINDING = 128 * 1024 * 1024;
const STORAGE_BUFFERS = 8;

describe.each(names)("%s", (name) => {
  test("is a sound graph after every pass", () => {
    const check = (graph: Graph) => {
      verify(graph);
      return graph;
    };
    const plain = check(simplify(check(forwardGraph(name))));
    const inference = check(simplify(check(forInference(plain))));
    check(fuse(check(summarize(inference))));
    check(fuse(check(forPrediction(inference))));
    check(fuse(check(simplifyTraining(check(differentiate(plain))))));
  });

  test("is within the default limits at batch 1, and never reads what it writes", () => {
    for (const program of compile(textOf(name), { file: `${name}.net` }).programs) {
      for (const { bytes } of program.buffers) {
        expect(bytes.fixed + bytes.perImage).toBeLessThanOrEqual(BINDING);
      }
      for (const step of allSteps(program)) checkBindings(program, step);
    }
  });
});

const allSteps = ({ steps }: Program) => Object.values(steps).flat();

/** A dispatch may bind a buffer once at most if it writes it: WebGPU rejects aliased writable bindings. */
function checkBindings(program: Program, step: ProgramStep): void {
  const { bindings } = program.kernels[step.kernel]!;
  expect(step.buffers).toHaveLength(bindings.length);
  expect(bindings.length).toBeLessThanOrEqual(STORAGE_BUFFERS);
  const written = step.buffers.filter((_, index) => bindings[index] === "read_write");
  for (const buffer of written) {
    expect(
      step.buffers.filter((other) => other === buffer),
      step.label,
    ).toHaveLength(1);
  }
}
