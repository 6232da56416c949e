/** Models of several pictures for each example, and pictures for them. */
import type { Dataset } from "../../runtime/data/dataset.js";
import type { TupleKind } from "../../program/tuples.js";

export const TRIPLETS = `fn distance(a, b) = sum((a - b)^2, over=channels)

model Embedding {
  input anchor: f32[N, 1, 8, 8]
  input positive: f32[N, 1, 8, 8]
  input negative: f32[N, 1, 8, 8]

  share embed {
    conv(4, kernel=3, padding=1) -> relu -> maxpool(2)
    flatten -> dropout(0.2) -> linear(6) as last
  }

  from positive -> embed as same
  from negative -> embed as other
  from anchor -> embed as own
  from own

  loss   mean(max(distance(own, same) - distance(own, other) + 1, 0))
  metric ranked = mean(positive(distance(own, other) - distance(own, same)))
}

data Some for Embedding {
  train triplets(folder("none")) {
    random_crop(8, padding=2) -> color_jitter(0.3, 0.3) -> hflip -> normalize(mean=[0.5], std=[0.5])
  }
  eval triplets(folder("none")) { normalize(mean=[0.5], std=[0.5]) }
}

train Run of Embedding on Some {
  freeze    = [embed.conv1.*]
  unfreeze  = after(1 epochs, [embed.conv1.*])
  average   = ema(0.8)
  epochs    = 3
  batch     = 4
  optimizer = adam(lr=0.02)
  seed      = 3
}
`;

export const SIAMESE_PAIRS = `fn distance(a, b) = sqrt(sum((a - b)^2, over=channels) + 1e-6)

model Pair {
  input left: f32[N, 1, 8, 8]
  input right: f32[N, 1, 8, 8]
  target same: f32[N, 1]

  share embed {
    conv(4, kernel=3, padding=1) -> relu -> maxpool(2)
    flatten -> linear(6)
  }

  from right -> embed as other
  from left -> embed as own
  let apart = distance(own, other)

  loss mean(same * apart^2 + (1 - same) * max(1 - apart, 0)^2)
}

data Some for Pair {
  train siamese(folder("none")) { hflip }
  eval siamese(folder("none"))
}

train Run of Pair on Some {
  epochs    = 2
  batch     = 4
  optimizer = sgd(lr=0.05)
}
`;

/** Ten pictures of three classes: stripes of other widths, of other brightness. */
export function stripes(tuples: TupleKind, pixels: "bytes" | "floats" = "bytes"): Dataset {
  return {
    name: "stripes",
    classes: ["a", "b", "c"],
    length: 10,
    pixels,
    tuples,
    labelAt: (index) => index % 3,
    get: (index) => {
      const value = (at: number) => (Math.floor(at / (2 + (index % 3))) % 2) * (150 + 10 * index);
      const side = { width: 8, height: 8, channels: 1, maximum: 255 } as const;
      const image = { ...side, pixels: Uint8Array.from({ length: 64 }, (_, at) => value(at)) };
      return Promise.resolve({ image, label: index % 3 });
    },
  };
}
