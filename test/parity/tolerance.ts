/**
 * The largest relative error of a tensor that counts as equal to PyTorch's: 1e-4 of its norm, less a fifth, since a
 * sketch may show an error up to that much smaller than it is.
 */
export const TOLERANCE = 0.8e-4;
