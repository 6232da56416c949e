/**
 * The same items. Ends once the signal is aborted, also while an item is awaited that may never
 * come; the source is then told to end, and not waited for.
 */
export async function* untilAborted<Item>(
  items: AsyncGenerator<Item, void, void>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Item, void, void> {
  if (!signal) return yield* items;
  let next: IteratorResult<Item, void> | undefined;
  try {
    while ((next = await nextOrAborted(items, signal))) {
      if (next.done) return;
      yield next.value;
    }
  } finally {
    const ending = items.return();
    if (next) await ending;
    else ending.catch(() => {});
  }
}

/** Undefined where the signal comes first. */
function nextOrAborted<Item>(
  items: AsyncGenerator<Item, void, void>,
  signal: AbortSignal,
): Promise<IteratorResult<Item, void> | undefined> {
  return new Promise((resolve, reject) => {
    const abort = () => resolve(undefined);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    void items
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", abort));
  });
}
