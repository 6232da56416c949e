import type { LayerSample } from "../../compiler/layers/index.js";

/** The lines that make the values which a sample reads by name, each from the value `from`. */
export function othersOf({ spec, input, others = [] }: LayerSample, from: string): string {
  const names = /\((.*)\)/.exec(spec)?.[1]?.split(", ") ?? [];
  const lines = others.map((shape, index) => {
    const isSequence = shape.length === 2;
    const [channels, ...space] = isSequence ? [shape[1]] : shape;
    const [tokens] = isSequence && shape[0] !== input[0] ? shape : [];
    const retoken = tokens ? `transpose -> linear(${tokens}) -> transpose -> ` : "";
    const isSame = input[1] === space[0] && input[2] === space[1];
    const resize = isSame ? "" : ` -> adaptive_avgpool([${space.join(", ")}])`;
    const make = space.length
      ? `conv(${channels}, kernel=1)${resize}`
      : `${retoken}linear(${channels})`;
    return `${make} as ${names[index]}\n  from ${from} -> `;
  });
  return lines.join("");
}

/** The type of an input: numbers, or tokens where there is a vocabulary. */
export function inputType(sizes: readonly number[], vocabulary?: number): string {
  const axes = ["N", ...sizes].join(", ");
  return vocabulary === undefined ? `f32[${axes}]` : `u32[${axes}] in 0..${vocabulary}`;
}
