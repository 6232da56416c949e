import type { Identifier, Span } from "../../grammar/ast.js";
import type { NewLayer } from "./layer-context.js";
import type { Current, Place } from "./place.js";
import type { NamedValue } from "./values.js";

/** What declarations of named values need of the reader of a network. */
export interface NamingHost {
  current: Current;
  nameAt(place: Place, kind: string, alias: Identifier | undefined, span: Span): string;
  list(layer: NewLayer): void;
  nameValue(
    layer: Pick<NamedValue, "name" | "layer" | "span" | "call"> & { readonly before: Current },
    alias: Identifier | undefined,
    place: Place,
  ): void;
}
