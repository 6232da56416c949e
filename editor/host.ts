/**
 * What the language server asks of the machine that it runs on, so that it needs none of Node's
 * modules itself.
 */
export interface SpecHost {
  /** The text of a file; undefined where there is none. */
  read(uri: string): string | undefined;
  /** URIs of all specs in a folder and the folders in it. */
  listSpecs(folder: string): readonly string[];
}
