// Mutated files of weights and data through what reads them:
// npm run fuzz:data -- --count 10000 --seed 1
//
// A child process reads the files of a format; what ends it, or keeps it busy, is known by the file
// that it was at. --count is the number of weights files; of each other format there are a fifth.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { formats, type FormatName } from "./formats.js";
import { Judge, type Verdict } from "./judge.js";

/** A child that reads one file for longer hangs. */
const HANG = 30_000;
const SHOWN = 12;

const { values } = parseArgs({
  // node scripts/run.mjs scripts/fuzz/data/main.ts OPTIONS
  args: process.argv.slice(3),
  options: {
    count: { type: "string", default: "1000" },
    first: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    format: { type: "string", multiple: true },
    keep: { type: "string", default: ".cache/fuzz" },
    child: { type: "boolean", default: false },
  },
});
const [count, first, seed] = [values.count, values.first, values.seed].map(Number) as [
  number,
  number,
  number,
];

/** What a child says: which file it reads next, or what came of one. */
type Message =
  | { readonly next: number }
  | (Omit<Verdict, "bytes"> & { readonly index: number; readonly path: string | undefined });

if (values.child) await readFiles(values.format![0] as FormatName);
else await watchChildren();

async function readFiles(name: FormatName): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "netc-fuzz-"));
  const judge = new Judge(name, folder);
  const send = (message: Message) => new Promise((sent) => process.send!(message, sent));
  for (let index = first; index < count; index++) {
    await send({ next: index });
    const { bytes, ...verdict } = await judge.judge({ seed, index });
    const path = verdict.findings.length > 0 ? keep(name, index, bytes) : undefined;
    await send({ index, path, ...verdict });
  }
  rmSync(folder, { recursive: true });
  process.disconnect();
}

function keep(name: FormatName, index: number, bytes: Uint8Array): string {
  mkdirSync(values.keep, { recursive: true });
  const path = join(values.keep, `${name}-${seed}-${index}`);
  writeFileSync(path, bytes);
  return path;
}

interface Tally {
  read: number;
  refused: number;
  same: number;
  findings: number;
  longest: number;
  readonly shown: Map<string, number>;
}

async function watchChildren(): Promise<void> {
  const names = (values.format ?? Object.keys(formats)) as FormatName[];
  let found = 0;
  for (const name of names) {
    const tally = { read: 0, refused: 0, same: 0, findings: 0, longest: 0, shown: new Map() };
    const files = name === "weights" ? count : Math.ceil(count / 5);
    for (let next = first; next < files;) next = await watch(name, { next, files, tally });
    const { read, refused, same, findings, longest } = tally;
    found += findings;
    console.log(
      `${name}: ${files - first} files, ${read} read, ${refused} refused, ${same} as they were, ` +
        `longest ${longest.toFixed(0)} ms, ${findings} findings`,
    );
  }
  process.exitCode = found > 0 ? 1 : 0;
}

/** Watches a child until it ends. Returns the first file that is left. */
function watch(
  name: FormatName,
  { next, files, tally }: { readonly next: number; readonly files: number; readonly tally: Tally },
): Promise<number> {
  const child = startChild(name, next, files);
  let at = next;
  return new Promise((resolve) => {
    const end = (why: string) => {
      note(tally, name, at, why);
      child.kill("SIGKILL");
    };
    let timer = setTimeout(() => end("hangs"), HANG);
    child.on("message", (message: Message) => {
      clearTimeout(timer);
      timer = setTimeout(() => end("hangs"), HANG);
      if ("next" in message) at = message.next;
      else take(tally, name, message);
    });
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) return resolve(files);
      if (signal !== "SIGKILL") note(tally, name, at, `ends the process: ${code ?? signal}`);
      resolve(at + 1);
    });
  });
}

function startChild(name: FormatName, next: number, files: number): ChildProcess {
  const options = ["--child", "--format", name, "--first", String(next), "--count", String(files)];
  return spawn(
    process.execPath,
    [...process.argv.slice(1, 3), ...options, "--seed", String(seed), "--keep", values.keep],
    { stdio: ["ignore", "inherit", "pipe", "ipc"] },
  );
}

function take(
  tally: Tally,
  name: FormatName,
  { index, path, outcome, findings, milliseconds }: Extract<Message, { index: number }>,
): void {
  if (outcome === "not changed") tally.same++;
  else tally[outcome]++;
  tally.longest = Math.max(tally.longest, milliseconds);
  for (const finding of findings) note(tally, name, index, `${finding}\n    ${path}`);
}

/** Findings of one kind are shown once. */
function note(tally: Tally, name: FormatName, index: number, what: string): void {
  tally.findings++;
  const kind = what.split("\n    .cache")[0]!.replace(/\d+/g, "#").slice(0, 120);
  tally.shown.set(kind, (tally.shown.get(kind) ?? 0) + 1);
  if (tally.shown.get(kind)! > 1 || tally.shown.size > SHOWN) return;
  console.log(`${name} ${index}: ${what}`);
}
