/** What netc uses of jsfive, which comes without types. */
declare module "jsfive" {
  export class Group {
    readonly keys: readonly string[];
    readonly attrs: Readonly<Record<string, unknown>>;
    readonly _dataobjects: DataObjects;
    get(path: string): Group | Dataset | null;
  }
  export class File extends Group {
    constructor(bytes: ArrayBuffer, name?: string);
  }
  export class Dataset {
    readonly shape: readonly unknown[];
    /** `<f4`; an array for types that are not numbers. */
    readonly dtype: unknown;
    readonly value: readonly unknown[];
    readonly _dataobjects: DataObjects;
  }
  /**
   * The messages of an object header. Of them netc reads where a dataset's numbers are, and it
   * watches how much is read of attributes.
   */
  export interface DataObjects {
    readonly chunks: readonly number[] | null;
    find_msg_type(type: number): readonly ReadonlyMap<string, number>[];
    _attr_value(type: unknown, bytes: ArrayBuffer, count: number, offset: number): unknown[];
    _vlen_size_and_data(bytes: ArrayBuffer, offset: number): [length: number, data: ArrayBuffer];
  }
}
