/** A network whose weights somebody else has trained, as a first spec takes it over. */

export interface PretrainedNetwork {
  /** Of netc's spec: `resnet18`. */
  readonly name: string;
  /** Of the model in it. */
  readonly model: string;
  /** Constants, blocks and the model, for the classes of the data. */
  readonly text: string;
  /** Layers whose shape depends on the number of classes. */
  readonly head: readonly string[];
  /** Names that cover all other weights. */
  readonly frozen: readonly string[];
  /** Of a prediction. */
  readonly multiplyAdds: number;
  /** Transforms of the splits, as its spec writes them. */
  readonly train: readonly string[];
  readonly evaluation: readonly string[];
}

/** A new head has learned most after these. */
const MOST_EPOCHS = 15;
const FEWEST_EPOCHS = 3;
/** Multiply-adds in a second on two CPU cores, measured with SwiftShader and lavapipe. */
const A_SECOND = 1e10;
const MOST_SECONDS = 240;

/** Epochs of training a head alone, and how long they take on a CPU. */
export function effortFor(
  examples: number,
  { multiplyAdds }: Pick<PretrainedNetwork, "multiplyAdds">,
): { readonly epochs: number; readonly minutes: string } {
  const anEpoch = (examples * multiplyAdds) / A_SECOND;
  const affordable = Math.floor(MOST_SECONDS / anEpoch);
  const epochs = Math.max(FEWEST_EPOCHS, Math.min(MOST_EPOCHS, affordable));
  const minutes = Math.max(1, Math.round((epochs * anEpoch) / 60));
  return { epochs, minutes: minutes === 1 ? "a minute" : `${minutes} minutes` };
}
