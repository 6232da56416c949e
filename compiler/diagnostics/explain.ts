import { catalogue, isDiagnosticCode } from "./catalogue/index.js";

/** The page of a code, in markdown; undefined for a code that does not exist. */
export function explain(code: string): string | undefined {
  if (!isDiagnosticCode(code)) return undefined;
  const { title, explanation, wrong, right } = catalogue[code];
  const examples = wrong === "" ? [] : ["Wrong:", netBlock(wrong), "Right:", netBlock(right)];
  return [`# ${code}: ${title}`, explanation, ...examples].join("\n\n");
}

function netBlock(text: string): string {
  return `\`\`\`net\n${text.trimEnd()}\n\`\`\``;
}
