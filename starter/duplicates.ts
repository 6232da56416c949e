import type { ProbedPicture } from "./probe.js";
import type { Duplicate } from "./survey.js";

const ORDER: readonly Duplicate["across"][] = ["splits", "classes", "one class"];

/** Files with the same bytes as an earlier one, those that do most harm first. */
export function findDuplicates(pictures: readonly ProbedPicture[]): readonly Duplicate[] {
  const first = new Map<string, ProbedPicture>();
  const found: Duplicate[] = [];
  for (const picture of pictures) {
    const earlier = first.get(picture.digest);
    if (earlier === undefined) first.set(picture.digest, picture);
    else found.push({ file: picture.path, of: earlier.path, across: across(earlier, picture) });
  }
  return found.sort((a, b) => ORDER.indexOf(a.across) - ORDER.indexOf(b.across));
}

function across(one: ProbedPicture, other: ProbedPicture): Duplicate["across"] {
  if (one.split !== other.split) return "splits";
  return one.label === other.label ? "one class" : "classes";
}
