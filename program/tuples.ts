/** Examples of several pictures, which sources draw by class. */

/** `triplets`: two pictures of a class and one of another; `siamese`: two of a class or of two. */
export type TupleKind = "triplets" | "siamese";

/** The network's inputs that the pictures go to, in the order in which they are staged. */
export const TUPLE_INPUTS = {
  triplets: ["anchor", "positive", "negative"],
  siamese: ["left", "right"],
} as const satisfies Readonly<Record<TupleKind, readonly string[]>>;

/** Whether a call of this name draws tuples. */
export const isTupleKind = (name: string): name is TupleKind => Object.hasOwn(TUPLE_INPUTS, name);

/** What an evaluation on tuples measures in any case, of a network that predicts embeddings. */
export const RECALL_METRIC = "recall_at_1";

/** Of more pictures, this many evenly spaced ones look for their nearest: the time stays linear. */
export const RECALL_QUERIES = 10_000;
