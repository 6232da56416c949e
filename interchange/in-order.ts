/** Items in an order in which each comes after those that it needs. */

/**
 * Keeps the given order where it can. Returns undefined where items depend on each other in a
 * cycle.
 * @param needs indices of the items that an item needs
 */
export function inOrder<Item>(
  items: readonly Item[],
  needs: (item: Item, index: number) => readonly number[],
): readonly Item[] | undefined {
  const readers = items.map((): number[] => []);
  const missing = items.map((item, index) => {
    const needed = new Set(needs(item, index));
    for (const each of needed) readers[each]!.push(index);
    return needed.size;
  });
  const ready = missing.flatMap((count, index) => (count === 0 ? [index] : []));
  const ordered: Item[] = [];
  for (let at = 0; at < ready.length; at++) {
    const index = ready[at]!;
    ordered.push(items[index]!);
    for (const reader of readers[index]!) {
      if (--missing[reader]! === 0) ready.push(reader);
    }
  }
  return ordered.length === items.length ? ordered : undefined;
}
