import type { Diagnostic } from "vscode-languageserver";
import { renderLsp } from "../../compiler/diagnostics/render-lsp.js";
import type { Diagnostic as Found } from "../../compiler/diagnostics/diagnostic.js";
import type { SpecDocument } from "../document.js";

/**
 * What is wrong with a spec. Mistakes in imported files are shown at the import that leads there.
 */
export function diagnostics(document: SpecDocument): Diagnostic[] {
  const uriOf = (file: string) => document.uriOf(file);
  const { diagnostics: found } = document.analysis;
  return found.map((diagnostic) => renderLsp(atImport(diagnostic, document), uriOf));
}

function atImport(diagnostic: Found, { file, spec }: SpecDocument): Found {
  const { primary, message, related } = diagnostic;
  if (primary.span.file === file) return diagnostic;
  const imports = spec.declarations.filter((declaration) => declaration.kind === "import");
  const name = primary.span.file.split("/").at(-1)!;
  const found = imports.find(({ path }) => path.value.endsWith(name)) ?? imports[0];
  const span = found?.path.span ?? { ...spec.span, end: spec.span.start };
  return {
    ...diagnostic,
    message: `in ${primary.span.file}: ${message}`,
    primary: { span, message: "" },
    related: [{ span: primary.span, message: primary.message || message }, ...related],
  };
}
