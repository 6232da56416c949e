/** Tensors of programs that tests write by hand. */
import type { ProgramTensor } from "../program/program.js";

/** The size of one image, or of one row of features. */
interface Size {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

const AXES = ["channel", "row", "column"] as const;

/** An input, and a target of this many classes, and a prediction of this many values, if given. */
export function tensorsFor(
  { channels, height, width }: Size,
  { classes, values }: { readonly classes?: number; readonly values?: number } = {},
): readonly ProgramTensor[] {
  const image = { name: "image", shape: [channels, height, width], axes: AXES } as const;
  const label = { name: "label", shape: [], axes: [] } as const;
  return [
    { ...image, role: "input", dtype: "f32", buffer: 0 },
    ...(classes === undefined
      ? []
      : [
          {
            ...label,
            role: "target",
            dtype: "u32",
            buffer: 1,
            classes: { count: classes },
          } as const,
        ]),
    ...(values === undefined ? [] : [predictionOf(values)]),
  ];
}

function predictionOf(values: number): ProgramTensor {
  const tensor = { name: "logits", role: "prediction", dtype: "f32" } as const;
  return { ...tensor, shape: [values], axes: ["channel"], buffer: 2, pitch: 4, gives: "logits" };
}
