/** Told how far a long look is: "looked at 300 of 2,000 pictures". */
export type Progress = (done: number, total: number) => void;

/** Files that are open at once: enough to keep disk and cores busy. */
const AT_ONCE = 8;

/** The results of an action for each item, a few at a time, in the order of the items. */
export async function inTurns<Item, Result>(
  items: readonly Item[],
  action: (item: Item) => Promise<Result>,
  progress: Progress = () => {},
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  let done = 0;
  const work = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await action(items[index]!);
      progress(++done, items.length);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}
