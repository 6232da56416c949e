import { type DiagnosticCode, diagnosticCodes } from "./catalogue/index.js";

/** What the codes that begin alike have in common, by those beginnings and in their order. */
export const FAMILIES = {
  NET0: "syntax",
  NET1: "names",
  NET2: "shapes",
  NET3: "training and data",
  NET4: "limits of devices",
  NET5: "export",
  NET9: "netc itself",
} as const;

export type Family = keyof typeof FAMILIES;

export function familyOf(code: DiagnosticCode): Family {
  return code.slice(0, "NET0".length) as Family;
}

/** The codes of a family, in order. */
export function codesOf(family: Family): readonly DiagnosticCode[] {
  return diagnosticCodes.filter((code) => familyOf(code) === family);
}
