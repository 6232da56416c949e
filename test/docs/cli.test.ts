import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { commands } from "../../cli/commands/index.js";

const page = readFileSync(new URL("../../docs/cli.md", import.meta.url), "utf8");
const sections = new Map(
  page.split(/^## /m).map((section) => {
    const [title, ...lines] = section.split("\n");
    return [title, lines.join("\n")];
  }),
);

/** The long flags in the first column of a section's tables. */
function flagsOf(section: string): readonly string[] {
  const cells = [...section.matchAll(/^\| `(?:-\w, )?(--[\w-]+)/gm)];
  return [...new Set(cells.map((match) => match[1]!))];
}

const all = await Promise.all(Object.values(commands).map((load) => load()));

describe("docs/cli.md lists the flags of", () => {
  test.each(all.map((command) => [command.name(), command] as const))(
    "netc %s",
    (name, command) => {
      const section = sections.get(name);
      expect(section, `docs/cli.md has no section ${name}`).toBeDefined();
      const flags = command.options.filter(({ hidden }) => !hidden).map(({ long }) => long!);
      expect([...flagsOf(section!)].sort()).toEqual(flags.sort());
    },
  );
});
