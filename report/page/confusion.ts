/**
 * The confusion matrix as a heat map: each row's shares as darkness, read out under the pointer.
 */
import type { ReportedExamination } from "../data.js";
import { color, compact, grouped, h, percent, section, table } from "./elements.js";

/** Below this size of a cell there is no room for numbers and names. */
const LEAST_LABELED = 26;
const WORST = 12;

/** What a class is of. */
const nounOf = ({ tokens }: ReportedExamination) => (tokens ? "token" : "example");

/** How much was looked at. */
function lookedAt({ examples, of, tokens }: ReportedExamination): string {
  const some =
    examples < of ? ` ${grouped(examples)} of ${grouped(of)} examples, evenly spread.` : "";
  if (!tokens) return some;
  const { counted, ignored } = tokens;
  const left = ignored > 0 ? `; ${grouped(ignored)} that the loss ignores are left out` : "";
  return `${some} ${grouped(counted)} tokens${left}.`;
}

export function confusionSection(examination: ReportedExamination): HTMLElement {
  const { classes } = examination;
  const readout = h("p.readout", "Point at a cell.");
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute(
    "aria-label",
    `confusion matrix of ${classes.length} classes; the table below has the worst of it`,
  );
  const holder = h("div.matrix", canvas);
  requestAnimationFrame(() => drawMatrix(canvas, holder, examination));
  canvas.addEventListener("pointermove", (event) => {
    const cell = cellAt(canvas, event, classes.length);
    readout.textContent = cell ? describeCell(examination, cell) : "Point at a cell.";
  });
  return section(
    "Confusion matrix",
    "Rows: true class. Columns: predicted class. Darker: a larger share of the row." +
      lookedAt(examination),
    h("div.split", h("div", holder, readout), worstTable(examination)),
  );
}

interface Geometry {
  readonly left: number;
  readonly top: number;
  readonly cell: number;
}

function geometryOf(width: number, examination: ReportedExamination): Geometry {
  const { classes } = examination;
  const longest = Math.min(110, 7 * Math.max(...classes.map(({ name }) => name.length)) + 10);
  const cell = Math.min(46, (width - longest) / classes.length);
  if (cell >= LEAST_LABELED) return { left: longest, top: Math.min(longest, 80), cell };
  return { left: 0, top: 0, cell: Math.min(width, 560) / classes.length };
}

function drawMatrix(
  canvas: HTMLCanvasElement,
  holder: HTMLElement,
  examination: ReportedExamination,
): void {
  const { classes, confusion } = examination;
  const { left, top, cell } = geometryOf(holder.clientWidth || 560, examination);
  const [width, height] = [left + cell * classes.length, top + cell * classes.length];
  const scale = window.devicePixelRatio || 1;
  Object.assign(canvas, { width: Math.ceil(width * scale), height: Math.ceil(height * scale) });
  Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
  canvas.dataset["left"] = String(left / width);
  canvas.dataset["top"] = String(top / height);
  const context = canvas.getContext("2d")!;
  context.scale(scale, scale);
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  const gap = cell >= 8 ? 1 : 0;
  confusion.forEach((row, actual) => {
    const support = Math.max(1, classes[actual]!.support);
    row.forEach((count, predicted) => {
      const [x, y] = [left + predicted * cell, top + actual * cell];
      context.globalAlpha = 1;
      context.fillStyle = color("cell");
      context.fillRect(x, y, cell - gap, cell - gap);
      if (count === 0) return;
      // The root brings out small shares: these are the confusions.
      const strength = Math.sqrt(count / support);
      context.globalAlpha = 0.08 + 0.92 * strength;
      context.fillStyle = color(actual === predicted ? "right" : "wrong");
      context.fillRect(x, y, cell - gap, cell - gap);
      if (cell < LEAST_LABELED) return;
      context.globalAlpha = 1;
      context.fillStyle = strength > 0.6 ? color("on-strong") : color("text");
      context.textAlign = "center";
      context.fillText(String(count), x + cell / 2, y + cell / 2, cell - 4);
    });
  });
  context.globalAlpha = 1;
  if (cell >= LEAST_LABELED) labelMatrix(context, examination, { left, top, cell });
}

