/** Which numbers of a layer's call may differ between layers that are otherwise alike. */
import { callText } from "../../compiler/calls/call-text.js";
import type { ResolvedLayer } from "../../compiler/network/resolved.js";
import type { Signature } from "../../compiler/calls/signature.js";
import type { LayerItem, Slot } from "./items.js";

/** Integers that people write as parameters of blocks. */
const VARIED = ["out", "kernel", "stride", "padding", "dilation", "groups"];

export function slotsOf({ definition, values }: ResolvedLayer): readonly Slot[] {
  return VARIED.flatMap((argument) => {
    const declared = (definition as Signature).arguments[argument];
    const value = values[argument];
    if (!declared || value === undefined) return [];
    const text = declared.type.write(value);
    return /^\d+$/.test(text) ? [{ argument, text }] : [];
  });
}

/** Everything else that its call says. */
export function exactText({ layer, slots }: LayerItem): string {
  const varied = new Set(slots.map(({ argument }) => argument));
  const fixed = Object.entries(layer.values).filter(([name]) => !varied.has(name));
  const text = callText(layer.definition, Object.fromEntries(fixed));
  return `${text} ${[...varied].join(" ")}`;
}

/** A call with these numbers: `conv(2 * width, kernel=3)`. */
export function layerText(
  { layer: { definition, values }, slots }: LayerItem,
  others: readonly string[],
): string {
  const signature = definition as Signature;
  const texts = new Map(slots.map(({ argument, text }) => [argument, text]));
  const declared = Object.entries(signature.arguments).map(([name, declaration]) => {
    const text = texts.get(name);
    if (text === undefined || /^\d+$/.test(text)) return [name, declaration] as const;
    return [name, { ...declaration, type: { ...declaration.type, write: () => text } }] as const;
  });
  const given = { ...values };
  const written = { ...signature, arguments: Object.fromEntries(declared) };
  return callText(withDefaultsApart(written, texts), given, others);
}

/** So that an expression is written also where its first value is the default. */
function withDefaultsApart(signature: Signature, texts: ReadonlyMap<string, string>): Signature {
  const entries = Object.entries(signature.arguments).map(([name, declaration]) => {
    const isExpression = !/^\d+$/.test(texts.get(name) ?? "0");
    return [name, isExpression ? { ...declaration, defaultValue: undefined } : declaration];
  });
  return { ...signature, arguments: Object.fromEntries(entries) as Signature["arguments"] };
}

/** What a convolution is by its groups: people name these kinds differently. */
export function roleOf({ definition, values }: ResolvedLayer, channels: number): string {
  if (definition.name !== "conv") return "";
  const groups = Number(values.groups);
  return groups === 1 ? "" : groups === channels ? "depthwise" : "grouped";
}
