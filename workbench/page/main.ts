/** The script of the page that `netc verify --page` writes. */
import { grouped, h, section, table } from "../../report/page/elements.js";
import {
  verifySpecInBrowser,
  type RoundResult,
  type SpecSource,
  type Verification,
} from "../verify/in-browser.js";

/** What the page is made with. */
export interface PageData extends SpecSource {
  readonly file: string;
  readonly batch: number;
  readonly rounds: number;
  /** The version of netc that wrote the page. */
  readonly netc: string;
}

const data = JSON.parse(document.getElementById("data")!.textContent) as PageData;
const page = document.getElementById("page")!;
const status = h("p.status", "compiling");
const bar = document.createElement("progress");
const results = h("div.results");

/** For scripts that open the page: `running`, `right`, `wrong` or `error`. */
type Verdict = "running" | "right" | "wrong" | "error";

function show(verdict: Verdict, text: string): void {
  document.documentElement.dataset["verdict"] = verdict;
  status.textContent = text;
}

async function run(): Promise<void> {
  show("running", "compiling the spec");
  results.replaceChildren();
  bar.hidden = false;
  try {
    const found = await verifySpecInBrowser({ ...data, onChecked: noteCheck, onProgress: advance });
    report(found);
  } catch (error) {
    const { name, message } = error as Error;
    show("error", `${name}: ${message}`);
    results.replaceChildren(section("No result", "The checks could not run.", facts()));
  }
  bar.hidden = true;
}

function noteCheck({ list, name, round }: RoundResult): void {
  status.textContent = `round ${round}: ${list}, ${name}`;
}

function advance(done: number, total: number): void {
  bar.max = total;
  bar.value = done;
}

function report(found: Verification): void {
  const { ok, model, batch, kernels, values, seconds, checks } = found;
  const wrong = checks.filter(({ deviation }) => deviation);
  const counts =
    `${grouped(kernels)} kernels, ${grouped(values)} values compared ` +
    `in ${seconds.toFixed(1)} s`;
  const verdict = ok ? "right" : `wrong: ${wrong.length} of ${checks.length} checks`;
  show(ok ? "right" : "wrong", `${verdict}: ${model}, batch ${batch}: ${counts}`);
  const copy = h("button", "Copy results") as HTMLButtonElement;
  copy.onclick = () => void copyText(JSON.stringify({ ...found, browser: browserName() }), copy);
  results.replaceChildren(
    ...(ok ? [] : [wrongSection(wrong)]),
    section("Adapter", "", facts(found), copy),
    kernelSection(checks),
  );
}

const browserName = () => navigator.userAgent;

function facts(found?: Verification): HTMLElement {
  const adapter = found?.adapter;
  const rows = [
    ...(adapter
      ? [
          ["GPU", adapter.name],
          ["vendor, architecture", [adapter.vendor, adapter.architecture].join(", ")],
          ["kernels for", adapter.target],
          ["runs on the CPU", adapter.software ? "yes, a software adapter" : "no"],
        ]
      : []),
    ["browser", browserName()],
    ["netc", data.netc],
  ];
  return table(["", ""], rows, ".facts");
}

function wrongSection(wrong: readonly RoundResult[]): HTMLElement {
  const note =
    "The first is the cause more often than later ones. Each kernel was given what this device " +
    "itself had computed before.";
  const items = wrong.map((result) =>
    h("li", h("b", placeOf(result)), h("div", valuesOf(result)), h("div", by(result))),
  );
  return section("What differs", note, h("ol.wrong", ...items));
}

const placeOf = ({ list, name, line, round, kernels }: RoundResult): string =>
  kernels.length === 0
    ? `${name} (round ${round})`
    : `${data.file}:${line}: ${name} (${list}, round ${round})`;

const by = ({ kernels }: RoundResult): string =>
  kernels.length === 0
    ? "all kernels in one submission differ from the same kernels one at a time"
    : `computed by ${kernels.join(", ")}`;

function valuesOf({ kernels, deviation }: RoundResult): string {
  const { value, index, expected, actual, tolerance } = deviation!;
  const wanted =
    kernels.length === 0
      ? `and ${expected} one at a time`
      : `expected ${expected} to within ${tolerance.toPrecision(2)}`;
  return `${value}[${index}] is ${actual}, ${wanted}`;
}

function kernelSection(checks: readonly RoundResult[]): HTMLElement {
  const groups = new Map<string, RoundResult[]>();
  for (const check of checks) {
    const key = [check.list, check.name, check.kernels.join()].join("\n");
    groups.set(key, [...(groups.get(key) ?? []), check]);
  }
  const rows = [...groups.values()].map(rowOf);
  const note =
    "Largest error: as a share of what rounding explains; up to 100% is right. " +
    "The list `calls` compares whole calls, whose bits must be equal.";
  const titles = ["list", "computes", "kernel", "line", "values", "largest error", "result"];
  return section("Kernels", note, table(titles, rows));
}

function rowOf(group: readonly RoundResult[]): readonly (Node | string)[] {
  const [{ list, name, kernels, line }] = group as [RoundResult];
  const values = group.reduce((sum, { compared }) => sum + compared, 0);
  const share = Math.max(...group.map((each) => each.share));
  const rounds = group.filter(({ deviation }) => deviation).map(({ round }) => round);
  const result = rounds.length === 0 ? "right" : `wrong in round ${rounds.join(", ")}`;
  return [
    list,
    name,
    kernels.join(", "),
    kernels.length === 0 ? "" : String(line),
    grouped(values),
    list === "calls" ? "" : percentOf(share),
    h(rounds.length === 0 ? "span.right" : "span.wrong", result),
  ];
}

const percentOf = (share: number): string =>
  share < 100 ? `${(100 * share).toFixed(0)}%` : "over 10,000%";

async function copyText(text: string, button: HTMLButtonElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    // Without the clipboard, the text can be selected.
    const area = document.createElement("textarea");
    area.value = text;
    area.readOnly = true;
    button.replaceWith(area);
    area.select();
  }
}

const about =
  `Checks every kernel of this network on this device's GPU, in ${data.rounds} rounds, ` +
  "against plain loops. It takes seconds to minutes; keep the page open.";
const again = h("button", "Run again") as HTMLButtonElement;
again.onclick = async () => {
  again.disabled = true;
  await run();
  again.disabled = false;
};
page.append(h("p", about), section("Result", "", status, bar, again), results);
again.click();
