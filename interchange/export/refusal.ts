/** Why a format cannot hold a network, by layer. */
import { createDiagnostic } from "../../compiler/diagnostics/create.js";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.js";
import { formatBytes } from "../../program/format-bytes.js";
import { isSequence } from "../../compiler/ir/shape.js";
import { typeOf } from "../../compiler/network/facts.js";
import type { ResolvedLayer, ResolvedNetwork } from "../../compiler/network/resolved.js";

/** Thrown while a layer is written, where the format has nothing that computes the same. */
export class RefusedExport extends Error {
  override readonly name = "RefusedExport";

  constructor(
    message: string,
    /** What to write or choose instead. */
    readonly instead?: string,
  ) {
    super(message);
  }
}

/** A file that would be larger than its format allows. */
export class TooLarge extends Error {
  override readonly name = "TooLarge";

  constructor(
    title: string,
    { bytes, most }: { readonly bytes: number; readonly most: number },
    /** What to write or choose instead. */
    readonly instead?: string,
  ) {
    super(`${title} of ${formatBytes(bytes)} is not possible: it ends at ${formatBytes(most)}`);
  }
}

/** A network that a format cannot hold: a diagnostic for each layer that it lacks. */
export class ExportError extends Error {
  override readonly name = "ExportError";

  constructor(readonly diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map(({ message }) => message).join("\n"));
  }
}

/**
 * Calls `write` for every layer, in order. Throws an ExportError that names all that are refused.
 */
export function forEachLayer(
  layers: readonly ResolvedLayer[],
  format: string,
  write: (layer: ResolvedLayer, index: number) => void,
): void {
  const diagnostics: Diagnostic[] = [];
  layers.forEach((layer, index) => {
    try {
      write(layer, index);
    } catch (error) {
      if (!(error instanceof RefusedExport)) throw error;
      diagnostics.push(describeRefusal(layer, format, error));
    }
  });
  if (diagnostics.length > 0) throw new ExportError(diagnostics);
}

/** Throws an ExportError for the first layer of sequences. */
export function refuseSequences(network: ResolvedNetwork, format: string): void {
  const first = network.layers.filter((layer) => isOfSequences(network, layer)).slice(0, 1);
  forEachLayer(first, format, () => {
    throw new RefusedExport(
      "tokens, sequences [N, T, C] and attention are exported to ONNX and PyTorch alone",
      "`--to onnx` or `--to pytorch`",
    );
  });
}

function isOfSequences(
  network: ResolvedNetwork,
  { type, inputs, definition }: ResolvedLayer,
): boolean {
  const types = [type, ...inputs.map((value) => typeOf(network, value))];
  const { readsNothing, readsTokens, name } = definition;
  if (readsNothing || readsTokens || name === "attention") return true;
  return types.some(({ shape }) => isSequence(shape));
}

function describeRefusal(
  { name, definition, origin }: ResolvedLayer,
  format: string,
  { message, instead }: RefusedExport,
): Diagnostic {
  return createDiagnostic("NET5001", {
    message: `${definition.name} \`${name}\` has no form in ${format}: ${message}`,
    span: origin.span,
    label: "not exported",
    notes: instead === undefined ? [] : [`instead: ${instead}`],
  });
}
