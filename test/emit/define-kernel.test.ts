import { describe, expect, test } from "vitest";
import { read, written } from "../../compiler/kernels/bindings.js";
import {
  code,
  frame,
  helper,
  local,
  startThread,
  workgroupArray,
  type Hole,
} from "../../compiler/kernels/code.js";
import { defineKernel, definitions, scopeOf } from "../../compiler/kernels/define-kernel.js";
import { Printer } from "../../compiler/kernels/printer.js";
import { bind, dispatch, type BuffersOf } from "../../compiler/lower/dispatch.js";
import { fixed, type Storage } from "../../compiler/plan/storage.js";
import { compile } from "../../compiler/index.js";
import { compileVariant } from "./variants.js";
import { nowhere } from "../passes/chain.js";

const print = (printed: { print(printer: Printer): string }, halves: readonly string[] = []) =>
  printed.print(new Printer(new Set(halves)));

const storage = (element?: "f16"): Storage => ({
  name: "memory",
  purpose: "scratch",
  bytes: fixed(64),
  element,
});

const bindings = { a: read("f32"), y: written("f32") } as const;

const scaled = defineKernel("scaled", () => ({
  summary: "A vector times a number.",
  bindings,
  constants: { count: "u32", factor: "f32" },
  lanes: 64,
  body: ({ io, k }) => code`
    ${startThread(64)}
    if (thread < ${k.count}) {
      ${io.y.store(code`thread`, code`${k.factor} * ${io.a.load(code`thread`)}`)}
    }`,
}));

const common = { threads: fixed(16), label: "scaled", origin: nowhere("scaled") };
const buffers = { a: storage(), y: storage() };
const CONSTANTS = { count: 16, factor: 0.5 };

describe("code", () => {
  test("prints whole numbers as u32, lists by line, and nothing as nothing", () => {
    const two: readonly Hole[] = [code`let a = ${2};`, undefined, false, code`let b = ${[]}a;`];
    expect(print(code`{\n  ${two}\n}`)).toBe("{\n  let a = 2u;\n  let b = a;\n}");
  });

  test("leaves out lines that hold nothing but a hole without text", () => {
    const none: Hole = undefined;
    expect(print(code`a();\n${none}\nb();`)).toBe("a();\nb();");
    expect(print(code`{\n  ${[none]}\n  ${code`b();`}\n}`)).toBe("{\n  b();\n}");
    expect(print(code`${none}\nb();`)).toBe("b();");
    expect(print(code`a();\n${none}`)).toBe("a();");
    expect(print(code`a();\n\nb();${none}\nc(${none});`)).toBe("a();\n\nb();\nc();");
  });

  test("refuses numbers that are not whole", () => {
    expect(() => print(code`${0.5}`)).toThrow("a WGSL template got 0.5");
    expect(() => print(code`${-1}`)).toThrow("a WGSL template got -1");
  });

  test("takes no strings", () => {
    // @ts-expect-error a string does not say what it needs
    expect(() => print(code`${"text"}`)).toThrow('a WGSL template got "text"');
  });

  test("declares once what it needs, after what that needs", () => {
    const inner = helper("inner", code`fn inner() {\n}`);
    const outer = helper("outer", code`fn outer() {\n  ${inner}();\n}`);
    const printer = new Printer();
    expect(code`${outer}(); ${inner}();`.print(printer)).toBe("outer(); inner();");
    expect(printer.declarations("functions")).toEqual([
      { name: "inner", text: "fn inner() {\n}" },
      { name: "outer", text: "fn outer() {\n  inner();\n}" },
    ]);
  });
});

describe("a kernel", () => {
  test("has one blank line between its sections and functions, and none in a struct", () => {
    const twice = (name: string) => helper(name, code`fn ${local(name)}() {\n}`);
    const small = defineKernel("small", () => ({
      summary: "A test.",
      bindings: { a: written("f32") },
      constants: { count: "u32" },
      lanes: 1,
      body: ({ io, k }) => code`
        ${twice("first")}();
        ${twice("second")}();
        ${workgroupArray("tile", "f32", 4)}[0] = 1f;
        ${io.a.store(0, code`f32(${k.count})`)}`,
    }));
    definitions.pop();
    const { wgsl } = small().print();
    expect(wgsl).toContain("\n\nstruct Constants {\n  count: u32,\n}\n\n");
    expect(wgsl).toContain(
      "\n\nvar<workgroup> tile: array<f32, 4>;\n\nfn first() {\n}\n\nfn second() {\n}\n\n@compute",
    );
    expect(wgsl).not.toContain("\n\n\n");
  });

  test("is printed once for each variant and set of 16-bit bindings", () => {
    expect(scaled()).toBe(scaled());
    expect(scaled().print(new Set(["a"]))).toBe(scaled().print(new Set(["a"])));
    expect(scaled().print().wgsl).not.toContain("f16");
  });

  test("widens what it loads and rounds what it stores where memory has 16 bits", () => {
    const { kernel } = dispatch(scaled(), {
      ...common,
      constants: CONSTANTS,
      buffers: { a: storage("f16"), y: storage("f16") },
    });
    expect(kernel.name).toBe("scaled_f16");
    expect(kernel.storage.map(({ element }) => element)).toEqual(["f16", "f16"]);
    expect(kernel.wgsl).toContain("y[thread] = rounded(constants.factor * f32(a[thread]));");
    expect(kernel.wgsl).toContain("enable f16;");
    expect(kernel.wgsl).toContain("fn rounded4(value: vec4f)");
  });

  test("widens and rounds inside of indices, too, and leaves integers as they are", () => {
    const gathered = defineKernel("gathered", () => ({
      summary: "A test.",
      bindings: { a: read("vec4f"), codes: read("u32"), result: written("f32") },
      constants: {},
      lanes: 1,
      body: ({ io }) => {
        const from = io.a.load(code`place + ${io.codes.load(0)}`);
        const product = code`${io.a.load(local("at"))}.y * ${io.result.load(0)}`;
        return io.result.store(code`at + u32(${from}.x)`, product);
      },
    }));
    definitions.pop();
    const half = gathered().print(new Set(["a", "result"]));
    expect(half.wgsl).toContain("var<storage, read> a: array<vec4h>;");
    expect(half.wgsl).toContain("var<storage, read> codes: array<u32>;");
    expect(half.wgsl).toContain("var<storage, read_write> result: array<f16>;");
    expect(half.wgsl).toContain(
      "result[at + u32(vec4f(a[place + codes[0]]).x)] = rounded(vec4f(a[at]).y * f32(result[0]));",
    );
    expect(half.storage.map(({ element }) => element)).toEqual(["vec4h", "u32", "f16"]);
  });

  test("is given only what it reads", () => {
    const idle = defineKernel("idle", () => ({
      summary: "Reads nothing.",
      bindings: { a: read("f32") },
      constants: { count: "u32", from: "place" },
      lanes: 1,
      body: () => code`let batch = ${frame.batch};`,
    }));
    expect(() => idle().print()).toThrow("idle never reads a, count, from");
    definitions.pop();
  });

  test("has no way to store into what it reads", () => {
    const { io } = scopeOf({ bindings: { a: read("f32") }, constants: {} });
    // @ts-expect-error a is read only
    expect(() => print(io.a.store(local("at"), code`1.0`))).toThrow();
  });
});

