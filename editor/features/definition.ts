import type { Location } from "vscode-languageserver";
import type { Span } from "../../grammar/ast.js";
import { argumentAt } from "../arguments.js";
import type { SpecDocument } from "../document.js";
import { nameAt } from "../names.js";
import { touches } from "../spans.js";

/**
 * Where a name comes from: a declaration, the layer that `as` names, an imported file, a block's
 * parameter.
 */
export function definition(document: SpecDocument, offset: number): Location | undefined {
  const span = nameAt(document, offset)?.definition ?? parameterAt(document, offset);
  return span ? document.location(span) : importedFile(document, offset);
}

/** The parameter that an argument of a block or model gives a value to. */
function parameterAt(document: SpecDocument, offset: number): Span | undefined {
  const argument = argumentAt(document, offset);
  const callee = argument && nameAt(document, argument.call.callee.span.start.offset);
  const spec = callee && document.specOf(callee.definition.file);
  const declaration = spec?.declarations.find(
    (each) =>
      "parameters" in each && each.name.span.start.offset === callee?.definition.start.offset,
  );
  if (!declaration || !("parameters" in declaration)) return undefined;
  return declaration.parameters.find(({ name }) => name.name === argument?.name)?.name.span;
}

/** The start of the file that an import's path names. */
function importedFile(document: SpecDocument, offset: number): Location | undefined {
  const { spec, analysis } = document;
  const found = spec.declarations
    .filter((declaration) => declaration.kind === "import")
    .find(({ path }) => touches(path.span, offset));
  const file = found && document.importedName(found.path.value);
  if (file === undefined || !analysis.sources.has(file)) return undefined;
  const start = { line: 0, character: 0 };
  return { uri: document.uriOf(file), range: { start, end: start } };
}
