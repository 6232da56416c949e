/**
 * HDF5 files of groups and arrays of 32-bit floats, which is all that Keras' weights need. Written
 * by the HDF5 File Format Specification, version 3: superblock 0, object headers 1, and links in
 * the header of their group. The same tree is the same bytes in every run.
 */
export interface Hdf5Array {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** What is in a group, by name. Names are ASCII, of at most 255 characters. */
export type Hdf5Group = ReadonlyMap<string, Hdf5Group | Hdf5Array>;

export function hdf5File(root: Hdf5Group): Uint8Array {
  const writer = new Hdf5Writer();
  return writer.finish(writer.place(root));
}

const isArray = (node: Hdf5Group | Hdf5Array): node is Hdf5Array => "shape" in node;

/** The address of what does not exist. */
const UNDEFINED = 0xffff_ffff_ffff_ffffn;
const SUPERBLOCK_BYTES = 96;
const ALIGNMENT = 8;

/** Puts children before their groups, which name their addresses. */
class Hdf5Writer {
  private readonly parts: Uint8Array[] = [];
  private end = SUPERBLOCK_BYTES;

  /** The address of its object header. */
  place(node: Hdf5Group | Hdf5Array): number {
    if (isArray(node)) return this.add(objectHeader(this.arrayMessages(node)));
    const links = [...node].map(([name, child]) => link(name, this.place(child)));
    return this.add(objectHeader([linkInfo(), ...links]));
  }

  finish(root: number): Uint8Array {
    const file = new Uint8Array(this.end);
    file.set(superblock(root, this.end));
    let at = SUPERBLOCK_BYTES;
    for (const part of this.parts) {
      file.set(part, at);
      at += aligned(part.length);
    }
    return file;
  }

  private arrayMessages({ shape, values }: Hdf5Array): readonly Message[] {
    const { buffer, byteOffset, byteLength } = values;
    const address = this.add(new Uint8Array(buffer, byteOffset, byteLength));
    return [dataspace(shape), FLOAT32, NO_FILL_VALUE, contiguous(address, byteLength)];
  }

  private add(part: Uint8Array): number {
    const address = this.end;
    this.parts.push(part);
    this.end += aligned(part.length);
    return address;
  }
}

const aligned = (length: number) => Math.ceil(length / ALIGNMENT) * ALIGNMENT;

/** Appends little-endian numbers. */
class Fields {
  private readonly bytes: number[] = [];

  u8(...values: readonly number[]): this {
    this.bytes.push(...values);
    return this;
  }

  u16(...values: readonly number[]): this {
    for (const value of values) this.u8(value & 0xff, value >> 8);
    return this;
  }

  u32(...values: readonly number[]): this {
    for (const value of values) this.u16(value & 0xffff, value >>> 16);
    return this;
  }

  u64(...values: readonly (number | bigint)[]): this {
    for (const value of values) {
      const whole = BigInt(value);
      this.u32(Number(whole & 0xffff_ffffn), Number(whole >> 32n));
    }
    return this;
  }

  text(value: string): this {
    return this.u8(...new TextEncoder().encode(value));
  }

  done(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}

const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

function superblock(root: number, end: number): Uint8Array {
  const groupNodes = [4, 16]; // the library's own, of indices that no group here has
  const sizeOfAddresses = 8;
  return new Fields()
    .u8(...SIGNATURE)
    .u8(0, 0, 0, 0, 0, sizeOfAddresses, sizeOfAddresses, 0)
    .u16(...groupNodes)
    .u32(0)
    .u64(0, UNDEFINED, end, UNDEFINED)
    .u64(0, root)
    .u32(0, 0)
    .u64(0, 0)
    .done();
}

/** A part of an object header. */
interface Message {
  readonly type: number;
  readonly bytes: Uint8Array;
}

function objectHeader(messages: readonly Message[]): Uint8Array {
  const sizes = messages.map(({ bytes }) => MESSAGE_HEADER_BYTES + aligned(bytes.length));
  const size = sizes.reduce((sum, each) => sum + each, 0);
  const header = new Uint8Array(HEADER_BYTES + size);
  header.set(new Fields().u8(1, 0).u16(messages.length).u32(1, size, 0).done());
  let at = HEADER_BYTES;
  messages.forEach(({ type, bytes }, index) => {
    header.set(new Fields().u16(type, aligned(bytes.length)).u32(0).done(), at);
    header.set(bytes, at + MESSAGE_HEADER_BYTES);
    at += sizes[index]!;
  });
  return header;
}

const HEADER_BYTES = 16;
const MESSAGE_HEADER_BYTES = 8;

/** A group without an index of its links. */
const linkInfo = (): Message => ({
  type: 2,
  bytes: new Fields().u8(0, 0).u64(UNDEFINED, UNDEFINED).done(),
});

const link = (name: string, address: number): Message => ({
  type: 6,
  bytes: new Fields().u8(1, 0, name.length).text(name).u64(address).done(),
});

const dataspace = (shape: readonly number[]): Message => ({
  type: 1,
  bytes: new Fields()
    .u8(1, shape.length, 0, 0)
    .u32(0)
    .u64(...shape)
    .done(),
});

/** Class 1; sign in bit 31, 8 bits of exponent from bit 23 on with bias 127, 23 of mantissa. */
const FLOAT32: Message = {
  type: 3,
  bytes: new Fields().u8(0x11, 0x20, 31, 0).u32(4).u16(0, 32).u8(23, 8, 0, 23).u32(127).done(),
};

const NO_FILL_VALUE: Message = { type: 5, bytes: new Fields().u8(2, 2, 2, 0).done() };

const contiguous = (address: number, length: number): Message => ({
  type: 8,
  bytes: new Fields().u8(3, 1).u64(address, length).done(),
});
