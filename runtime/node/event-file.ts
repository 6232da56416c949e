/**
 * TensorBoard's event files: TFRecords of `Event` protocol buffers. Source:
 * tensorflow/core/lib/io/record_writer.h (framing, masked CRC),
 * tensorboard/compat/proto/{event,summary}.proto.
 */
import { crc32c } from "@aws-crypto/crc32c";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

export interface TensorBoardEvent {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly content:
    | { readonly kind: "version" }
    /** A run that continues at this step: later ones of an earlier attempt are void. */
    | { readonly kind: "restart" }
    | { readonly kind: "scalars"; readonly values: Readonly<Record<string, number>> }
    | { readonly kind: "image"; readonly tag: string; readonly image: EncodedImage };
}

export interface EncodedImage {
  readonly width: number;
  readonly height: number;
  /** 1 gray, 3 RGB. */
  readonly channels: number;
  readonly png: Uint8Array;
}

/** Field numbers of `Event`. */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const;
/** Field numbers of `Summary.Value` and `Summary.Image`. */
const VALUE = { tag: 1, simpleValue: 2, image: 4 } as const;
const IMAGE = { height: 1, width: 2, colorspace: 3, encoded: 4 } as const;
const SESSION_START = 1;

/** The bytes of an event in its TFRecord. */
export function encodeRecord(event: TensorBoardEvent): Uint8Array {
  return frame(encodeEvent(event));
}

function encodeEvent({ wallTime, step, content }: TensorBoardEvent): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(EVENT.wallTime, WireType.Bit64).double(wallTime);
  writer.tag(EVENT.step, WireType.Varint).int64(step);
  switch (content.kind) {
    case "version":
      writer.tag(EVENT.fileVersion, WireType.LengthDelimited).string("brain.Event:2");
      break;
    case "restart":
      message(writer, EVENT.sessionLog, () => writer.tag(1, WireType.Varint).int32(SESSION_START));
      break;
    case "scalars":
      message(writer, EVENT.summary, () => {
        for (const [tag, value] of Object.entries(content.values)) {
          writeValue(writer, tag, () => {
            writer.tag(VALUE.simpleValue, WireType.Bit32).float(value);
          });
        }
      });
      break;
    case "image":
      message(writer, EVENT.summary, () => {
        writeValue(writer, content.tag, () => {
          message(writer, VALUE.image, () => writeImage(writer, content.image));
        });
      });
  }
  return writer.finish();
}

function message(writer: BinaryWriter, field: number, body: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  body();
  writer.join();
}

/** `Summary` has one field, its values. */
function writeValue(writer: BinaryWriter, tag: string, body: () => void): void {
  message(writer, 1, () => {
    writer.tag(VALUE.tag, WireType.LengthDelimited).string(tag);
    body();
  });
}

function writeImage(writer: BinaryWriter, { width, height, channels, png }: EncodedImage): void {
  writer.tag(IMAGE.height, WireType.Varint).int32(height);
  writer.tag(IMAGE.width, WireType.Varint).int32(width);
  writer.tag(IMAGE.colorspace, WireType.Varint).int32(channels);
  writer.tag(IMAGE.encoded, WireType.LengthDelimited).bytes(png);
}

/** Length (64 bits), its checksum, the data, their checksum; little-endian. */
function frame(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(12 + data.length + 4);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedChecksum(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedChecksum(data), true);
  return record;
}

/** CRC-32C, rotated and moved so that checksums of data with checksums work. */
function maskedChecksum(data: Uint8Array): number {
  const sum = crc32c(data);
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}
