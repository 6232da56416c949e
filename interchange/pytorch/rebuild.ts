/**
 * The functions and types that a file of weights may name: the list of PyTorch's `weights_only`. A
 * call of one of them is turned into plain data here; a file that names anything else is refused.
 */
import { visible } from "../../program/visible.js";
import { WeightsError } from "../../runtime/errors.js";
import {
  Dictionary,
  Name,
  Opaque,
  ScriptModule,
  STORAGES,
  StorageView,
  TensorView,
  Tuple,
  TYPES,
  type StoredType,
  type Value,
} from "./values.js";

type Call = (args: readonly Value[]) => Value;

/** What calls of functions and types give. */
const CALLS: ReadonlyMap<string, Call> = new Map<string, Call>([
  ["collections.OrderedDict", dictionaryOf],
  ["collections.Counter", dictionaryOf],
  ["torch._utils._rebuild_tensor", viewOf],
  ["torch._utils._rebuild_tensor_v2", viewOf],
  ["torch._utils._rebuild_tensor_v3", typedViewOf],
  ["torch._utils._rebuild_parameter", first],
  ["torch._utils._rebuild_parameter_with_state", first],
  ["torch._tensor._rebuild_from_type_v2", rebuildAgain],
  ["torch.nn.parameter.Parameter", first],
  ["torch.Size", ([items]) => (items instanceof Tuple ? items : wrong("torch.Size", items))],
  ["torch.device", () => new Opaque("a device")],
  ["torch.serialization._get_layout", () => new Opaque("a layout")],
  ["builtins.set", () => new Opaque("a set")],
  ["__builtin__.set", () => new Opaque("a set")],
  ["builtins.bytearray", () => new Opaque("bytes")],
  ["__builtin__.bytearray", () => new Opaque("bytes")],
  ["builtins.complex", () => new Opaque("a complex number")],
  ["_codecs.encode", () => new Opaque("bytes")],
]);

/** Tensors of other kinds, by the functions that make them. */
const OTHER_TENSORS: Readonly<Record<string, string>> = {
  "torch._utils._rebuild_sparse_tensor": "a sparse tensor",
  "torch._utils._rebuild_sparse_csr_tensor": "a sparse tensor",
  "torch._utils._rebuild_qtensor": "a quantized tensor",
  "torch._utils._rebuild_meta_tensor_no_storage": "a tensor on the device `meta`, without numbers",
  "torch._utils._rebuild_nested_tensor": "a nested tensor",
};

const NAMES: ReadonlySet<string> = new Set([
  ...CALLS.keys(),
  ...Object.keys(OTHER_TENSORS),
  "torch.Tensor",
  "torch._tensor.Tensor",
  "torch.storage.TypedStorage",
  ...[...STORAGES.keys()].flatMap((name) => [
    ...[`torch.${name}`, `torch.cuda.${name}`, `torch.storage.${name}`],
  ]),
  ...[...TYPES.keys(), "complex32", "float8_e4m3fn", "float8_e5m2"].map((name) => `torch.${name}`),
  ...["strided", "sparse_coo"].map((name) => `torch.${name}`),
]);

/** Classes of modules, which TorchScript keeps under this name, and types of what these hold. */
const SCRIPT_CLASS = /^__torch__\./;
const SCRIPT_TYPES = /^torch\.jit\._pickle\.(restore_type_tag|build_\w+list)$/;

/**
 * A name that a file wants; with `isScript`, of TorchScript. Throws WeightsError, naming it, unless
 * weights may use it.
 */
export function lookUp(
  module: string,
  name: string,
  { isScript }: { readonly isScript: boolean },
): Name {
  const path = `${module}.${name}`;
  if (NAMES.has(path)) return new Name(path);
  if (isScript && (SCRIPT_CLASS.test(path) || SCRIPT_TYPES.test(path))) return new Name(path);
  const shown = visible(path).slice(0, 120);
  throw new WeightsError(
    `this file wants \`${shown}\`, which weights do not need: ` +
      "netc runs no code of files and reads " +
      "only tensors, numbers, texts, lists and dictionaries. " +
      "If you trust the file, load it in PyTorch " +
      "and save its weights alone: `torch.save(model.state_dict(), NEW_FILE)`",
  );
}

/** What calling a name with arguments gives. */
export function call(callee: Value, args: Value): Value {
  if (!(callee instanceof Name) || !(args instanceof Tuple))
    throw malformed("a call of no function");
  const kind = OTHER_TENSORS[callee.path];
  if (kind !== undefined)
    throw new WeightsError(`this file holds ${kind}: only dense ones are read`);
  if (SCRIPT_CLASS.test(callee.path)) return new ScriptModule();
  if (SCRIPT_TYPES.test(callee.path)) return args.items[0] ?? null;
  const make = CALLS.get(callee.path);
  if (!make) throw malformed(`a call of \`${callee.path}\``);
  return make(args.items);
}

