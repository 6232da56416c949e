import { type ArgumentDeclaration, type CallValues, type Signature, typeFor } from "./signature.js";

/**
 * A call with these values as a spec writes it: `conv(64, kernel=3, padding=1)`. The first argument
 * goes without its name; others that have their default value are left out.
 *
 * @param before what comes first in the parentheses: names of values
 * @param receives what the layer is applied to, where that decides how arguments are written
 */
export function callText(
  signature: Signature,
  values: CallValues,
  before: readonly string[] = [],
  receives: { readonly isOfSignal: boolean } = { isOfSignal: false },
): string {
  const parts = [...before, ...argumentTexts(signature, values, receives)];
  return parts.length > 0 ? `${signature.name}(${parts.join(", ")})` : signature.name;
}

function argumentTexts(
  signature: Signature,
  values: CallValues,
  receives: { readonly isOfSignal: boolean },
): readonly string[] {
  const [first] = signature.positional;
  const named = Object.entries(signature.arguments).filter(([name]) => name !== first);
  return [
    ...(first === undefined || values[first] === undefined
      ? []
      : [typeFor(signature.arguments[first]!, receives).write(values[first])]),
    ...named.flatMap(([name, declaration]) => {
      const type = typeFor(declaration, receives);
      const text = writtenValue({ ...declaration, type }, values[name]);
      return text === undefined ? [] : [`${name}=${text}`];
    }),
  ];
}

/** A value's text; undefined where the argument has it anyway. */
function writtenValue(
  { type, defaultValue }: ArgumentDeclaration<unknown>,
  value: unknown,
): string | undefined {
  if (value === undefined) return undefined;
  const text = type.write(value);
  return defaultValue !== undefined && type.write(defaultValue) === text ? undefined : text;
}
