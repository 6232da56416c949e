import type { Span } from "../../grammar/ast.js";
import { catalogue, diagnosticCodes, type DiagnosticCode } from "./catalogue/index.js";
import type { Diagnostic, Edit, Fix, Label } from "./diagnostic.js";
import { explain } from "./explain.js";
import { FAMILIES, familyOf } from "./families.js";

export interface SarifOptions {
  /** netc's own version. */
  readonly version: string;
  /** The absolute URI of a code's page; rules have no `helpUri` without it. */
  readonly helpUri?: (code: DiagnosticCode) => string;
}

/**
 * All diagnostics as one SARIF 2.1.0 log, which code scanners and editors read (OASIS, "Static
 * Analysis Results Interchange Format", 2020). Every code of the catalogue is a rule, found or not.
 * Lines and columns count from 1 in UTF-16 code units, ends are exclusive: as in spans.
 */
export function renderSarif(diagnostics: readonly Diagnostic[], options: SarifOptions): string {
  return JSON.stringify({
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: describeTool(options) },
        columnKind: "utf16CodeUnits",
        results: diagnostics.map(describeResult),
      },
    ],
  });
}

function describeTool({ version, helpUri }: SarifOptions) {
  return {
    name: "netc",
    semanticVersion: version,
    rules: diagnosticCodes.map((code) => ({
      ...describeRule(code),
      helpUri: helpUri?.(code),
    })),
  };
}

function describeRule(code: DiagnosticCode) {
  const { title, explanation, severity = "error" } = catalogue[code];
  const page = explain(code)!;
  return {
    id: code,
    shortDescription: { text: title },
    fullDescription: { text: explanation },
    help: { text: page, markdown: page },
    defaultConfiguration: { level: severity },
    properties: { tags: [FAMILIES[familyOf(code)]] },
  };
}

function describeResult({ code, severity, message, primary, related, notes, fixes }: Diagnostic) {
  const ruleIndex = (diagnosticCodes as readonly string[]).indexOf(code);
  return {
    ruleId: code,
    ruleIndex: ruleIndex >= 0 ? ruleIndex : undefined,
    level: severity,
    message: { text: [message, ...notes].join("\n") },
    locations: [describeLocation(primary)],
    relatedLocations: related.map((label, id) => ({ id, ...describeLocation(label) })),
    fixes: fixes.map(describeFix),
  };
}

function describeLocation({ span, message }: Label) {
  return {
    physicalLocation: {
      artifactLocation: { uri: uriOf(span.file) },
      region: isWholeFile(span) ? undefined : regionOf(span),
    },
    message: message !== "" ? { text: message } : undefined,
  };
}

/** A change a file: SARIF groups the edits of a fix so. */
function describeFix({ title, edits }: Fix) {
  const files = [...new Set(edits.map(({ span }) => span.file))];
  return {
    description: { text: title },
    artifactChanges: files.map((file) => ({
      artifactLocation: { uri: uriOf(file) },
      replacements: edits.filter(({ span }) => span.file === file).map(describeReplacement),
    })),
  };
}

function describeReplacement({ span, newText }: Edit) {
  return {
    deletedRegion: regionOf(span),
    insertedContent: newText !== "" ? { text: newText } : undefined,
  };
}

function regionOf({ start, end }: Span) {
  return {
    startLine: start.line,
    startColumn: start.column,
    endLine: end.line,
    endColumn: end.column,
  };
}

/**
 * An empty span at the very start says something about the file; a location without a region does,
 * too.
 */
function isWholeFile({ start, end }: Span): boolean {
  return start.offset === 0 && end.offset === 0;
}

/**
 * A path as a URI reference: relative paths stay relative, so that a log means the same on another
 * machine.
 */
function uriOf(file: string): string {
  const path = file.replaceAll("\\", "/");
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  if (path.startsWith("/")) return `file://${encoded}`;
  return /^[a-z]:\//i.test(path) ? `file:///${encoded.replace("%3A", ":")}` : encoded;
}
