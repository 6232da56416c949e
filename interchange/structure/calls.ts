import type { UseItem } from "./items.js";

/** The use of a block: `basic(128, stride=2)`. What has its default is left out. */
export function useText({ block: { name, parameters }, slots }: UseItem): string {
  const parts = parameters.flatMap(({ name: parameter, otherwise }, index) => {
    const { text } = slots[index]!;
    if (otherwise === undefined) return [text];
    return text === otherwise ? [] : [`${parameter}=${text}`];
  });
  return parts.length === 0 ? name : `${name}(${parts.join(", ")})`;
}
