import type { Kernel, StorageBinding } from "./kernel.js";
import { wgsl } from "./wgsl.js";

/** Elements of a binding in 16 bits, by what they are in 32. */
const HALVES: Partial<Record<StorageBinding["element"], "f16" | "vec4h">> = {
  f32: "f16",
  vec4f: "vec4h",
};

/** Functions that round to 16 bits, by what they give. */
const ROUNDING = { f16: "rounded", vec4h: "rounded4" } as const;

/**
 * What is beyond the largest number of 16 bits becomes infinite, with its sign, and NaN stays NaN:
 * a loss scale backs off for either. WGSL leaves that to the device, and some take the largest
 * number instead. Numbers are compared by their bits, since WGSL may assume that all are finite,
 * and the infinite ones are made while the kernel runs, since WGSL has no such constants.
 * 0x477ff000 is 65520, which would round to 65536.
 */
const ROUNDING_FUNCTIONS = {
  f16: wgsl`
    fn rounded(value: f32) -> f16 {
      return rounded4(vec4f(value)).x;
    }`,
  vec4h: wgsl`
    fn rounded4(value: vec4f) -> vec4h {
      let bits = bitcast<vec4u>(value);
      let size = bits & vec4u(0x7fffffffu);
      let beyond = size >= vec4u(0x477ff000u);
      let special = select(vec4u(0x7c00u), vec4u(0x7e00u), size > vec4u(0x7f800000u));
      let halves = special | ((bits >> vec4u(16u)) & vec4u(0x8000u));
      let infinite = bitcast<vec4h>(halves.xz | (halves.yw << vec2u(16u)));
      return select(vec4h(value), infinite, beyond);
    }`,
};

/**
 * The kernel with some of the arrays that it binds in 16 bits. Every element is widened as it is
 * loaded and rounded as it is stored; what is in between stays as it is, in 32 bits. This is the
 * one place that knows of 16 bits: kernels are written for f32, address elements and not bytes, and
 * touch what they bind in two ways only, `NAME[at]` and `NAME[at] = value;`.
 */
export function withHalves(kernel: Kernel, isHalf: (binding: number) => boolean): Kernel {
  const names = new Set(
    kernel.storage.filter(({ element }, index) => HALVES[element] && isHalf(index)).map(nameOf),
  );
  if (names.size === 0) return kernel;
  const storage = kernel.storage.map((binding) =>
    names.has(binding.name) ? { ...binding, element: HALVES[binding.element]! } : binding,
  );
  const elements = new Map(storage.map(({ name, element }) => [name, element]));
  const lines = kernel.wgsl.split("\n").map((line) => declaration(line, elements));
  const [summary, ...rest] = lines;
  const text = new Accesses(kernel, names).convert(rest.join("\n"));
  return {
    ...kernel,
    name: `${kernel.name}_f16`,
    wgsl: [summary, "enable f16;", text.trimEnd(), ...roundingFunctions(text), ""].join("\n"),
    storage,
  };
}

/** Those that the text calls. */
function roundingFunctions(text: string): string[] {
  const { f16, vec4h } = ROUNDING_FUNCTIONS;
  if (text.includes(`${ROUNDING.f16}(`)) return ["", f16, "", vec4h];
  return text.includes(`${ROUNDING.vec4h}(`) ? ["", vec4h] : [];
}

const nameOf = ({ name }: StorageBinding) => name;

const DECLARATION = /^(@group\(0\) @binding\(\d+\) var<storage, \w+> (\w+): array<)\w+>;$/;

function declaration(line: string, elements: ReadonlyMap<string, string>): string {
  return line.replace(DECLARATION, (_, start: string, name: string) => {
    return `${start}${elements.get(name)!}>;`;
  });
}

/** Loads and stores of some arrays in a kernel's text. */
class Accesses {
  private readonly elements: ReadonlyMap<string, StorageBinding["element"]>;
  private readonly access: RegExp;

  constructor(
    private readonly kernel: Kernel,
    names: ReadonlySet<string>,
  ) {
    this.elements = new Map(kernel.storage.map(({ name, element }) => [name, element]));
    this.access = new RegExp(String.raw`(?<![\w.])(${[...names].join("|")})\[`);
  }

  /** The text with its loads widened and its stores rounded. */
  convert(text: string): string {
    const found = this.access.exec(text);
    if (!found) return text;
    const [start, name] = found as unknown as [string, string];
    const index = found.index + start.length;
    const end = closing(text, index);
    const place = `${name}[${this.convert(text.slice(index, end))}]`;
    const before = text.slice(0, found.index);
    const after = text.slice(end + 1);
    const element = this.elements.get(name)!;
    const store = /^\s*=(?!=)\s*/.exec(after);
    if (!store) {
      this.requireLoad(name, after);
      return `${before}${element}(${place})${this.convert(after)}`;
    }
    const semicolon = after.indexOf(";");
    const value = this.convert(after.slice(store[0].length, semicolon));
    const rounding = ROUNDING[HALVES[element]!];
    return `${before}${place} = ${rounding}(${value})${this.convert(after.slice(semicolon))}`;
  }

  private requireLoad(name: string, after: string): void {
    if (!/^(\.[xyzw]+|\[[^\]]*\])?\s*([-+*/%&|^]=|=(?!=))/.test(after)) return;
    throw new Error(`${this.kernel.name} changes a part of \`${name}[...]\`, which may be in f16`);
  }
}

/** The place of the bracket that closes the one before `start`. */
function closing(text: string, start: number): number {
  let depth = 1;
  for (let index = start; index < text.length; index++) {
    if (text[index] === "[") depth++;
    if (text[index] === "]" && --depth === 0) return index;
  }
  throw new Error(`a bracket is not closed: ${text.slice(start, start + 40)}`);
}
