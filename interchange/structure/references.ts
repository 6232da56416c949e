/** Which values are read by their names, and from how far. */
import { bodiesOf, type Body, type LayerItem } from "./items.js";

export class References {
  /** Of a layer, the first that it reads by name, and the last that reads it so. */
  private readonly earliest = new Map<number, number>();
  private readonly latest = new Map<number, number>();

  constructor(body: Body) {
    for (const { last, from, others } of layersOf(body)) {
      for (const target of [...(from === undefined ? [] : [from]), ...others]) {
        this.earliest.set(last, Math.min(target, this.earliest.get(last) ?? target));
        this.latest.set(target, Math.max(last, this.latest.get(target) ?? last));
      }
    }
  }

  /** Whether nothing within is read from outside, and the other way round. */
  isClosed(body: Body, { mayBeNamed }: { readonly mayBeNamed: boolean }): boolean {
    const [first, last] = [body[0]!.first, body.at(-1)!.last];
    for (let layer = first; layer <= last; layer++) {
      if ((this.earliest.get(layer) ?? first) < first) return false;
      const isEnd = layer === last && mayBeNamed;
      if (!isEnd && (this.latest.get(layer) ?? last) > last) return false;
    }
    return true;
  }
}

export function layersOf(body: Body): readonly LayerItem[] {
  return body.flatMap((item) =>
    item.form === "layer" ? [item] : bodiesOf(item).flatMap((inner) => layersOf(inner)),
  );
}

/** Layers whose values a body reads by name; -1 is the network's input. */
export function namedWithin(body: Body): ReadonlySet<number> {
  const read = layersOf(body).flatMap(({ from, others }) =>
    from === undefined ? others : [from, ...others],
  );
  return new Set(read);
}
