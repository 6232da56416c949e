import { renderText } from "../../compiler/diagnostics/render-text.js";
import { analyze, type Analysis } from "../../compiler/semantics/index.js";

export interface SpecParts {
  readonly input?: string;
  readonly target?: string;
  /** What follows the layers in the model. */
  readonly loss?: string;
  /** The text before and after the model. */
  readonly before?: string;
  readonly after?: string;
}

/** A spec around some layers. */
export function specOf(layers: string, parts: SpecParts = {}): string {
  const { input = "input image: f32[N, 3, 32, 32]", target = "target label: u32[N]" } = parts;
  return [
    parts.before ?? "",
    "model Small {",
    `  ${input}`,
    `  ${target}`,
    `  ${layers}`,
    `  ${parts.loss ?? ""}`,
    "}",
    parts.after ?? "",
  ].join("\n");
}

export function analyzed(layers: string, parts?: SpecParts): Analysis {
  return analyze(specOf(layers, parts), "small.net");
}

/** The codes of a spec's diagnostics, in order. */
export function codesOf({ diagnostics }: Analysis): readonly string[] {
  return diagnostics.map(({ code }) => code);
}

export function rendered(text: string): string {
  return analyze(text, "small.net")
    .diagnostics.map((diagnostic) => renderText(diagnostic, text))
    .join("\n\n");
}