function labelMatrix(
  context: CanvasRenderingContext2D,
  { classes }: ReportedExamination,
  { left, top, cell }: Geometry,
): void {
  context.fillStyle = color("muted");
  classes.forEach(({ name }, index) => {
    const middle = (index + 0.5) * cell;
    context.textAlign = "right";
    context.fillText(shorten(context, name, left - 10), left - 8, top + middle);
    context.save();
    context.translate(left + middle, top - 8);
    const fits = context.measureText(name).width < cell - 4;
    if (!fits) context.rotate(-Math.PI / 2);
    context.textAlign = fits ? "center" : "left";
    context.fillText(shorten(context, name, fits ? cell : top - 8), 0, 0);
    context.restore();
  });
}

function shorten(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let length = text.length;
  while (length > 1 && context.measureText(`${text.slice(0, length)}…`).width > width) length--;
  return `${text.slice(0, length)}…`;
}

type Cell = readonly [actual: number, predicted: number];

function cellAt(canvas: HTMLCanvasElement, event: PointerEvent, size: number): Cell | undefined {
  const box = canvas.getBoundingClientRect();
  const [left, top] = [Number(canvas.dataset["left"]), Number(canvas.dataset["top"])];
  const place = (share: number, start: number) =>
    Math.floor(((share - start) / (1 - start)) * size);
  const predicted = place((event.clientX - box.left) / box.width, left);
  const actual = place((event.clientY - box.top) / box.height, top);
  const inside = [actual, predicted].every((index) => index >= 0 && index < size);
  return inside ? [actual, predicted] : undefined;
}

function describeCell(
  { classes, confusion }: ReportedExamination,
  [actual, predicted]: Cell,
): string {
  const count = confusion[actual]![predicted]!;
  const { name, support } = classes[actual]!;
  const share = support === 0 ? "" : ` (${percent(count / support)})`;
  return (
    `${name} predicted as ${classes[predicted]!.name}: ${grouped(count)} of ` +
    `${grouped(support)}${share}`
  );
}

function worstTable(examination: ReportedExamination): HTMLElement {
  const { classes, confusion } = examination;
  const noun = nounOf(examination);
  const worst = confusion
    .flatMap((row, actual) => row.map((count, predicted) => ({ actual, predicted, count })))
    .filter(({ actual, predicted, count }) => actual !== predicted && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, WORST);
  if (worst.length === 0) return h("p.note", `No ${noun} was classified wrongly.`);
  const rows = worst.map(({ actual, predicted, count }) => [
    classes[actual]!.name,
    classes[predicted]!.name,
    grouped(count),
    percent(count / classes[actual]!.support),
  ]);
  return table(["mistaken most often", "for", `${noun}s`, "of its class"], rows, ".numbers2");
}

/** From this ratio of the largest class to the smallest on, rare classes are worth a word. */
const IMBALANCE = 3;

/** What to say of classes of very different sizes; nothing where they are alike. */
function imbalanceNote({ classes, trained }: ReportedExamination): string {
  const sizes = (trained ?? []).map((count, label) => ({ count, name: classes[label]!.name }));
  const bySize = sizes.filter(({ count }) => count > 0).sort((a, b) => a.count - b.count);
  const [least, most] = [bySize[0], bySize.at(-1)];
  if (!least || !most || most.count / least.count < IMBALANCE) return "";
  const ratio = compact(most.count / least.count);
  return (
    ` Imbalanced: ${most.name} has ${ratio} times the training examples of ${least.name}. ` +
    "Compare recalls rather than the accuracy, and consider `class_weights`."
  );
}

export function classesSection(examination: ReportedExamination): HTMLElement {
  const { classes, trained } = examination;
  const noun = nounOf(examination);
  const share = (value: number | null) => {
    if (value === null) return "–";
    const bar = h("i.bar");
    bar.style.width = `${100 * value}%`;
    return h("span.share", h("span.track", bar), percent(value));
  };
  const rows = classes
    .map((each, label) => ({ ...each, training: trained?.[label] ?? 0 }))
    .filter(({ support, training }) => support > 0 || training > 0)
    .map(({ name, support, precision, recall, training }) => [
      name,
      ...(trained ? [grouped(training)] : []),
      grouped(support),
      share(precision),
      share(recall),
    ]);
  return section(
    "Classes",
    `Precision: of the ${noun}s predicted as the class, the share that belongs to it. Recall: ` +
      `of the ${noun}s of the class, the share that was predicted as it.` +
      imbalanceNote(examination),
    table(["class", ...(trained ? ["train"] : []), "eval", "precision", "recall"], rows),
  );
}
