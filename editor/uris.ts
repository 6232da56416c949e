/**
 * Names of files relative to a document, as messages show them (`blocks.net`,
 * `../shared/blocks.net`), and their URIs. The document itself is called by the last part of its
 * URI.
 */

/** The name of the file that `target` names in an import of the file `importer`. */
export function nameBeside(importer: string, target: string): string {
  const parts: string[] = [];
  for (const part of [...importer.split("/").slice(0, -1), ...target.split("/")]) {
    if (part === "" || part === ".") continue;
    const isUp = part === ".." && parts.length > 0 && parts.at(-1) !== "..";
    if (isUp) parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}

/** The last part of a URI, as people read it: `resnet18.net`. */
export function nameOf(uri: string): string {
  return decode(uri.slice(uri.lastIndexOf("/") + 1));
}

/**
 * The URI of a file by its name relative to the document; undefined for documents without a folder.
 */
export function uriBeside(document: string, name: string): string | undefined {
  if (!URL.canParse(name === "" ? "." : "x", document)) return undefined;
  return new URL(name.split("/").map(encodeURIComponent).join("/"), document).href;
}

/** What two spellings of one URI share: editors escape more characters than they must. */
export function keyOf(uri: string): string {
  return decode(uri);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
