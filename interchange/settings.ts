/** Settings of a layer in JSON, read by their types. */
import { RefusedLayer } from "./graph-writer.js";

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isList = (value: unknown): value is readonly Json[] => Array.isArray(value);

/** `null` and what is left out are the same. */
export class Settings {
  constructor(readonly all: JsonObject) {}

  find(name: string): Json | undefined {
    const value = Object.hasOwn(this.all, name) ? this.all[name] : undefined;
    return value === null ? undefined : value;
  }

  number(name: string, otherwise: number): number {
    const value = this.find(name) ?? otherwise;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw wrong(name, "a number", value);
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.find(name) ?? otherwise;
    if (typeof value === "boolean") return value;
    throw wrong(name, "true or false", value);
  }

  text(name: string, otherwise: string): string {
    const value = this.find(name) ?? otherwise;
    if (typeof value === "string") return value;
    throw wrong(name, "a text", value);
  }

  /** Two integers of at least 1, or one for both. */
  pair(name: string, otherwise: number | readonly [number, number]): readonly [number, number] {
    const value = this.find(name) ?? otherwise;
    const list = typeof value === "number" ? [value, value] : value;
    if (isList(list) && list.length === 2 && list.every(isCount)) {
      return list as unknown as readonly [number, number];
    }
    throw wrong(name, "one or two integers of at least 1", value);
  }

  list(name: string): readonly Json[] | undefined {
    const value = this.find(name);
    if (value === undefined || isList(value)) return value;
    throw wrong(name, "a list", value);
  }
}

const isCount = (value: Json) =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 1;

const wrong = (name: string, expected: string, value: unknown) =>
  new RefusedLayer(`its \`${name}\` must be ${expected}, and is ${shown(value)}`);

/** A value as a message shows it. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "left out";
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
