/** Compile-time values: what constants, parameters and arguments hold. */
export type Constant =
  | { readonly kind: "integer"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "boolean"; readonly value: boolean }
  | Elements;

/** A list or a tuple. */
export interface Elements {
  readonly kind: "list" | "tuple";
  readonly elements: readonly Constant[];
  /** How many values it holds, those of lists in it included, and how deep they are nested. */
  readonly size: number;
  readonly depth: number;
}

/** More values than these in a list are a mistake: lists of lists multiply. */
export const MOST_VALUES = 10_000;

/** Lists deeper than this are a mistake: a `for` takes a list of tuples. */
export const DEEPEST_LIST = 16;

/** A list or a tuple; undefined where it holds too many values or is nested too deep. */
export function elementsOf(
  kind: Elements["kind"],
  elements: readonly Constant[],
): Elements | undefined {
  const size = elements.reduce((sum, each) => sum + sizeOf(each), 1);
  const depth = elements.reduce((most, each) => Math.max(most, depthOf(each)), 0) + 1;
  if (size > MOST_VALUES || depth > DEEPEST_LIST) return undefined;
  return { kind, elements, size, depth };
}

const isElements = (constant: Constant): constant is Elements =>
  constant.kind === "list" || constant.kind === "tuple";

const sizeOf = (constant: Constant) => (isElements(constant) ? constant.size : 1);
const depthOf = (constant: Constant) => (isElements(constant) ? constant.depth : 0);

export function isSameConstant(a: Constant, b: Constant): boolean {
  if (a === b) return true;
  if (!isElements(a) || !isElements(b)) return writeConstant(a) === writeConstant(b);
  if (a.kind !== b.kind || a.size !== b.size || a.elements.length !== b.elements.length)
    return false;
  return a.elements.every((each, index) => isSameConstant(each, b.elements[index]!));
}

export function isNumeric(
  constant: Constant,
): constant is Extract<Constant, { readonly value: number }> {
  return constant.kind === "integer" || constant.kind === "float";
}

/** A constant as a spec has it: `0.5`, `"data"`, `[1, 2]`. */
export function writeConstant(constant: Constant): string {
  switch (constant.kind) {
    case "list":
      return `[${constant.elements.map(writeConstant).join(", ")}]`;
    case "tuple":
      return `(${constant.elements.map(writeConstant).join(", ")})`;
    case "string":
      return JSON.stringify(constant.value);
    default:
      return String(constant.value);
  }
}

/** Characters of a value, and elements of a list, that a message shows. */
const MOST_CHARACTERS = 100;
const MOST_SHOWN = 16;

/** A constant as a message shows it: the beginning of a long one. */
export function formatConstant(constant: Constant): string {
  const shown = isElements(constant) ? beginningOf(constant) : writeConstant(constant);
  return shown.length > MOST_CHARACTERS ? `${shown.slice(0, MOST_CHARACTERS)}...` : shown;
}

function beginningOf({ kind, elements }: Elements): string {
  const [opening, closing] = kind === "list" ? ["[", "]"] : ["(", ")"];
  const shown: string[] = [];
  let length = 0;
  for (const element of elements) {
    if (shown.length === MOST_SHOWN || length > MOST_CHARACTERS) break;
    shown.push(formatConstant(element));
    length += shown.at(-1)!.length;
  }
  const more = elements.length - shown.length;
  return `${opening}${shown.join(", ")}${more > 0 ? `, and ${more} more` : ""}${closing}`;
}

/** `the number 0.5`, `the list [1, 2]`: a constant with its kind, for messages about types. */
export function describeConstant(constant: Constant): string {
  const nouns = {
    integer: "the integer",
    float: "the number",
    string: "the string",
    boolean: "the truth value",
    list: "the list",
    tuple: "the tuple",
  } as const;
  return `${nouns[constant.kind]} ${formatConstant(constant)}`;
}
