import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command, Option } from "commander";
import { commands } from "../../cli/commands/index.js";
import { code, formatted, table } from "./markdown.js";

const FOLDER = "docs/reference/cli";
const BLOCK = /(<!-- flags of (\w+) -->)[^]*?(<!-- end of flags -->)/g;

/** The pages of the commands by path, with the tables of flags as the commands declare them. */
export async function commandPages(root: string): Promise<Readonly<Record<string, string>>> {
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  const byName = new Map(all.map((command) => [command.name(), command]));
  const files = readdirSync(join(root, FOLDER)).filter((file) => file.endsWith(".md"));
  const pages = files.map(async (file): Promise<[string, string]> => {
    const path = `${FOLDER}/${file}`;
    const text = readFileSync(join(root, path), "utf8");
    return [path, await formatted(withFlags(text, byName))];
  });
  return Object.fromEntries(await Promise.all(pages));
}

function withFlags(text: string, byName: ReadonlyMap<string, Command>): string {
  return text.replace(BLOCK, (_, begin: string, name: string, end: string) => {
    const command = byName.get(name);
    if (!command) throw new Error(`there is no command ${name}`);
    return `${begin}\n\n${flagsTable(command)}\n\n${end}`;
  });
}

function flagsTable(command: Command): string {
  const shown = command.options.filter(({ hidden }) => !hidden);
  return table(
    ["flag", "does"],
    shown.map((option) => [code(option.flags), describeOption(option)]),
  );
}

function describeOption({ description, argChoices, envVar }: Option): string {
  return [
    description,
    argChoices && `one of ${argChoices.map(code).join(", ")}`,
    envVar && `environment variable ${code(envVar)}`,
  ]
    .filter((part) => part)
    .join("; ");
}
