/**
 * Kernels as template literals. Sections that several of them have, such as functions, and unrolled
 * blocks are written once, before them, under a name.
 */
import type { KernelSection, ProgramKernel } from "../../program/program.js";
import { literal, templateText } from "./text.js";
import { isUnrolled, rowsOf, unrolledBlocks } from "./unrolled.js";

export function emitKernels(kernels: readonly ProgramKernel[]): string[] {
  const sections = kernels.flatMap((kernel) => kernel.sections!);
  const named = namesOfShared(sections);
  const byText = new Map(sections.map((section) => [section.text, section]));
  const cut = new Map([...byText.values()].map((section) => [section.text, blocksOf(section)]));
  const shared = [...cut.values()].flatMap((own) => own.filter(isShared));
  const blocks = namesOfShared(shared);
  const written = (text: string) =>
    cut
      .get(text)!
      .map((block) => blockText(block.text, blocks.get(block.text)))
      .join("\n");
  return [
    "// What several kernels have in common: unrolled blocks, declarations, functions.",
    ...[...blocks].map(([text, name]) => `const ${name} = ${blockExpression(text)};`),
    ...[...named]
      .sort(([, one], [, other]) => (one < other ? -1 : 1))
      .map(([text, name]) => `const ${name} = \`${written(text)}\`;`),
    "",
    "const kernels = [",
    ...kernels.map(({ name, bindings, sections: own }) => {
      const texts = own!.map(({ text }) => named.get(text) ?? `\`${written(text)}\``);
      const bound = bindings.map(({ access, element }) => `${access} ${element}`).join(", ");
      return `  kernel(${literal(name)}, ${literal(bound)}, ${texts.join(", ")}),`;
    }),
    "];",
  ];
}

/** The blocks of a section: its head, and runs of lines that begin alike. */
function blocksOf({ text, head }: KernelSection): readonly KernelSection[] {
  const rest = head === undefined ? text : text.slice(head.length + 1);
  const blocks = unrolledBlocks(rest).map((block) => ({ name: "block", text: block }));
  return head === undefined ? blocks : [{ name: "head", text: head }, ...blocks];
}

const isShared = ({ name, text }: KernelSection) => name === "head" || isUnrolled(text);

/** Names of texts that come more than once, in their order: their own, numbered. */
function namesOfShared(sections: readonly KernelSection[]): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  for (const { text } of sections) counts.set(text, (counts.get(text) ?? 0) + 1);
  const numbers = new Map<string, number>();
  const names = new Map<string, string>();
  for (const { name, text } of sections) {
    if (counts.get(text) === 1 || names.has(text)) continue;
    const number = (numbers.get(name) ?? 0) + 1;
    numbers.set(name, number);
    names.set(text, `${name}_${number}`);
  }
  return names;
}

/** A block within a template: its name where it is shared, or its text. */
function blockText(block: string, name: string | undefined): string {
  const expression = name ?? rowsOf(block);
  return expression === undefined ? templateText(block) : `\${${expression}}`;
}

const blockExpression = (block: string) => rowsOf(block) ?? `\`${templateText(block)}\``;
