import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  catalogue,
  type DiagnosticCode,
  diagnosticCodes,
} from "../../compiler/diagnostics/catalogue/index.js";
import { codesOf, FAMILIES, type Family, familyOf } from "../../compiler/diagnostics/families.js";
import { formatted, page, sentence, table } from "./markdown.js";

const NOTICE =
  "<!-- Written by `npm run docs` from compiler/diagnostics/catalogue and specs/errors: " +
  "change those instead. -->";

const INTRODUCTION = `
# Diagnostics

Everything that netc can find wrong with a spec, a page each: what the rule is and why, a wrong and
a right example, and the message of a whole wrong spec. \`netc explain NET2002\` prints the page
without the message. [diagnostics-style.md](../diagnostics-style.md) says how messages are written.
`;

/** The pages of docs/diagnostics by path. @param errors the folder specs/errors */
export async function diagnosticPages(errors: string): Promise<Readonly<Record<string, string>>> {
  const pages = diagnosticCodes.map(async (code): Promise<[string, string]> => {
    return [`docs/diagnostics/${code}.md`, await formatted(codePage(code, errors))];
  });
  return {
    "docs/diagnostics/README.md": await formatted(index()),
    ...Object.fromEntries(await Promise.all(pages)),
  };
}

function index(): string {
  const all = (Object.keys(FAMILIES) as Family[]).filter((family) => codesOf(family).length > 0);
  return page(NOTICE, INTRODUCTION, ...all.map(familySection));
}

function familySection(family: Family): string {
  const rows = codesOf(family).map((code) => [
    `[${code}](${code}.md)`,
    severityOf(code),
    catalogue[code].title,
  ]);
  return page(`## ${headingOf(family)}`, table(["code", "is", "about"], rows));
}

function headingOf(family: Family): string {
  return sentence(FAMILIES[family]).slice(0, -1);
}

function codePage(code: DiagnosticCode, errors: string): string {
  const { title, explanation, wrong, right } = catalogue[code];
  const family = familyOf(code);
  const back = `[${headingOf(family)}](README.md#${FAMILIES[family].replaceAll(" ", "-")})`;
  return page(
    NOTICE,
    `# ${code}: ${title}`,
    `${back}, ${severityOf(code) === "error" ? "an error" : "a warning"}.`,
    explanation,
    wrong && page("Wrong:", block("net", wrong), "Right:", block("net", right)),
    exampleOf(code, errors),
  );
}

/** The wrong spec of specs/errors, and what netc says about it. */
function exampleOf(code: DiagnosticCode, errors: string): string {
  const folder = join(errors, code);
  if (!existsSync(folder)) return "";
  const read = (name: string) => readFileSync(join(folder, name), "utf8");
  const spec = read("spec.net");
  return page(
    "## The message",
    ...(isText(spec)
      ? [`For this spec, specs/errors/${code}/spec.net:`, block("net", spec), "netc prints:"]
      : []),
    block("text", read("expected.txt")),
  );
}

/** Some wrong specs are empty, or no text. */
function isText(spec: string): boolean {
  return spec.trim() !== "" && !/[^\P{Cc}\s]|\ufffd/u.test(spec);
}

function severityOf(code: DiagnosticCode): "error" | "warning" {
  return catalogue[code].severity ?? "error";
}

function block(language: string, text: string): string {
  // A fence is longer than what it holds.
  const fence = text.includes("```") ? "````" : "```";
  return `${fence}${language}\n${text.trimEnd()}\n${fence}`;
}
