import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

export const root = join(import.meta.dirname, "../..");

/** Paths of all pages that users read, from the repository's root. */
export const pages: readonly string[] = [
  ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "editors/vscode/README.md"],
  ...readdirSync(join(root, "docs"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort(),
];

export const isDiagnostic = (page: string): boolean => page.startsWith("docs/diagnostics/");

export const readPage = (page: string): string => readFileSync(join(root, page), "utf8");
