import { expect, test } from "vitest";
import { inlineRuntime } from "../../cli/standalone.js";

const BUNDLE =
  "const a=1;function b(){return a}class c{}" + "export{b as createNetwork,c as Network,a};\n";

async function importText(text: string): Promise<Record<string, unknown>> {
  return (await import(
    /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(text)}`
  )) as Record<string, unknown>;
}

test("the bundle takes the import's place, and names do not meet", async () => {
  const module = [
    "// From digits.net.",
    'import { createNetwork, a as one } from "netc/runtime";',
    "const b = 2;",
    "export const result = [createNetwork(), one, b];",
  ].join("\n");
  const text = inlineRuntime(module, BUNDLE);
  expect(text).not.toMatch(/^import/m);
  expect(text.startsWith("// From digits.net.\n")).toBe(true);
  const { result, ...others } = await importText(text);
  expect(result).toEqual([1, 1, 2]);
  // What the module does not use of the bundle, it passes on.
  expect(Object.keys(others)).toEqual(["Network"]);
});

test("a module that imports something else is refused", () => {
  const module = 'import { createNetwork } from "netc/runtime";\nimport "other";\n';
  expect(() => inlineRuntime(module, BUNDLE)).toThrow(/imports more than the runtime/);
});

test("a bundle of another form is refused", () => {
  expect(() => inlineRuntime("", "const a = 1;")).toThrow(/export clause/);
});
