/**
 * A search over the pages of the documentation, as a site's search does it: words of titles count
 * most, then words of headings, of "Elsewhere" lines and of the text. Rare words count more than
 * frequent ones (BM25, Robertson and Zaragoza, 2009), and words match by their beginnings.
 */
import { isDiagnostic, pages, readPage } from "./pages.js";

const WEIGHTS = { title: 40, headings: 5, elsewhere: 5, text: 1 };

type Field = keyof typeof WEIGHTS;

/** How fast repeated words lose their worth, and how much long texts count less. */
const [SATURATION, LENGTH] = [1.2, 0.4];

interface IndexedPage {
  readonly page: string;
  /** How often each word occurs, weighted by its place. */
  readonly counts: ReadonlyMap<string, number>;
  readonly length: number;
}

/** Words that say nothing about a subject. */
const STOP_WORDS = new Set([
  ...["a", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "how"],
  ...["i", "in", "is", "it", "my", "of", "on", "or", "the", "to", "what", "why", "with"],
]);

const wordsOf = (text: string) =>
  (text.toLowerCase().match(/[a-z0-9]+/g) ?? []).filter((word) => !STOP_WORDS.has(word)).map(stem);

/** Without the endings of plurals and verbs: "images" and "image" are one word. */
const stem = (word: string) =>
  word.length > 4 ? word.replace(/(ings?|ies|es|s|ed|e|y)$/, "") : word.replace(/s$/, "");

function fieldsOf(page: string): Readonly<Record<Field, string>> {
  const prose = readPage(page).replace(/^(`{3,})[^]*?^\1$/gm, "");
  const headings = prose.match(/^#+ .*$/gm) ?? [];
  return {
    title: headings[0] ?? "",
    headings: headings.slice(1).join("\n"),
    elsewhere: (prose.match(/^Elsewhere: (.+\n)+/gm) ?? []).join("\n"),
    text: prose,
  };
}

function index(page: string): IndexedPage {
  const counts = new Map<string, number>();
  const fields = fieldsOf(page);
  for (const field of Object.keys(WEIGHTS) as Field[]) {
    const words = wordsOf(fields[field]);
    // A word of a short title says more about its page.
    const weight = field === "title" ? WEIGHTS.title / words.length : WEIGHTS[field];
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + weight);
  }
  return { page, counts, length: [...counts.values()].reduce((sum, count) => sum + count, 0) };
}

const searched = pages.filter((page) => page.startsWith("docs/") && !isDiagnostic(page));
const indexed = searched.map(index);
const meanLength = indexed.reduce((sum, { length }) => sum + length, 0) / indexed.length;

function scoreOf({ counts, length }: IndexedPage, word: string): number {
  const found = counts.get(word) ?? 0;
  const pagesWithIt = indexed.filter((each) => each.counts.has(word)).length;
  const rarity = Math.log(1 + (indexed.length - pagesWithIt + 0.5) / (pagesWithIt + 0.5));
  const norm = SATURATION * (1 - LENGTH + (LENGTH * length) / meanLength);
  return (rarity * found * (SATURATION + 1)) / (found + norm);
}

/** The pages that answer a question, best first. */
export function search(question: string): readonly string[] {
  const words = wordsOf(question);
  const scored = indexed.map((each) => {
    const score = words.reduce((sum, word) => sum + scoreOf(each, word), 0);
    return { page: each.page, score };
  });
  return scored
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ page }) => page.replace(/^docs\/(.*)\.md$/, "$1"));
}
