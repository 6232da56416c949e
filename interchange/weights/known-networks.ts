/** Networks of libraries that files of weights are recognized by. */
import type { KnownNetwork } from "./naming.js";
import { timmNetworks } from "./timm.js";
import { torchvisionNames } from "./torchvision.js";
import { transformersNetworks } from "./transformers.js";

export const knownNetworks: readonly KnownNetwork[] = [
  ...[...torchvisionNames].map(([network, layers]) => {
    return { title: `torchvision's ${network}`, layers };
  }),
  ...timmNetworks,
  ...transformersNetworks,
];
