import type { ArgumentDeclaration, CallValues, Signature } from "./signature.js";

/**
 * A call with these values as a spec writes it: `conv(64, kernel=3, padding=1)`. The first argument
 * goes without its name; others that have their default value are left out.
 *
 * @param before what comes first in the parentheses: names of values
 */
export function callText(
  signature: Signature,
  values: CallValues,
  before: readonly string[] = [],
): string {
  const parts = [...before, ...argumentTexts(signature, values)];
  return parts.length > 0 ? `${signature.name}(${parts.join(", ")})` : signature.name;
}

function argumentTexts(signature: Signature, values: CallValues): readonly string[] {
  const [first] = signature.positional;
  const named = Object.entries(signature.arguments).filter(([name]) => name !== first);
  return [
    ...(first === undefined || values[first] === undefined
      ? []
      : [signature.arguments[first]!.type.write(values[first])]),
    ...named.flatMap(([name, declaration]) => {
      const text = writtenValue(declaration, values[name]);
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
