/**
 * Names that recipes of other frameworks have and netc does not, in plain letters, and what to do
 * instead.
 */
import type { AbsentNames } from "../../calls/suggestion.js";

const nearest = "`adam` and `adamw` are the nearest to it";
const colours = "`color_jitter(0.4, 0.4, 0.4)` changes brightness, contrast and saturation";
const shapes = "`random_resized_crop(224)` and `hflip` change position, size and shape";
const decoded = "pixels come as numbers from 0 to 1, channels first: leave it out";
const converted = "convert the data to folders of images, tar shards, Parquet or CSV";

export const absentOptimizers: AbsentNames = {
  ...all(["nadam", "radam", "adamax", "adabelief", "adafactor", "lion", "ftrl"], nearest),
  ...all(["asgd", "rprop", "lbfgs"], "`sgd` with momentum, or `adam`"),
};

export const absentSchedules: AbsentNames = {
  ...all(
    ["cosineannealingwarmrestarts", "cosinedecayrestarts", "sgdr"],
    "`cosine` falls once, to the end of the run",
  ),
  ...all(["sequentiallr", "chainedscheduler"], "write `->`: `warmup(5 epochs) -> cosine`"),
  ...all(["lambdalr", "multiplicativelr"], "netc has no functions; `multistep` has free points"),
  ...all(["noam", "inversesqrt", "invsqrt", "inversetimedecay", "inv"], "`polynomial` is near"),
  cycliclr: "`onecycle` rises and falls once",
};

export const absentTransforms: AbsentNames = {
  ...all(["totensor", "piltotensor", "toimage", "todtype", "convertimagedtype"], decoded),
  ...all(["rescale", "rescaling"], decoded),
  compose: "write `->` between transforms: `resize(256) -> center_crop(224)`",
  ...all(["randomrotation", "randomaffine", "randomperspective", "elastictransform"], shapes),
  ...all(["randomzoom", "randomtranslation"], shapes),
  ...all(["gaussianblur", "randomadjustsharpness", "randomautocontrast"], colours),
  ...all(["randomequalize", "randomposterize", "randomsolarize", "randominvert"], colours),
  ...all(["autoaugment", "randaugment", "trivialaugment", "trivialaugmentwide"], shapes),
  augmix: "`mixup` and `cutmix` mix two images",
  ...all(["grayscale", "greyscale", "randomgrayscale", "togray"], "an input of 1 channel is grey"),
  fivecrop: "`ten_crop(224)` takes the five squares and mirrors them",
  pad: "`random_crop(32, padding=4)` adds black pixels before it cuts",
  ...all(["lambda", "randomapply", "randomchoice"], "netc has no functions of images"),
  onehot: "labels are class numbers: leave it out",
};

export const absentSources: AbsentNames = {
  ...all(
    ["imagenet", "caltech101", "flowers102", "food101"],
    '`folder("...")` reads class folders',
  ),
  ...all(["cifar100", "svhn", "stl10", "coco", "vocdetection"], converted),
  ...all(["npy", "npz", "numpy", "hdf5", "h5", "tfrecord", "tfrecords", "lmdb", "json"], converted),
};

function all(names: readonly string[], instead: string): AbsentNames {
  return Object.fromEntries(names.map((name) => [name, instead]));
}
