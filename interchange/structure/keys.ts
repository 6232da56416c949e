/** Which items are alike: numbers that are equal for those that differ in their slots alone. */
import { bodiesOf, ownSlots, type Body, type Item, type LayerItem } from "./items.js";
import { exactText } from "./slots.js";

/**
 * `equal` tells numbers apart, `alike` does not; `strict` neither, except that a convolution of
 * kernel 1 is another thing than one that sees an image.
 */
export type Likeness = "equal" | "strict" | "alike";

export class Keys {
  private readonly ids = new Map<string, number>();
  private readonly known = {
    equal: new WeakMap<Item, number>(),
    strict: new WeakMap<Item, number>(),
    alike: new WeakMap<Item, number>(),
  };

  of(item: Item, likeness: Likeness): number {
    const known = this.known[likeness].get(item);
    if (known !== undefined) return known;
    const id = this.intern(this.textOf(item, likeness));
    this.known[likeness].set(item, id);
    return id;
  }

  ofAll(body: Body, likeness: Likeness): string {
    return body.map((item) => this.of(item, likeness)).join(",");
  }

  private intern(text: string): number {
    const known = this.ids.get(text) ?? this.ids.size;
    this.ids.set(text, known);
    return known;
  }

  private textOf(item: Item, likeness: Likeness): string {
    const numbers = likeness === "equal" ? ownSlots(item).map(({ text }) => text) : [];
    const inside = bodiesOf(item).map((body) => `{${this.ofAll(body, likeness)}}`);
    return [item.form, this.headOf(item, likeness), numbers.join(";"), ...inside].join("|");
  }

  private headOf(item: Item, likeness: Likeness): string {
    switch (item.form) {
      case "layer":
        return layerHead(item, likeness);
      case "for":
        return `${item.variables.join()} ${item.rows.length}`;
      case "use":
        return item.block.name;
      case "residual":
        return typeof item.skip === "string" ? "" : "skip";
      case "branches":
      case "section":
      case "repeat":
        return "";
    }
  }
}

function layerHead(item: LayerItem, likeness: Likeness): string {
  const { role, last, from, others } = item;
  const far = [
    ...(from === undefined ? [] : ["from", last - from]),
    ...others.map((o) => last - o),
  ];
  const isPoint = item.slots.some(({ argument, text }) => argument === "kernel" && text === "1");
  const size = likeness === "strict" && isPoint ? "1x1" : "";
  return [exactText(item), role, size, ...far].join(" ");
}
