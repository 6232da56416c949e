/** What either format of torch.save comes to: a value, and where its storages are. */
import type { Storage, Value } from "./values.js";

export interface Checkpoint {
  readonly root: Value;
  /** Fills `target`, of the storage's size in bytes. Throws WeightsError where it is damaged. */
  readStorage(storage: Storage, target: Uint8Array): void;
}
