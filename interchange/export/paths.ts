/** Paths of files next to each other, for both kinds of separators. */
export const basename = (path: string): string => path.replace(/^.*[/\\]/s, "");

export const folderOf = (path: string): string =>
  path.slice(0, path.length - basename(path).length);
