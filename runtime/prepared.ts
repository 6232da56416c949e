/** Networks as datasets want them, whose numbers are standardized already (standardizing.ts). */
export const prepared = <Network extends object>(network: Network): Network =>
  (network as { readonly asPrepared?: Network }).asPrepared ?? network;
