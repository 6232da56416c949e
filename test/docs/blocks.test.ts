/**
 * Every block of code of the documentation is checked by a test. Which one follows from the word
 * after its fence:
 *
 *   net                 examples.test.ts; on pages of diagnostics, diagnostics.test.ts
 *   ts, js, html        types.test.ts
 *   (none)              commands: below, and those of guides run in test/cli/walkthrough.test.ts
 *   json, sh, py        must parse
 *   text                outputs: the comment before the block says which test prints them
 *
 * A comment before a block says what else holds it:
 *
 *   <!-- output: netc check spec.net -->     test/cli/documentation.test.ts runs the command
 *   <!-- output like: netc doctor -->        the same, where numbers may differ
 *   <!-- checked by: test/cli/x.test.ts -->  another test reads the page
 *   <!-- example: why it is not run -->      an example; the text before the block says so, too
 *   <!-- no output: what it is -->           a list of files, or formulas
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import { commands } from "../../cli/commands/index.js";
import { blocksOf, type FencedBlock } from "./blocks.js";
import { isDiagnostic, pages, readPage, root } from "./pages.js";

/** Pages of the API show declarations, which the compiler wrote from the source. */
const isOfApi = (page: string) => /^docs\/reference\/api\/(?!README)/.test(page);

const blocks = pages.filter((page) => !isDiagnostic(page) && !isOfApi(page)).flatMap(blocksOf);

const isOf = (...languages: readonly string[]) =>
  blocks.filter(({ language }) => languages.includes(language));

const placeOf = ({ page, line }: FencedBlock) => `${page}:${line}`;

const noteOf = ({ note }: FencedBlock, kind: string) =>
  note?.startsWith(`${kind}: `) ? note.slice(kind.length + 2) : undefined;

const CHECKED = ["net", "net wrong", "ts", "js", "html", "", "json", "sh", "py"];

describe("blocks", () => {
  const others = blocks.filter(({ language }) => !CHECKED.includes(language));

  test.each(others.map((block) => [placeOf(block), block] as const))("%s", (_, block) => {
    const checkedBy = noteOf(block, "checked by");
    if (checkedBy !== undefined) {
      expect(readFileSync(join(root, checkedBy), "utf8")).toContain(block.page);
      return;
    }
    if (noteOf(block, "no output") !== undefined) return;
    const isOutput = block.note?.startsWith("output") && block.language === "text";
    if (isOutput) return;
    expect(noteOf(block, "example"), "neither checked nor marked as an example").toMatch(/.{8}/);
    if (block.language === "text") expect(block.before).toMatch(/example|such as|looks like/i);
  });
});

describe("blocks of data and scripts parse", () => {
  test.each(isOf("json").map((block) => [placeOf(block), block.text] as const))("%s", (_, text) => {
    const isOneDocument = text.startsWith("{\n") || !text.includes("\n");
    for (const each of isOneDocument ? [text] : text.split("\n")) JSON.parse(each);
  });

  test.each(isOf("sh").map((block) => [placeOf(block), block.text] as const))("%s", (_, input) => {
    expect(spawnSync("sh", ["-n"], { input, encoding: "utf8" })).toMatchObject({ status: 0 });
  });

  const parse = "import ast, sys; ast.parse(sys.stdin.read())";
  const hasPython = spawnSync("python3", ["--version"]).status === 0;

  test.skipIf(!hasPython)("Python", () => {
    for (const { text } of isOf("py")) {
      const { status, stderr } = spawnSync("python3", ["-c", parse], { input: text });
      expect(status, `${text}\n${String(stderr)}`).toBe(0);
    }
  });
});

/** Programs other than netc that commands of the documentation may start. */
const PROGRAMS = /^(npm|npx http-server|cd|cp|node|python3|mpirun|sudo apt|vulkaninfo|code)\b/;
const OTHER_PROGRAMS = /^(tensorboard|examples|\.ci)\b/;

