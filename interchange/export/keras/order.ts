/**
 * The order in which Keras has the layers of a functional model, whatever the order in its file:
 * from the inputs to the outputs by depth, and of one depth as a walk from the outputs meets them.
 * `map_graph` in keras/src/ops/function.py makes it. Groups of weights are numbered by it, so
 * another order would give layers of a class each other's weights.
 */
import type { KerasLayer, TensorRef } from "../channels-last/keras-writer.js";

export function inKerasOrder(
  layers: ReadonlyMap<string, KerasLayer>,
  outputs: readonly TensorRef[],
): readonly KerasLayer[] {
  const walk = new Walk(layers);
  outputs.forEach((output) => walk.visit(output));
  const depths = walk.depths();
  const depthOf = (name: string) => depths.get(name) ?? 0;
  // An input that nothing reads comes first among the last.
  const placeOf = (name: string) => walk.places.get(name) ?? -1;
  return [...layers.values()].sort((a, b) => {
    return depthOf(b.name) - depthOf(a.name) || placeOf(a.name) - placeOf(b.name);
  });
}

class Walk {
  /** Of layers, in the order in which they are met. */
  readonly places = new Map<string, number>();
  /** Uses of layers, each after those that it reads. */
  private readonly uses: TensorRef[] = [];
  private readonly finished = new Set<string>();

  constructor(private readonly layers: ReadonlyMap<string, KerasLayer>) {}

  visit(ref: TensorRef): void {
    const key = keyOf(ref);
    if (this.finished.has(key)) return;
    if (!this.places.has(ref.layer)) this.places.set(ref.layer, this.places.size);
    this.readBy(ref).forEach((input) => this.visit(input));
    this.finished.add(key);
    this.uses.push(ref);
  }

  /** Of layers: the longest way to an output. One that is used twice counts as the earlier. */
  depths(): ReadonlyMap<string, number> {
    const ofUses = new Map<string, number>();
    const ofLayers = new Map<string, number>();
    for (const ref of this.uses.toReversed()) {
      const depth = Math.max(ofUses.get(keyOf(ref)) ?? 0, ofLayers.get(ref.layer) ?? 0);
      ofLayers.set(ref.layer, depth);
      for (const input of this.readBy(ref)) {
        ofUses.set(keyOf(input), Math.max(depth + 1, ofUses.get(keyOf(input)) ?? 0));
      }
    }
    return ofLayers;
  }

  private readBy({ layer, use }: TensorRef): readonly TensorRef[] {
    return this.layers.get(layer)!.uses[use]?.inputs ?? [];
  }
}

const keyOf = ({ layer, use }: TensorRef) => `${use} ${layer}`;
