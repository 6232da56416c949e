/** Compile-time values: what constants, parameters and arguments hold. */
export type Constant =
  | { readonly kind: "integer"; readonly value: number }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "list"; readonly elements: readonly Constant[] }
  | { readonly kind: "tuple"; readonly elements: readonly Constant[] };

export function isNumeric(
  constant: Constant,
): constant is Extract<Constant, { readonly value: number }> {
  return constant.kind === "integer" || constant.kind === "float";
}

/** A constant as a message shows it: `0.5`, `"data"`, `[1, 2]`. */
export function formatConstant(constant: Constant): string {
  switch (constant.kind) {
    case "list":
      return `[${constant.elements.map(formatConstant).join(", ")}]`;
    case "tuple":
      return `(${constant.elements.map(formatConstant).join(", ")})`;
    case "string":
      return JSON.stringify(constant.value);
    default:
      return String(constant.value);
  }
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