const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** The lines of a block of commands, without comments; a line that ends in \ continues. */
const linesOf = (text: string) =>
  text
    .replace(/\s*\\\n\s*/g, " ")
    .split("\n")
    .map((line) => line.replace(/^\$ /, "").replace(/\s+#\s.*$/, ""))
    .filter((line) => line.trim() !== "");

/** The arguments of a `netc` in a line; undefined where it starts none. */
function argumentsIn(line: string): readonly string[] | undefined {
  const [, rest] = /(?:^|\s)netc (?=[a-z])(.*)$/.exec(line) ?? [];
  const [command] = rest?.split(/ [>|&] ?|; /) ?? [];
  return command?.match(/'[^']*'|"[^"]*"|[^\s'"]+/g)?.map((word) => word.replace(/['"]/g, ""));
}

/** What is wrong with the arguments of `netc`; undefined if nothing is. */
async function problemWith([name, ...given]: readonly string[]): Promise<string | undefined> {
  const load = Object.hasOwn(commands, name!) ? commands[name!] : undefined;
  if (!load) return `netc has no command \`${name}\``;
  const command = (await load()).exitOverride().configureOutput({ writeErr: () => undefined });
  try {
    // `N` is a number of the reader's.
    const { operands, unknown } = command.parseOptions(
      given.map((word) => (/^[A-Z]$/.test(word) ? "1" : word)),
    );
    if (unknown.length > 0) return `netc ${name} has no ${unknown.join(" ")}`;
    const { registeredArguments: expected } = command;
    const isList = expected.at(-1)?.variadic === true;
    if (operands.length <= expected.length || isList) return undefined;
    return `netc ${name} takes ${expected.length} arguments, not ${operands.join(" ")}`;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Sentences name flags without values, and values in capital letters.
    const isName =
      error.code === "commander.optionMissingArgument" || / '[A-Z]+' /.test(error.message);
    return isName ? undefined : error.message;
  }
}

async function problemIn(line: string): Promise<string | undefined> {
  const netc = argumentsIn(line);
  if (netc && !line.startsWith("npm ")) return problemWith(netc);
  const plain = line.replace(/^([A-Z_]+=\S+ )+/, "");
  if (!PROGRAMS.test(plain) && !OTHER_PROGRAMS.test(plain)) return `what is \`${line}\`?`;
  const [, script] = /npm run (\S+)/.exec(plain) ?? [];
  if (script !== undefined && !scripts[script]) return `package.json has no script ${script}`;
  const [, file] = /^(?:node |)((?:bench|scripts|examples)\/\S+)/.exec(plain) ?? [];
  return file !== undefined && !existsSync(join(root, file)) ? `${file} is missing` : undefined;
}

async function problemsOf(lines: readonly string[]): Promise<readonly string[]> {
  const problems = await Promise.all(lines.map(problemIn));
  return problems.filter((problem) => problem !== undefined);
}

const commandBlocks = isOf("").filter((block) => noteOf(block, "example") === undefined);

describe("commands exist, with these flags", () => {
  const pagesOfCommands = [...new Set(commandBlocks.map(({ page }) => page))];

  test.each(pagesOfCommands)("%s", async (page) => {
    const members = commandBlocks.filter((block) => block.page === page);
    expect(await problemsOf(members.flatMap(({ text }) => linesOf(text)))).toEqual([]);
  });

  test("also in sentences", async () => {
    const sentences = pages
      .filter((page) => page !== "CHANGELOG.md" && !isOfApi(page))
      .flatMap((page) => {
        const prose = readPage(page).replace(/^\s*(`{3,})[^]*?^\s*\1$/gm, "");
        const codes = [...prose.matchAll(/`((?:npx )?netc [a-z][^`]*)`/g)];
        return codes.map(([, code]) => code!.replace(/\s*\n\s*/g, " "));
      });
    expect(sentences.length).toBeGreaterThan(100);
    expect(await problemsOf([...new Set(sentences)])).toEqual([]);
  });

  test("outputs begin with a command", async () => {
    const shown = isOf("text").flatMap(({ text }) => text.match(/^\$ netc .*$/gm) ?? []);
    expect(await problemsOf(shown.flatMap(linesOf))).toEqual([]);
  });

  test("mistakes are found", async () => {
    const lines = [
      "netc trian a.net",
      "npx netc train a.net --epoch 3",
      "netc summary a.net b.net",
    ];
    const others = ["npm run nothing", "node bench/nothing.mjs", "make"];
    expect(await problemsOf([...lines, ...others])).toHaveLength(6);
    const right = linesOf("A=b npx netc train a.net --epochs N   # all\nnpm ci");
    expect(await problemsOf(right)).toEqual([]);
  });
});
