/** What a kernel binds: the only ways to memory. */
import type { BindingAccess, BindingElement } from "../../program/program.js";
import { withoutUndefined } from "../../program/without-undefined.js";
import { Code, code, helper } from "./code.js";

/** What kernels compute with: what is stored in 16 bits is widened. */
export type Element = Exclude<BindingElement, "f16" | "vec4h">;

/**
 * A storage array: what the kernel does with it, and its elements as the kernel computes with them.
 */
export interface Binding<Use extends BindingAccess = BindingAccess> {
  readonly access: Use;
  readonly element: Element;
}

/** By name, in the order in which they are bound. */
export type Bindings = Readonly<Record<string, Binding | undefined>>;

export const read = (element: Element): Binding<"read"> => ({ access: "read", element });

/** Written, and perhaps read as well. */
export const written = (element: Element): Binding<"read_write"> => ({
  access: "read_write",
  element,
});

/** A place in an array; numbers are places that are known. */
export type At = Code | number;

export interface Loaded {
  /** The element, widened if it is stored in 16 bits. */
  readonly load: (at: At) => Code;
}

export interface Stored extends Loaded {
  /** A statement. The value is rounded if it is stored in 16 bits. */
  readonly store: (at: At, value: Code) => Code;
}

export type Io<All extends Bindings> = {
  readonly [Name in keyof All]: All[Name] extends Binding<"read"> | undefined ? Loaded : Stored;
};

/** The arrays as code sees them. */
export function ioOf<All extends Bindings>(bindings: All): Io<All> {
  const entries = namedBindings(bindings).map(([name, { access, element }]) => [
    name,
    {
      load: loadOf(name, element),
      ...withoutUndefined({ store: access === "read_write" ? storeOf(name, element) : undefined }),
    },
  ]);
  return Object.fromEntries(entries) as Io<All>;
}

export const namedBindings = (bindings: Bindings): readonly (readonly [string, Binding])[] =>
  Object.entries(bindings).flatMap(([name, binding]) =>
    binding ? [[name, binding] as const] : [],
  );

/** Elements in 16 bits, by what kernels compute with. */
export const HALVES = { f32: "f16", vec4f: "vec4h", u32: undefined, vec4u: undefined } as const;

const loadOf = (name: string, element: Element) => (at: At) =>
  new Code((printer) => {
    const place = placeIn(name, at).print(printer);
    return printer.isHalf(name) ? `${element}(${place})` : place;
  });

const storeOf = (name: string, element: Element) => (at: At, value: Code) =>
  new Code((printer) => {
    const stored = printer.isHalf(name) ? rounded(element, value) : value;
    return code`${placeIn(name, at)} = ${stored};`.print(printer);
  });

const placeIn = (name: string, at: At) =>
  new Code((printer) => {
    printer.use("binding", name);
    return `${name}[${typeof at === "number" ? at : at.print(printer)}]`;
  });

const rounded = (element: Element, value: Code): Code =>
  code`${element === "f32" ? ROUNDED : ROUNDED4}(${value})`;

/**
 * What is beyond the largest number of 16 bits becomes infinite, with its sign, and NaN stays NaN:
 * a loss scale backs off for either. WGSL leaves that to the device, and some take the largest
 * number instead. Numbers are compared by their bits, since WGSL may assume that all are finite,
 * and the infinite ones are made while the kernel runs, since WGSL has no such constants.
 * 0x477ff000 is 65520, which would round to 65536.
 */
const ROUNDED4 = helper(
  "rounded4",
  code`
  fn rounded4(value: vec4f) -> vec4h {
    let bits = bitcast<vec4u>(value);
    let size = bits & vec4u(0x7fffffffu);
    let beyond = size >= vec4u(0x477ff000u);
    let special = select(vec4u(0x7c00u), vec4u(0x7e00u), size > vec4u(0x7f800000u));
    let halves = special | ((bits >> vec4u(16u)) & vec4u(0x8000u));
    let infinite = bitcast<vec4h>(halves.xz | (halves.yw << vec2u(16u)));
    return select(vec4h(value), infinite, beyond);
  }`,
);

const ROUNDED = helper(
  "rounded",
  code`
  fn rounded(value: f32) -> f16 {
    return ${ROUNDED4}(vec4f(value)).x;
  }`,
);
