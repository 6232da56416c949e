/** Tensors of one layer belong together: what is matched are layers, by all of their tensors. */

export interface Shaped {
  readonly name: string;
  readonly shape: readonly number[];
}

/** A layer's tensors: those whose names differ in the last part. */
export interface Module<Tensor extends Shaped = Shaped> {
  /** What comes before the last part. */
  readonly name: string;
  /** By the last part of their names: `weight`, `running_mean`. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

const endOf = (name: string) => name.slice(name.lastIndexOf(".") + 1);
const startOf = (name: string) => name.slice(0, Math.max(0, name.lastIndexOf(".")));

/** The layers of some tensors, in the order of their first ones. */
export function modulesOf<Tensor extends Shaped>(
  tensors: readonly Tensor[],
): readonly Module<Tensor>[] {
  const found = new Map<string, Map<string, Tensor>>();
  for (const tensor of tensors) {
    const name = startOf(tensor.name);
    if (!found.has(name)) found.set(name, new Map());
    found.get(name)!.set(endOf(tensor.name), tensor);
  }
  return [...found].map(([name, own]) => ({ name, tensors: own }));
}

/** Whether two layers have the same kinds of tensors. */
export function sameKinds({ tensors: a }: Module, { tensors: b }: Module): boolean {
  return a.size === b.size && [...a.keys()].every((kind) => b.has(kind));
}

/** Whether two layers are of the same kind, and all their tensors hold the same numbers. */
export function isAlike(a: Module, b: Module): boolean {
  return (
    sameKinds(a, b) &&
    [...a.tensors].every(([kind, { shape }]) => {
      return sameNumbers(shape, b.tensors.get(kind)!.shape);
    })
  );
}

/**
 * Whether two shapes hold the same numbers in the same order: up to ones at their end, `[10, 512]`
 * and `[10, 512, 1, 1]`; of a linear layer over a flattened image, which may be a convolution over
 * all of it, `[4096, 25088]` and `[4096, 512, 7, 7]`; and of numbers for each token or channel,
 * which PyTorch keeps with axes for the batch and the tokens, `[197, 768]` and `[1, 197, 768]`.
 */
export function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  if (String(withoutOnes(a)) === String(withoutOnes(b))) return true;
  if (isBatchOf(a, b) || isBatchOf(b, a)) return true;
  const isFlattened = Math.min(a.length, b.length) === 2 && Math.max(a.length, b.length) === 4;
  return isFlattened && a[0] === b[0] && inputsOf(a) === inputsOf(b);
}

function isBatchOf(a: readonly number[], b: readonly number[]): boolean {
  const isShort = b.length === 1 || b.length === 2;
  return isShort && a.length === 3 && String(a) === String([...a.map(() => 1), ...b].slice(-3));
}

const inputsOf = (shape: readonly number[]) => shape.slice(1).reduce((x, y) => x * y, 1);

function withoutOnes(shape: readonly number[]): readonly number[] {
  const end = shape.findLastIndex((size) => size !== 1);
  return shape.slice(0, end + 1);
}

/** A text that is the same for layers that are alike. */
export function signatureOf({ tensors }: Module): string {
  const parts = [...tensors].map(([kind, { shape }]) => `${kind}[${withoutOnes(shape).join()}]`);
  return parts.sort().join(" ");
}
