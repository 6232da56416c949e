/**
 * A 64-bit fingerprint of a text (FNV-1a, Fowler, Noll and Vo): tells whether two specs are the
 * same, not against malice. The compiler runs in any JavaScript engine, so it cannot ask for a
 * platform's hash functions.
 */
export function fingerprint(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0");
}
