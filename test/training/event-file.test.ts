/**
 * The golden bytes were read by TensorBoard's own reader: `EventAccumulator` of tensorboard 2.21.0
 * for Python, which checks the checksums, found the scalars, the image and the restart in a file of
 * these records.
 */
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { expect, test } from "vitest";
import { encodeRecord, type TensorBoardEvent } from "../../runtime/node/event-file.js";

const hex = (event: TensorBoardEvent) => Buffer.from(encodeRecord(event)).toString("hex");
const AT = { wallTime: 1.5, step: 300 };

test("records have the bytes that TensorBoard read", () => {
  expect([
    hex({ ...AT, step: 0, content: { kind: "version" } }),
    hex({ ...AT, content: { kind: "restart" } }),
    hex({ ...AT, content: { kind: "scalars", values: { "step/loss": 0.25, "eval/top1": 1 } } }),
    hex({
      ...AT,
      content: {
        kind: "image",
        tag: "filters/a",
        image: { width: 2, height: 1, channels: 3, png: Uint8Array.of(1, 2, 3) },
      },
    }),
  ]).toEqual([
    "1a00000000000000129bd82d09000000000000f83f10001a0d627261696e2e4576656e743a32d3dc531e",
    "100000000000000095fbfe1809000000000000f83f10ac023a020801713b788a",
    "3200000000000000241956ec09000000000000f83f10ac022a240a100a09737465702f6c6f737315" +
      "0000803e0a100a096576616c2f746f7031150000803f941d836a",
    "2800000000000000ff70164a09000000000000f83f10ac022a1a0a180a0966696c746572732f61220b" +
      "0801100218032203010203b72cb2d6",
  ]);
});

test("scalars are in Event.summary.value", () => {
  const record = encodeRecord({ ...AT, content: { kind: "scalars", values: { a: 0.5 } } });
  const length = Number(new DataView(record.buffer).getBigUint64(0, true));
  expect(record.length).toBe(length + 16);
  const event = new BinaryReader(record.subarray(12, 12 + length));
  expect([event.tag(), event.double()]).toEqual([[1, 1], 1.5]);
  expect([event.tag(), Number(event.int64())]).toEqual([[2, 0], 300]);
  expect(event.tag()).toEqual([5, 2]);
  const summary = new BinaryReader(event.bytes());
  expect(summary.tag()).toEqual([1, 2]);
  const value = new BinaryReader(summary.bytes());
  expect([value.tag(), value.string()]).toEqual([[1, 2], "a"]);
  expect([value.tag(), value.float()]).toEqual([[2, 5], 0.5]);
});
