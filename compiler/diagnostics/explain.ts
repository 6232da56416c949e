import { catalogue, isDiagnosticCode } from "./catalogue/index.js";
import { codesOf, FAMILIES, type Family } from "./families.js";

/** The page of a code, in markdown; undefined for a code that does not exist. */
export function explain(code: string): string | undefined {
  if (!isDiagnosticCode(code)) return undefined;
  const { title, explanation, wrong, right } = catalogue[code];
  const examples = wrong === "" ? [] : ["Wrong:", codeBlock(wrong), "Right:", codeBlock(right)];
  return [`# ${code}: ${title}`, explanation, ...examples].join("\n\n");
}

/** Every code with its title, family by family. */
export function explainAll(): string {
  const all = Object.keys(FAMILIES) as Family[];
  return all
    .filter((family) => codesOf(family).length > 0)
    .map(listFamily)
    .join("\n\n");
}

function listFamily(family: Family): string {
  const lines = codesOf(family).map((code) => `  ${code}  ${catalogue[code].title}`);
  return [`${family}: ${FAMILIES[family]}`, ...lines].join("\n");
}

/** A code block of a spec's text. */
export function codeBlock(text: string): string {
  return `\`\`\`net\n${text.trimEnd()}\n\`\`\``;
}
