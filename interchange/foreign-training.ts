/** How a model was trained, where its files say it. */
/** Factors of one tensor's learning rate and weight decay. */
export interface TensorFactors {
  readonly rate: number;
  readonly decay: number;
}

export interface ForeignTraining {
  /** Updates of the weights. */
  readonly iterations: number;
  /** Images of an update. */
  readonly batch: number;
  /** Other settings of the recipe, as a spec writes their values. */
  readonly settings: readonly (readonly [name: string, value: string])[];
  /** Classes that may be right, for each accuracy that the model is judged by. */
  readonly accuracies: readonly number[];
  /** Transforms of the images, without `normalize`. */
  readonly transforms: { readonly train: readonly string[]; readonly eval: readonly string[] };
  /** Of images from 0 to 255: what is taken from each channel, and the factor after that. */
  readonly normalization?: { readonly mean: readonly number[]; readonly scale: number };
  /** Of weight and bias, by the file's names of the layers. */
  readonly factors: ReadonlyMap<string, readonly TensorFactors[]>;
}
