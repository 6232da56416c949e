/** `residual(drop=0.1) { ... }`: a body that training skips for whole examples, at random. */
import type { CallExpression } from "../../grammar/ast.js";
import { float } from "../calls/argument-types.js";
import { bind } from "../calls/bind.js";
import { withDefault } from "../calls/signature.js";
import type { Place } from "./place.js";
import { synthesize } from "./synthesize.js";

/** What reading a `drop` needs of the reader of a network. */
interface DropReader {
  hasFailed: boolean;
  readLayer(call: CallExpression, place: Place): void;
}

/** What `residual` takes, as if it were a layer. */
export const RESIDUAL = {
  name: "residual",
  aliases: [],
  summary: "adds the input to the output of its layers",
  positional: [],
  arguments: {
    drop: withDefault(
      float({ minimum: 0, below: 1 }),
      0,
      "probability that an example skips the body in training (stochastic depth)",
    ),
  },
} as const;

/** A `stochastic_depth` behind the body, unless nothing is dropped. */
export function readDrop(reader: DropReader, header: CallExpression, place: Place): void {
  const bound = bind(header, RESIDUAL, place.environment);
  if (!bound) reader.hasFailed = true;
  const value = bound?.values.drop ?? 0;
  if (value === 0) return;
  const { span } = header.callee;
  const rate = { kind: "number", value, isInteger: false, span } as const;
  reader.readLayer(synthesize("stochastic_depth", span, { rate }), place);
}
