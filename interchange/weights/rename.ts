/** Names of tensors that users give in place of those in a file. */

/** A pattern of a file's names, and what replaces it. One `*` in each is the same text. */
export interface Renaming {
  readonly from: string;
  readonly to: string;
}

/** `fc.* = classifier.logits.*`, as on the command line; undefined for another text. */
export function parseRenaming(text: string): Renaming | undefined {
  const [from, to, ...others] = text.split("=").map((part) => part.trim());
  if (!from || !to || others.length > 0) return undefined;
  return isRenaming({ from, to }) ? { from, to } : undefined;
}

/** Whether a pair of patterns says which name becomes which. */
export function isRenaming({ from, to }: Renaming): boolean {
  const stars = [from, to].map((text) => text.split("*").length - 1);
  return stars[0] === stars[1] && stars[0]! <= 1;
}

/** The new name; undefined where the pattern does not match. */
export function renamed(name: string, { from, to }: Renaming): string | undefined {
  if (!from.includes("*")) return name === from ? to : undefined;
  const [start, end] = from.split("*") as [string, string];
  const isMatch =
    name.startsWith(start) && name.endsWith(end) && name.length > start.length + end.length;
  if (!isMatch) return undefined;
  return to.replace("*", () => name.slice(start.length, name.length - end.length));
}
