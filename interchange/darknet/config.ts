/** A cfg of Darknet: sections in order, of which many have the same name. */
import { ImportError } from "../error.js";
import { RefusedLayer } from "../graph-writer.js";

export interface Section {
  /** `convolutional`. */
  readonly name: string;
  /** `darknet19.cfg:12`. */
  readonly place: string;
  readonly settings: ReadonlyMap<string, string>;
}

/** Throws an ImportError that names a line that is neither a section nor a setting. */
export function readConfig(text: string, path: string): readonly Section[] {
  const sections: { name: string; place: string; settings: Map<string, string> }[] = [];
  text.split(/\r?\n/).forEach((written, index) => {
    const line = written.replace(/\s+/g, "");
    const place = `${path}:${index + 1}`;
    if (line === "" || /^[#;]/.test(line)) return;
    const title = /^\[(\w+)\]$/.exec(line);
    const setting = /^([^=]+)=(.*)$/.exec(line);
    const last = sections.at(-1);
    if (title) sections.push({ name: title[1]!, place, settings: new Map() });
    else if (setting && last) last.settings.set(setting[1]!, setting[2]!);
    else throw new ImportError(`${place}: expected [section] or name=value`);
  });
  return sections;
}

export function integerIn({ settings }: Section, name: string, otherwise: number): number {
  const text = settings.get(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text !== "" && Number.isSafeInteger(value)) return value;
  throw new RefusedLayer(`its \`${name}\` must be an integer, and is \`${text}\``);
}

export function numberIn({ settings }: Section, name: string, otherwise: number): number {
  const text = settings.get(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text !== "" && Number.isFinite(value)) return value;
  throw new RefusedLayer(`its \`${name}\` must be a number, and is \`${text}\``);
}

/** Integers with commas between them. */
export function integersIn({ settings }: Section, name: string): readonly number[] {
  const values = (settings.get(name) ?? "").split(",").filter(Boolean).map(Number);
  if (values.every((value) => Number.isSafeInteger(value))) return values;
  throw new RefusedLayer(`its \`${name}\` must be integers, and is \`${settings.get(name)}\``);
}
