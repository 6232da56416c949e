/** Attributes of a node of TensorFlow in JSON. */
import { RefusedLayer } from "../graph-writer.js";
import { isList, isObject, type Json, type JsonObject } from "../settings.js";

export class NodeAttributes {
  constructor(private readonly all: JsonObject) {}

  number(name: string, otherwise: number): number {
    const value = this.field(name, "f") ?? this.field(name, "i");
    const number = typeof value === "string" ? Number(value) : (value ?? otherwise);
    if (typeof number === "number" && Number.isFinite(number)) return number;
    throw new RefusedLayer(`its \`${name}\` is not a number`);
  }

  flag(name: string, otherwise: boolean): boolean {
    const value = this.field(name, "b") ?? otherwise;
    return value === true;
  }

  /** Texts are in base64. */
  text(name: string, otherwise: string): string {
    const value = this.field(name, "s");
    return typeof value === "string" ? decodeBase64(value) : otherwise;
  }

  numbers(name: string): readonly number[] {
    const list = this.field(name, "list");
    const integers = isObject(list) ? list["i"] : undefined;
    return isList(integers) ? integers.map(Number) : [];
  }

  texts(name: string): readonly string[] {
    const list = this.field(name, "list");
    const texts = isObject(list) ? list["s"] : undefined;
    const isText = (each: Json): each is string => typeof each === "string";
    return isList(texts) ? texts.filter(isText).map(decodeBase64) : [];
  }

  /** Undefined for open sizes; of a shape that is not known at all, undefined. */
  shape(name: string): readonly (number | undefined)[] | undefined {
    const shape = this.field(name, "shape");
    const dims = isObject(shape) ? shape["dim"] : undefined;
    if (!isList(dims)) return undefined;
    return dims.map((dim) => {
      const size = isObject(dim) ? Number(dim["size"]) : NaN;
      return size >= 1 ? size : undefined;
    });
  }

  private field(name: string, kind: string): Json | undefined {
    const value = Object.hasOwn(this.all, name) ? this.all[name] : undefined;
    return isObject(value) ? value[kind] : undefined;
  }
}

function decodeBase64(text: string): string {
  try {
    return atob(text);
  } catch {
    throw new RefusedLayer("a text among its attributes is not base64");
  }
}
