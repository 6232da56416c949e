import { describe, expect, test } from "vitest";
import { compile, type Compilation } from "../../compiler/index.js";
import { checkLimits } from "../../compiler/limits.js";
import { verify } from "../../compiler/ops/verify.js";
import { DEFAULT_LIMITS } from "../../program/limits.js";
import type { Program, ProgramStep } from "../../program/program.js";
import {
  describePrints,
  describeTexts,
  hashesOf,
  labeled,
  READ_SPECS,
  readPrint,
  readTexts,
  Texts,
  writePrint,
  writeTexts,
  type ProgramPrint,
  type SpecPrint,
} from "./golden.js";
import { comparedVariants, compileVariant, SPECS } from "./variants.js";

/** NETC_UPDATE_GOLDEN=1 writes the files again: read the difference before you commit it. */
const update = process.env["NETC_UPDATE_GOLDEN"] === "1";
const ADVICE = "If this is right: NETC_UPDATE_GOLDEN=1 npx vitest run test/emit/golden.test.ts";

const isFull = process.env["NETC_TEST_FULL"] === "1";

const texts = new Texts();

function printOf(programs: readonly Program[], keepsTexts: boolean): Record<string, ProgramPrint> {
  const entries = labeled(programs).map(([name, program]) => {
    const hashes = hashesOf(program);
    if (!keepsTexts) return [name, { hashes }] as const;
    const kernels = program.kernels.map((kernel) => texts.add(kernel.name, kernel.wgsl));
    return [name, { hashes, kernels }] as const;
  });
  return Object.fromEntries(entries);
}

/** Its dilated convolutions read 2,048 channels with 36 pixels of zeros around them. */
const OF_ONE_IMAGE = ["deeplabv3_resnet50"];

/** A few images fit into the default limits; weights may be sharded (NET4001). */
function expectDefaultLimits(spec: string, { compiled, programs }: Compilation): void {
  const images = OF_ONE_IMAGE.includes(spec) ? 1 : 2;
  const found = checkLimits(compiled, images, DEFAULT_LIMITS).filter(
    ({ code }) => code !== "NET4001",
  );
  expect(found.map(({ message }) => message)).toEqual([]);
  for (const program of programs) {
    for (const step of Object.values(program.steps).flat()) checkBindings(program, step);
  }
}

/**
 * A dispatch may bind a buffer only once if it writes it: WebGPU rejects aliased writable bindings.
 */
function checkBindings(program: Program, step: ProgramStep): void {
  const { bindings } = program.kernels[step.kernel]!;
  expect(step.buffers).toHaveLength(bindings.length);
  const written = step.buffers.filter((_, index) => bindings[index]!.access === "read_write");
  for (const buffer of written) {
    expect(
      step.buffers.filter((other) => other === buffer),
      step.label,
    ).toHaveLength(1);
  }
}

describe.each(SPECS)("%s", (spec) => {
  const committed = readPrint(spec);

  test.each(comparedVariants(spec))("%s is compiled to what it was", (variant) => {
    // What passes make of a variant differs little from what they make of the spec.
    const checks = variant === "f32" || isFull ? { afterPass: verify } : {};
    const compiled = compileVariant(compile, spec, variant, checks);
    const print = printOf(compiled.programs, variant === "f32" && READ_SPECS.includes(spec));
    if (update) writePrint(spec, { ...readPrint(spec), [variant]: print });
    const before = update ? readPrint(spec) : committed;
    const changes = describePrints({ [variant]: before[variant] ?? {} }, { [variant]: print });
    expect(changes, `${spec}: ${changes}\n${ADVICE}`).toBe("");
    if (variant === "f32") expectDefaultLimits(spec, compiled);
  });
});

test("the WGSL of representative specs is what it was", () => {
  const used = new Set(
    READ_SPECS.flatMap((spec) => Object.values(readPrint(spec)["f32"] ?? {})).flatMap(
      ({ kernels }) => kernels ?? [],
    ),
  );
  const files = new Map([...texts.files].filter(([name]) => used.has(name)));
  if (update) writeTexts(files);
  const changes = describeTexts(readTexts(), files);
  expect(changes, `${changes}\n${ADVICE}`).toBe("");
});

const textOf = (text: string) => new Map([["add.wgsl", text]]);

test("a change of a kernel is shown by its lines", () => {
  const before = textOf("fn main() {\n  let sum = a + b;\n  store(sum);\n}\n");
  const after = textOf(
    "fn main() {\n  let sum = b + a;\n  let twice = 2 * sum;\n  store(sum);\n}\n",
  );
  expect(describeTexts(before, before)).toBe("");
  expect(describeTexts(before, after)).toBe(
    [
      "add.wgsl: changed",
      "  line 2",
      "  -   let sum = a + b;",
      "  +   let sum = b + a;",
      "  +   let twice = 2 * sum;",
    ].join("\n"),
  );
  expect(describeTexts(new Map(), before)).toBe("add.wgsl: new");
  expect(describeTexts(before, new Map())).toBe("add.wgsl: gone");
});

describe("a change that the WGSL does not show", () => {
  const { program } = compileVariant(compile, "lenet", "f32", { target: "gpu" });
  const printed = (changed: Program): SpecPrint => ({
    f32: { gpu: { hashes: hashesOf(changed) } },
  });
  const changedTrain = (change: (step: ProgramStep) => Partial<ProgramStep>): Program => {
    const [first, ...rest] = program!.steps.train;
    const train = [{ ...first!, ...change(first!) }, ...rest];
    return { ...program!, steps: { ...program!.steps, train } };
  };
  const told = (changed: Program) => describePrints(printed(program!), printed(changed));

  test("of a constant is found", () => {
    const changed = changedTrain(({ constants }) => ({ constants: constants.map((n) => n + 1) }));
    expect(told(changed)).toBe("f32, gpu: train");
  });

  test("of a binding is found", () => {
    const changed = changedTrain(({ buffers }) => ({ buffers: buffers.toReversed() }));
    expect(told(changed)).toBe("f32, gpu: train");
  });

  test("of a buffer is found", () => {
    const [first, ...rest] = program!.buffers;
    const bytes = { ...first!.bytes, fixed: first!.bytes.fixed + 16 };
    expect(told({ ...program!, buffers: [{ ...first!, bytes }, ...rest] })).toBe(
      "f32, gpu: buffers",
    );
  });

  test("of the place in the spec does not count", () => {
    expect(told(changedTrain(() => ({ location: { line: 1, column: 1 } })))).toBe("");
  });
});