describe("a dispatch", () => {
  test("takes memory and numbers by name, in the kernel's order", () => {
    const draft = dispatch(scaled(), {
      ...common,
      buffers: { y: buffers.y, a: buffers.a },
      constants: { factor: 0.5, count: 16 },
    });
    expect(draft.storage).toEqual([buffers.a, buffers.y]);
    expect(draft.constants).toEqual([16, 0x3f000000]);
    expect(draft.workgroups).toEqual({ x: { fixed: 16, perImage: 0, tile: 64 }, z: 1 });
  });

  test("refuses a binding that is missing", () => {
    const given = { ...common, constants: CONSTANTS };
    // @ts-expect-error y is missing
    expect(() => dispatch(scaled(), { ...given, buffers: { a: storage() } })).toThrow(
      "scaled is not given y",
    );
  });

  test("refuses a binding that the kernel does not have", () => {
    const memory = storage();
    // @ts-expect-error the kernel calls it y
    const misspelled: BuffersOf<typeof bindings> = { a: memory, y: memory, x: memory };
    expect(() =>
      dispatch(scaled(), { ...common, constants: CONSTANTS, buffers: misspelled }),
    ).toThrow("scaled has no x");
  });

  test("refuses a constant that is missing or that the kernel does not have", () => {
    // @ts-expect-error factor is missing
    expect(() => dispatch(scaled(), { ...common, buffers, constants: { count: 1 } })).toThrow(
      "scaled is not given factor",
    );
    const left = { ...CONSTANTS, rate: 1 };
    expect(() => dispatch(scaled(), { ...common, buffers, constants: left })).toThrow(
      "scaled has no rate",
    );
    expect(() =>
      // @ts-expect-error the kernel has no rate
      dispatch(scaled(), { ...common, buffers, constants: { count: 1, factor: 1, rate: 1 } }),
    ).toThrow("scaled has no rate");
  });

  test("joins fragments and refuses a name given twice", () => {
    const shift = { bindings: { b: read("f32") }, constants: { shift: "f32" } } as const;
    const shifted = defineKernel("shifted", () => ({
      summary: "A number plus a vector's first.",
      bindings: { y: written("f32") },
      constants: {},
      fragments: [shift],
      lanes: 1,
      body: ({ io }) => {
        const { io: own, k } = scopeOf(shift);
        return io.y.store(0, code`${own.b.load(0)} + ${k.shift}`);
      },
    }));
    const bound = bind(shift, { buffers: { b: storage() }, constants: { shift: 1 } });
    // @ts-expect-error a fragment is given what it has
    expect(bind(shift, { buffers: { b: storage() }, constants: {} })).toBeDefined();
    const given = { ...common, buffers: { y: storage() }, constants: {} };
    const { kernel } = dispatch(shifted(), { ...given, fragments: [bound] });
    expect(kernel.wgsl).toContain("y[0] = b[0] + constants.shift;");
    expect(() => dispatch(shifted(), given)).toThrow("shifted is not given b");
    expect(() => dispatch(shifted(), { ...given, fragments: [bound, bound] })).toThrow(
      "`b` is given twice",
    );
    definitions.pop();
  });
});

/** A body that read more than its variant would print another text for the same key. */
test("every kernel prints the same from an equal variant", () => {
  for (const variant of ["f32", "f16", "average", "clip"] as const) {
    compileVariant(compile, "digits", variant);
  }
  // Its kernels have lists in their variants.
  compileVariant(compile, "shufflenet_v2_x1_0", "f32");
  const made = definitions.flatMap((definition) =>
    [...definition.made].map(([key, kernel]) => ({ definition, key, kernel })),
  );
  expect(made.length).toBeGreaterThan(3);
  for (const { definition, key, kernel } of made) {
    const again = definition.make(...(JSON.parse(key) as unknown[]));
    expect(again.print().wgsl, `${definition.name} ${key}`).toBe(kernel.print().wgsl);
  }
});
