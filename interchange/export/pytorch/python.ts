/** Values and names as Python writes them. */

export const tuple = (values: readonly number[]): string => `(${values.join(", ")})`;

/** `3`, or `(3, 5)`. */
export const pairText = ([a, b]: readonly [number, number]): string =>
  a === b ? String(a) : tuple([a, b]);

export const truth = (value: boolean): string => (value ? "True" : "False");

/** `mobile_net` and `basic` as names of classes. */
export function className(name: string): string {
  const parts = name.split("_").filter((part) => part !== "");
  return parts.map((part) => part[0]!.toUpperCase() + part.slice(1)).join("") || "Block";
}

/** A text in double quotes; JSON's escapes are Python's. */
export const quoted = (text: string): string => JSON.stringify(text);

const KEYWORDS = [
  ...["False", "None", "True", "and", "as", "assert", "async", "await", "break", "class"],
  ...["continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global"],
  ...["if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return"],
  ...["try", "while", "with", "yield"],
];

/** What every nn.Module has: an attribute of the same name would hide it. */
const OF_MODULES = [
  ...["T_destination", "add_module", "apply", "bfloat16", "buffers", "call_super_init"],
  ...["children", "compile", "cpu", "cuda", "double", "dump_patches", "eval", "extra_repr"],
  ...["float", "forward", "get_buffer", "get_extra_state", "get_parameter", "get_submodule"],
  ...["half", "ipu", "load_state_dict", "modules", "mtia", "named_buffers", "named_children"],
  ...["named_modules", "named_parameters", "parameters", "register_backward_hook"],
  ...["register_buffer", "register_forward_hook", "register_forward_pre_hook"],
  ...["register_full_backward_hook", "register_full_backward_pre_hook", "register_module"],
  ...["register_load_state_dict_post_hook", "register_parameter", "requires_grad_"],
  ...["register_load_state_dict_pre_hook", "register_state_dict_post_hook"],
  ...["register_state_dict_pre_hook", "set_extra_state", "set_submodule", "share_memory"],
  ...["state_dict", "to", "to_empty", "train", "training", "type", "xpu", "zero_grad"],
  // Of nn.Sequential.
  ...["append", "extend", "insert", "keys", "items", "values", "pop", "clear", "update"],
];
/** What the file itself uses. */
const OF_FILE = ["F", "math", "nn", "os", "self", "torch", "x", "y", "z"];

const ATTRIBUTES = new Set([...KEYWORDS, ...OF_MODULES]);
const VARIABLES = new Set([...KEYWORDS, ...OF_FILE]);

/**
 * A name for an attribute of a module: the spec's, unless Python or PyTorch has another use for it.
 */
export const attributeName = (name: string): string => (ATTRIBUTES.has(name) ? `${name}_` : name);

export const variableName = (name: string): string => (VARIABLES.has(name) ? `${name}_` : name);
