/** What is said of a matching: a row for each tensor, a summary, and why weights cannot be used. */
import type { Matching, Unmatched } from "./match.js";
import type { Shaped } from "./modules.js";

/** Of tensors without a match, or not used, more are only counted. */
const SHOWN = 5;
const CANDIDATES_SHOWN = 4;

export const formatShape = ({ shape }: Pick<Shaped, "shape">): string => `[${shape.join(", ")}]`;

export interface MatchRow {
  readonly own: string;
  readonly file: string;
  readonly shape: string;
  readonly how: string;
  readonly sure: string;
}

/** A row for each tensor of the model, then one for each of the file's that is not used. */
export function rowsOf({ matches, unmatched, left }: Matching): readonly MatchRow[] {
  return [
    ...matches.map(({ own, file, how, sure }) => ({
      own: own.name,
      file: file.name,
      shape: shapesOf(own, file),
      how,
      sure,
    })),
    ...unmatched.map(({ own, candidates }) => ({
      own: own.name,
      file: listCandidates(candidates),
      shape: formatShape(own),
      how: describeGap(own, candidates),
      sure: "no",
    })),
    ...left.map((file) => ({
      own: "-",
      file: file.name,
      shape: formatShape(file),
      how: "not used",
      sure: "-",
    })),
  ];
}

function shapesOf(own: Shaped, file: Shaped): string {
  const [mine, theirs] = [formatShape(own), formatShape(file)];
  return mine === theirs ? mine : `${mine} from ${theirs}`;
}

const listCandidates = (candidates: readonly Shaped[]) =>
  candidates.length === 0 ? "-" : candidates.map(({ name }) => name).join(" or ");

function describeGap(own: Shaped, candidates: readonly Shaped[]): string {
  const [first] = candidates;
  if (!first) return "nothing like it";
  if (candidates.length > 1) return "several are possible";
  const isSame = formatShape(own) === formatShape(first);
  return isSame ? "not sure enough" : `it is ${formatShape(first)} there`;
}

/** How the tensors were matched: `16 by torchvision's alexnet`. */
export function summarize({ matches }: Matching): string {
  const counts = new Map<string, number>();
  for (const { how } of matches) counts.set(how, (counts.get(how) ?? 0) + 1);
  return [...counts].map(([how, count]) => `${count} by ${how}`).join(", ");
}

/** Why the weights cannot be used, line by line; empty where every tensor has its match. */
export function problemsOf({ unmatched }: Matching): readonly string[] {
  const lines = unmatched.slice(0, SHOWN).map(describeUnmatched);
  return [...lines, ...more(unmatched.length)];
}

const more = (count: number) => (count > SHOWN ? [`and ${count - SHOWN} more`] : []);

export function describeUnmatched({ own, candidates }: Unmatched): string {
  const wanted = `\`${own.name}\` ${formatShape(own)}`;
  const [first] = candidates;
  if (!first) return `${wanted}: no tensor of the file has this kind and shape`;
  const names = candidates.slice(0, CANDIDATES_SHOWN).map(({ name }) => `\`${name}\``);
  const rest = candidates.length - names.length;
  if (candidates.length > 1) {
    return `${wanted}: could be ${names.join(", ")}${rest > 0 ? ` or ${rest} more` : ""}`;
  }
  if (formatShape(own) === formatShape(first)) return `${wanted}: is it ${names[0]!}?`;
  return `${wanted}: \`${first.name}\` in its place is ${formatShape(first)}`;
}

/** What to do about tensors without a match. */
export function adviceOf({ unmatched }: Matching): readonly string[] {
  const isQuestion = unmatched.some(({ candidates }) => candidates.length > 1);
  const hasOther = unmatched.some(
    ({ own, candidates: [only, ...others] }) =>
      only && others.length === 0 && formatShape(own) !== formatShape(only),
  );
  return [
    ...(isQuestion
      ? [
          "say which is which: " +
            "`netc import SPEC FILE -o DIR --rename 'FILE_NAME.*=SPEC_NAME.*'`, " +
            "or `rename=` in a recipe's `load`",
        ]
      : []),
    ...(hasOther
      ? [
          "a head for other classes gets initial values " +
            "with `load(FILE, except=[NAMES])` in a recipe",
        ]
      : []),
  ];
}

/** Tensors of the file that are not used, in a line. */
export function describeLeft(left: readonly Shaped[]): string {
  const names = left.slice(0, SHOWN).map((each) => `\`${each.name}\` ${formatShape(each)}`);
  return [...names, ...more(left.length)].join(", ");
}