function first([value]: readonly Value[]): Value {
  return value instanceof TensorView ? value : wrong("a parameter", value);
}

/** `_rebuild_from_type_v2(function, type, arguments, state)`. */
function rebuildAgain([callee, , args]: readonly Value[]): Value {
  if (callee instanceof Name && callee.path.startsWith("torch._utils.")) return call(callee, args!);
  return wrong("a tensor", callee);
}

function dictionaryOf([pairs]: readonly Value[]): Dictionary {
  const made = new Dictionary();
  if (pairs === undefined) return made;
  if (pairs instanceof Dictionary) return pairs;
  if (!Array.isArray(pairs)) return wrong("a dictionary", pairs);
  for (const pair of pairs) {
    const items = pair instanceof Tuple ? pair.items : Array.isArray(pair) ? pair : [];
    if (items.length !== 2) return wrong("a dictionary", pair);
    put(made, items[0], items[1]!);
  }
  return made;
}

/** Adds an entry to a dictionary. Throws WeightsError for a key that Python could not compare. */
export function put(target: Value | undefined, key: Value | undefined, value: Value): void {
  if (!(target instanceof Dictionary)) throw malformed("an entry of no dictionary");
  const { entries } = target;
  if (typeof key === "string" || typeof key === "number" || typeof key === "boolean") {
    entries.set(key, value);
  } else if (key === null || typeof key === "bigint") entries.set(String(key), value);
  else if (!(key instanceof Tuple)) throw malformed("a key of a dictionary that is not a text");
  // No weights have tuples for names; whatever is there is of no use.
}

/** `_rebuild_tensor_v2(storage, offset, shape, strides, ...)`. */
function viewOf([storage, offset, shape, strides]: readonly Value[]): TensorView {
  if (!(storage instanceof StorageView)) return wrong("a tensor", storage);
  return checkedView(storage, storage.storage.type, offset, shape, strides);
}

/** `_rebuild_tensor_v3(storage, offset, shape, strides, requires_grad, hooks, dtype, metadata)`. */
function typedViewOf(args: readonly Value[]): TensorView {
  const [storage, offset, shape, strides, , , dtype] = args;
  const isNamed = storage instanceof StorageView && dtype instanceof Name;
  const type = isNamed ? TYPES.get(dtype.path.replace(/^torch\./, "")) : undefined;
  if (!isNamed || !type) {
    const what =
      dtype instanceof Name ? `numbers of type \`${dtype.path}\`` : "a tensor of no type";
    throw new WeightsError(`this file holds ${what}, which netc does not read`);
  }
  return checkedView(storage, type, offset, shape, strides);
}

function checkedView(
  { storage, offset: first }: StorageView,
  type: StoredType,
  offset: Value | undefined,
  shape: Value | undefined,
  strides: Value | undefined,
): TensorView {
  const [start, sizes, steps] = [sizeOf(offset), sizesOf(shape), sizesOf(strides)];
  if (sizes.length !== steps.length) throw malformed("a tensor with a stride for no axis");
  const bytes = storage.length * storage.type.width;
  const typed = type === storage.type ? storage : { ...storage, type, length: bytes / type.width };
  const count = sizes.reduce((product, size) => product * size, 1);
  const last = sizes.reduce((sum, size, axis) => sum + (size - 1) * steps[axis]!, first + start);
  if (!Number.isSafeInteger(count) || !Number.isSafeInteger(last)) {
    throw malformed(`a tensor of shape [${sizes.join(", ")}]`);
  }
  if (count > 0 && last >= typed.length) {
    throw new WeightsError(
      "this PyTorch file is damaged: " +
        `a tensor of shape [${sizes.join(", ")}] reaches number ${last} ` +
        `of a storage of ${typed.length}`,
    );
  }
  return new TensorView(typed, first + start, sizes, steps);
}

/** Of an axis: more than any network has, and few enough to multiply. */
const MOST_AXES = 64;

function sizesOf(value: Value | undefined): readonly number[] {
  const items = value instanceof Tuple ? value.items : Array.isArray(value) ? value : undefined;
  if (!items || items.length > MOST_AXES) throw malformed("a tensor without a shape");
  return items.map(sizeOf);
}

export function sizeOf(value: Value | undefined): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw malformed("a size that is not a whole number");
}

const wrong = (what: string, value: Value | undefined): never => {
  throw malformed(`${what} made of ${describe(value)}`);
};

function describe(value: Value | undefined): string {
  if (value === null || value === undefined) return "nothing";
  return typeof value === "object" ? "another object" : `a ${typeof value}`;
}

export function malformed(what: string): WeightsError {
  return new WeightsError(`this PyTorch file is damaged or not of torch.save: it has ${what}`);
}
