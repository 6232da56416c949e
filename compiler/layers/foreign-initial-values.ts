/** How the weights of layers start in other frameworks. */

/** Keras' `glorot_uniform` and `zeros`; netc's are PyTorch's. */
export const KERAS_INITIAL_VALUES = { init: "xavier", bias_init: "constant(0)" } as const;

export const CAFFE_INITIAL_VALUES =
  "without fillers, weights start at 0 in Caffe, and as in PyTorch here: `init` changes that";
