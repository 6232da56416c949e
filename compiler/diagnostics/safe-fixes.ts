/**
 * Which fixes may be applied without asking. A fix that was checked takes its mistake away; that alone does not make the
 * spec what was meant: another size does so, too, and is another network. Safe is a fix that has no rival in its diagnostic and
 * puts back what the text can but have meant: the punctuation that is the only one possible, or the name that was misspelt or
 * that another framework gives to the same thing.
 */
import { editDistance } from "../../grammar/distance.js";
import type { DiagnosticCode } from "./catalogue/index.js";
import type { Diagnostic, Fix } from "./diagnostic.js";
import { type Candidate, plainName } from "./suggest.js";

/**
 * Mistakes of syntax that can be mended in one way, and what may be inserted there. Brackets, arrows and commas are not among
 * them: where one is missing, or one too many, a word may just as well be missing or one too many.
 */
const punctuation: { readonly [Code in DiagnosticCode]?: RegExp } = {
  NET0001: /^ ?[=:]$/,
  NET0005: /./, // `1_000`, `0x10`, `5epochs`
  NET0006: /^/, // signs of other languages and of word processors
  NET0007: /./, // a misspelt keyword
};

/** The fix of a diagnostic that may be applied without asking. */
export function safeFix({ code, fixes }: Diagnostic): Fix | undefined {
  const [fix, rival] = fixes;
  if (!fix || rival) return undefined;
  return fix.isCertain || isPunctuation(code as DiagnosticCode, fix) ? fix : undefined;
}

function isPunctuation(code: DiagnosticCode, { edits }: Fix): boolean {
  const allowed = punctuation[code];
  return allowed !== undefined && edits.every(({ newText }) => allowed.test(newText));
}

/**
 * Aliases, in plain letters, of things that are near to what they suggest, and not the same: a radius and a size, losses of
 * probabilities and of logits, one of two distributions.
 */
export const looseAliases: ReadonlySet<string> = new Set([
  // Layers
  ...["pooling", "eltwise", "upsamplingnearest2d", "upsamplingbilinear2d", "crop", "gate"],
  // Losses and metrics
  ...["nll", "bce", "bceloss", "binarycrossentropy", "euclideanloss", "l2", "topk", "top5"],
  // Initializers
  ...["kaimingnormal", "henormal", "kaiminguniform", "xavieruniform", "glorotuniform"],
  ...["xaviernormal"],
  // Arguments and settings
  ...["depthradius", "channels", "features", "learningrate", "decay", "step", "n", "window"],
  ...["momentum", "clip", "linear", "int", "number", "tsv", "scale"],
]);

/** Fewer letters than these make too many words that differ in one. */
const SHORTEST_WORD = 4;

/** Whether a name that nobody knows can only have meant the one that `suggest` finds. */
export function isCertainName(written: string, candidates: readonly Candidate[]): boolean {
  const word = plainName(written);
  const same = candidates.filter((each) =>
    wordsOf(each).some((known) => plainName(known) === word),
  );
  if (same.length > 0) return same.length === 1 && !looseAliases.has(word);
  const near = candidates.filter((each) =>
    wordsOf(each).some((known) => isOneEditAway(written, known)),
  );
  const known = near[0] && wordsOf(near[0]).filter((each) => isOneEditAway(written, each));
  return near.length === 1 && known!.some((each) => isTypingError(written, each));
}

const wordsOf = ({ name, aliases }: Candidate): readonly string[] => [name, ...aliases];

function isOneEditAway(written: string, known: string): boolean {
  return editDistance(written.toLowerCase(), known.toLowerCase()) === 1;
}

/**
 * Of two words that differ in one letter: whether one is the other, typed wrongly. Fingers swap letters, miss and
 * double them; they rarely miss the first one, and they do not count. `vflip` is no `hflip`, `prelu` no `relu`, `fc7` no `fc6`.
 */
function isTypingError(written: string, known: string): boolean {
  const [a, b] = [written.toLowerCase(), known.toLowerCase()];
  if (digitsOf(a) !== digitsOf(b)) return false;
  if (lettersOf(a) === lettersOf(b)) return true;
  return a[0] === b[0] && Math.min(a.length, b.length) >= SHORTEST_WORD;
}

const digitsOf = (word: string): string => word.replace(/\D/g, "");
const lettersOf = (word: string): string => [...word].sort().join("");
