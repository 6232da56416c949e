/** Files and entries that a source does not use: counted by reason, and said once. */

interface Kind {
  readonly count: number;
  /** The first by name: folders are not read in the same order everywhere. */
  readonly example: string;
}

export class UnusedEntries {
  private readonly kinds = new Map<string, Kind>();

  /** `reason` completes "2 files are not used: 2 ...": "hidden". */
  add(reason: string, name: string): void {
    const { count, example } = this.kinds.get(reason) ?? { count: 0, example: name };
    this.kinds.set(reason, { count: count + 1, example: name < example ? name : example });
  }

  /** `source`: the data set. */
  say(source: string, onNotice: ((notice: string) => void) | undefined): void {
    if (this.kinds.size > 0) onNotice?.(`${source}: ${this.text()}`);
  }

  /** `3 files are not used: 2 hidden (.a, for instance), 1 without an ending (readme)`. */
  text(): string {
    const kinds = this.sorted.map(([reason, { count, example }]) =>
      count === 1 ? `1 ${reason} (${example})` : `${count} ${reason} (${example}, for instance)`,
    );
    const total = [...this.kinds.values()].reduce((sum, { count }) => sum + count, 0);
    const files = total === 1 ? "1 file is" : `${total} files are`;
    return `${files} not used: ${kinds.join(", ")}${this.advice()}`;
  }

  /** The most frequent first, then by name. */
  private get sorted(): readonly (readonly [reason: string, Kind])[] {
    return [...this.kinds].sort(
      ([reason, one], [other, another]) => another.count - one.count || (reason < other ? -1 : 1),
    );
  }

  /** What to do about pictures of a format that is not read. */
  private advice(): string {
    const isHeic = [...this.kinds.keys()].some((reason) => /^\.hei[cf]$/i.test(reason));
    return isHeic ? "; netc does not read HEIC: convert these files to JPEG" : "";
  }
}
