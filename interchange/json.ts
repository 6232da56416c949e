import { ImportError } from "./error.js";

/** Throws an ImportError that says what is not JSON. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ImportError(`${what} is not valid JSON: ${(error as Error).message}`);
  }
}

/** Throws an ImportError where the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ImportError(`${what} is not text`);
  }
}
