/** Saving and loading, in turn with a network's other calls. */
import {
  LOAD_OPTIONS,
  SAVE_OPTIONS,
  type LoadOptions,
  type Metadata,
  type SaveOptions,
  type WeightsSource,
} from "./calls.js";
import { ownSource } from "./copies.js";
import { assertKnown } from "./options.js";
import type { Phases } from "./phases.js";
import type { Queue } from "./queue.js";

/** What reads and writes files, which bundlers keep apart from what a first step needs. */
export const importFile = () => import("./network-file.js");

export class Saving {
  constructor(
    private readonly queue: Queue,
    private readonly phases: Phases,
    private readonly onWarning: (message: string) => unknown,
  ) {}

  /** The network as a file, as it is after all earlier calls. */
  async save(options: SaveOptions): Promise<Uint8Array<ArrayBuffer>> {
    assertKnown(options, SAVE_OPTIONS, "save");
    const own = { ...options, metadata: { ...options.metadata } };
    return this.queue.enqueue(async () => (await importFile()).save(this.phases, own));
  }

  /** Fills the network from a file, before all later calls. Resolves to the file's metadata. */
  async load(source: WeightsSource, options: LoadOptions): Promise<Metadata> {
    assertKnown(options, LOAD_OPTIONS, "load");
    const { except } = options;
    const own = { ...options, source: ownSource(source), except: except && [...except] };
    const { metadata, warning } = await this.queue.enqueue(async () =>
      (await importFile()).load(this.phases, own),
    );
    if (warning) await this.onWarning(warning);
    return metadata;
  }
}
