/** Tokens, `u32[N, T] in 0..vocabulary`: indices, which only some layers read. */
import type { Span } from "../../grammar/ast.js";
import { insertAt } from "../calls/edits.js";
import { formatShape, type Shape } from "../ir/shape.js";
import { formula } from "../layers/formula.js";
import type { LayerDefinition } from "../layers/layer.js";
import type { NetworkValue } from "../network/resolved.js";
import type { Place } from "./place.js";

/** An input of tokens, as its declaration has it. */
export interface TokenInput {
  readonly name: string;
  readonly shape: Shape;
  readonly span: Span;
}

/** By index of the input. */
export type TokenInputs = ReadonlyMap<number, TokenInput>;

interface ReadingLayer {
  readonly definition: LayerDefinition;
  readonly inputs: readonly NetworkValue[];
  readonly span: Span;
}

/** What numbers of a token are proposed to be. */
const WIDTH = 64;

/** Reports a layer of numbers that reads tokens. */
export function checkTokens(
  { definition, inputs, span }: ReadingLayer,
  tokens: TokenInputs,
  { environment: { reporter } }: Place,
): void {
  if (definition.readsTokens) return;
  const place = inputs.findIndex(({ from, index }) => from === "input" && tokens.has(index));
  if (place < 0) return;
  const { name, shape, span: declared } = tokens.get(inputs[place]!.index)!;
  const reader = definition === formula ? "a formula" : `\`${definition.name}\``;
  const isFirst = place === 0 && definition !== formula && !definition.others;
  reporter.report("NET2038", {
    message:
      `${reader} computes with numbers, but \`${name}\` holds tokens, u32${formatShape(shape)}: ` +
      "their order means nothing",
    span,
    related: [{ span: declared, message: "declared here" }],
    notes: [
      `\`embedding(${WIDTH})\` makes ${WIDTH} numbers of each token; ` +
        "numbers are declared as `f32`",
    ],
    fixes: isFirst
      ? [
          {
            title: `insert \`embedding(${WIDTH})\` before it`,
            edits: [insertAt(span, `embedding(${WIDTH}) -> `)],
          },
        ]
      : [],
  });
}
