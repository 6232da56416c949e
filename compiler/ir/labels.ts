/** Weights of classes that all count alike: their mean is over the pixels that have a class. */
export const ones = (classes: number): readonly number[] =>
  Array.from({ length: classes }, () => 1);
