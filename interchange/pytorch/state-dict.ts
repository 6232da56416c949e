/** Which of the dictionaries in a checkpoint are the weights. */
import { visible } from "../../program/visible.js";
import { WeightsError } from "../../runtime/errors.js";
import { Dictionary, ScriptModule, TensorView, type Value } from "./values.js";

export interface StateDict {
  /** Names of the dictionaries that it is in: `state_dict`; empty where it is the whole file. */
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorView>;
  /** Others that could have been meant: averages of the weights. */
  readonly others: readonly string[];
}

/** What programs call weights within a checkpoint. */
const WEIGHTS = new Set([
  ...["state_dict", "model_state_dict", "model", "model_state", "net", "network", "weights"],
  ...["params", "module", "generator", "backbone", "encoder_q"],
]);

/** What is never the weights of a network, whatever it holds. */
const TRAINING = /^(optim|sched|lr_|scaler|amp|state$|param_groups|rng|random|ema_updates|history)/;

const DEEPEST = 3;

/**
 * The weights in a checkpoint; with `key`, those by that path. Throws WeightsError, with the
 * candidates, where it has none or several that could be meant.
 */
export function findStateDict(root: Value, key?: string): StateDict {
  const found =
    root instanceof ScriptModule
      ? [{ path: "", tensors: tensorsOf(root) }]
      : root instanceof Dictionary
        ? collect(root, "", 0)
        : [];
  const chosen = key === undefined ? choose(found) : found.find(({ path }) => path === key);
  if (!chosen) throw refusal(root, found, key);
  const others = found.filter(({ path }) => path !== chosen.path).map(({ path }) => path);
  return { ...chosen, others };
}

/** Of all modules of a network together: files that refer to themselves would have more. */
const MOST_NAMES = 400_000;

/** Tensors of a TorchScript module under the names that its `state_dict` has for them. */
function tensorsOf(root: ScriptModule): ReadonlyMap<string, TensorView> {
  const tensors = new Map<string, TensorView>();
  const open: [name: string, value: Value][] = [["", root]];
  let count = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    const [name, value] = next;
    if (count++ > MOST_NAMES) throw new WeightsError("modules in this file hold each other");
    if (value instanceof TensorView) tensors.set(name, value);
    if (!(value instanceof ScriptModule)) continue;
    const inner = [...value.entries].map(([key, each]): [string, Value] => {
      return [name === "" ? String(key) : `${name}.${key}`, each];
    });
    open.push(...inner.reverse());
  }
  return tensors;
}

type Found = Omit<StateDict, "others">;

function choose(found: readonly Found[]): Found | undefined {
  const whole = found.find(({ path }) => path === "");
  if (whole) return whole;
  if (found.length === 1) return found[0];
  const named = found.filter(({ path }) => WEIGHTS.has(path.split(".").at(-1)!));
  return named.length === 1 ? named[0] : undefined;
}

/** All dictionaries of tensors, the outermost first. */
function collect(dictionary: Dictionary, path: string, depth: number): readonly Found[] {
  const tensors = new Map<string, TensorView>();
  const inner: Found[] = [];
  for (const [name, value] of dictionary.entries) {
    if (value instanceof TensorView) tensors.set(String(name), value);
    else if (value instanceof Dictionary && isAllowed(name) && depth < DEEPEST) {
      inner.push(...collect(value, path === "" ? String(name) : `${path}.${name}`, depth + 1));
    }
  }
  // A tensor next to whole dictionaries of them is a mean, a loss or the like.
  const isWeights = tensors.size > 0 && (inner.length === 0 || tensors.size > 2);
  return isWeights ? [{ path, tensors }, ...inner] : inner;
}

const isAllowed = (name: unknown) => typeof name === "string" && !TRAINING.test(name);

const SHOWN = 8;

function refusal(root: Value, found: readonly Found[], key: string | undefined): WeightsError {
  const listed = found
    .slice(0, SHOWN)
    .map(({ path, tensors }) => `\`${visible(path)}\` (${tensors.size} tensors)`)
    .join(", ");
  if (key !== undefined && found.length > 0) {
    return new WeightsError(`this file has no weights \`${visible(key)}\`, but ${listed}`);
  }
  if (found.length > 0) {
    return new WeightsError(
      `this file has several dictionaries of tensors: ${listed}. ` +
        `\`netc import --key NAME\` chooses one`,
    );
  }
  return new WeightsError(`this file holds ${describe(root)}: weights are a dictionary of tensors`);
}

function describe(root: Value): string {
  if (root instanceof TensorView) return "a single tensor";
  if (!(root instanceof Dictionary)) return "no dictionary";
  const names = [...root.entries.keys()].slice(0, SHOWN).map((name) => visible(String(name)));
  return names.length === 0 ? "an empty dictionary" : `no tensors, but ${names.join(", ")}`;
}
