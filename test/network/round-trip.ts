import { expect } from "vitest";
import { outlineOf } from "../../compiler/network/outline.js";
import { print } from "../../compiler/network/print.js";
import type { ResolvedNetwork } from "../../compiler/network/resolved.js";
import { analyze } from "../../compiler/semantics/index.js";

/** The networks of a spec without errors. */
export function networksOf(text: string): readonly ResolvedNetwork[] {
  const { diagnostics, models } = analyze(text, "m.net");
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect(
    errors.map(({ code, message }) => `${code} ${message}`),
    text,
  ).toEqual([]);
  return models.map(({ network }) => network!);
}

/** What is printed resolves to the same network, and prints the same again. */
export function expectRoundTrip(network: ResolvedNetwork): void {
  const text = print(network);
  const [again] = networksOf(text);
  expect(outlineOf(again!), text).toEqual(outlineOf(network));
  expect(print(again!)).toBe(text);
}
