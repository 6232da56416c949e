/**
 * Names that recipes of other frameworks have and netc does not, in plain letters, and what to do
 * instead.
 */
import type { AbsentNames } from "../../calls/suggestion.js";

const NEAREST = "`adam` and `adamw` are the nearest to it";
const COLORS = "`color_jitter(0.4, 0.4, 0.4)` changes brightness, contrast and saturation";
const DECODED = "pixels come as numbers from 0 to 1, channels first: leave it out";
const CONVERTED = "convert the data to folders of images, tar shards, Parquet or CSV";

export const absentOptimizers: AbsentNames = {
  ...all(["adamax", "adabelief", "adafactor", "ftrl"], NEAREST),
  ...all(["asgd", "rprop", "lbfgs"], "`sgd` with momentum, or `adam`"),
};

export const absentSchedules: AbsentNames = {
  ...all(["sequentiallr", "chainedscheduler"], "write `->`: `constant(until=10 epochs) -> cosine`"),
  ...all(["lambdalr", "multiplicativelr"], "netc has no functions; `multistep` has free points"),
  ...all(["noam", "inversesqrt", "invsqrt"], "`inverse(power=0.5)` is near"),
  cycliclr: "`onecycle` rises and falls once",
};

export const absentTransforms: AbsentNames = {
  ...all(["totensor", "piltotensor", "toimage", "todtype", "convertimagedtype"], DECODED),
  ...all(["rescale", "rescaling"], DECODED),
  compose: "write `->` between transforms: `resize(256) -> center_crop(224)`",
  elastictransform: "`affine` turns, moves, scales and shears",
  randomzoom: "`affine(scale=[0.8, 1.2])` scales",
  randomtranslation: "`affine(translate=[0.1, 0.1])` moves",
  ...all(["randomadjustsharpness", "randomautocontrast"], COLORS),
  ...all(["randomequalize", "randomposterize", "randomsolarize", "randominvert"], COLORS),
  autoaugment: "`rand_augment` and `trivial_augment` draw from the same operations",
  ...all(["grayscale", "greyscale", "randomgrayscale", "togray"], "an input of 1 channel is gray"),
  fivecrop: "`ten_crop(224)` takes the five squares and mirrors them",
  pad: "`random_crop(32, padding=4)` adds black pixels before it cuts",
  lambda: "netc has no functions of images",
  ...all(
    ["someof", "randomorder"],
    "`one_of(...)` does one of several transforms, `random_apply(...)` all of them or none",
  ),
  onehot: "labels are class numbers: leave it out",
};

export const absentSources: AbsentNames = {
  ...all(
    ["imagenet", "caltech101", "flowers102", "food101"],
    '`folder("...")` reads class folders',
  ),
  ...all(["cifar100", "svhn", "stl10"], CONVERTED),
  ...all(["npy", "npz", "numpy", "hdf5", "h5", "tfrecord", "tfrecords", "lmdb", "json"], CONVERTED),
};

function all(names: readonly string[], instead: string): AbsentNames {
  return Object.fromEntries(names.map((name) => [name, instead]));
}
