import { roundUp } from "../../program/round-up.js";
import type { Affine } from "../../program/program.js";
import type { Place } from "../ir/place.js";
import { imageShape, type Shape } from "../ir/shape.js";

/** Free room around an activation's pixels, and between them. */
export interface Margins {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
  /**
   * Stored pixels from one pixel to the next: more than 1 where a strided convolution's gradient
   * needs zeros between them.
   */
  readonly spacing: readonly [vertical: number, horizontal: number];
}

export const NO_MARGINS: Margins = { top: 0, bottom: 0, left: 0, right: 0, spacing: [1, 1] };
/** Margins with which no axis of a value continues another. */
export const APART: Margins = { ...NO_MARGINS, top: 1, left: 1 };

/** A window that moves over stored pixels, in the coordinates of the activation. */
export interface Steps {
  /** First row and column, negative in the halo. */
  readonly offset: readonly [vertical: number, horizontal: number];
  /** Stored pixels from one position to the next. */
  readonly stride: readonly [vertical: number, horizontal: number];
}

/** Where a part of an activation begins in it, and from one of its rows or columns to the next. */
export interface Part {
  readonly channel: number;
  readonly row: number;
  readonly column: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

/** All of an activation, or the first of its channels. */
export const FIRST_PART: Part = { channel: 0, row: 0, column: 0, rowStep: 1, columnStep: 1 };

/** The memory of a part: that of the whole, from its first element on. */
interface Within {
  readonly whole: ActivationLayout;
  /** Floats before the part's own first pixel, or the first of its halo. */
  readonly origin: number;
  readonly rowPitch: number;
}

export const roundUpTo4 = (count: number): number => roundUp(count, 4);

/** Rows that a run may read beyond the last image, where pixels are not padded to four channels. */
const TAIL_BYTES = 64;

/**
 * How an activation lies in memory: NHWC, channels padded to a multiple of four, with a halo of
 * zeros as wide as its readers' padding, so that no hot loop tests bounds. The image that a first
 * convolution reads may keep its three channels unpadded.
 */
export class ActivationLayout {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Floats from one stored pixel to the next. */
  readonly pitch: number;

  constructor(
    shape: Shape,
    readonly margins: Margins = NO_MARGINS,
    pitch?: number,
    private readonly within?: Within,
  ) {
    const { channels, height, width } = imageShape(shape);
    this.channels = channels;
    this.height = height;
    this.width = width;
    this.pitch = pitch ?? roundUpTo4(channels);
  }

  /**
   * How a part of it lies, in the same memory. All rows and columns of some channels have the same
   * halo.
   */
  part(shape: Shape, { channel, row, column, rowStep, columnStep }: Part): ActivationLayout {
    const { height, width } = imageShape(shape);
    if (height === this.height && width === this.width) {
      const origin = (this.within?.origin ?? 0) + channel;
      const within = { whole: this, origin, rowPitch: this.rowPitch };
      return new ActivationLayout(shape, this.margins, this.pitch, within);
    }
    const own = this.inFloats();
    const origin = own.base + row * own.row + column * own.column + channel;
    const within = { whole: this, origin, rowPitch: rowStep * own.row };
    return new ActivationLayout(shape, NO_MARGINS, columnStep * own.column, within);
  }

  get isPart(): boolean {
    return this.within !== undefined;
  }

  /** Floats of a pixel: those up to the next one, where it is not a part of a larger one. */
  get pixelFloats(): number {
    return this.within ? roundUpTo4(this.channels) : this.pitch;
  }

  get pixels(): number {
    return this.height * this.width;
  }

  get quads(): number {
    return roundUpTo4(this.channels) / 4;
  }

  /** Floats from one stored row to the next. */
  get rowPitch(): number {
    if (this.within) return this.within.rowPitch;
    const { left, right, spacing } = this.margins;
    return roundUpTo4((left + (this.width - 1) * spacing[1] + 1 + right) * this.pitch);
  }

  get imagePitch(): number {
    if (this.within) return this.within.whole.imagePitch;
    const { top, bottom, spacing } = this.margins;
    return (top + (this.height - 1) * spacing[0] + 1 + bottom) * this.rowPitch;
  }

  get bytes(): Affine {
    if (this.within) return this.within.whole.bytes;
    const isPadded = this.pitch % 4 === 0;
    return { fixed: isPadded ? 0 : TAIL_BYTES, perImage: 4 * this.imagePitch };
  }

  /** Whether the floats of an image are its elements in (y, x, channel) order and nothing else. */
  get isContiguous(): boolean {
    const isDense = this.imagePitch === this.pixels * this.pitch && this.pitch % 4 === 0;
    return isDense && !this.isPart;
  }

  /**
   * What the layout promises to keep zero: the halo, and channels that fill up a vec4, which some
   * kernels do not write. Values may share memory only if their promises are the same, or nothing.
   */
  get zeros(): string | undefined {
    if (this.within) return this.within.whole.zeros;
    if (this.isContiguous && this.channels % 4 === 0) return undefined;
    const { top, bottom, left, right, spacing } = this.margins;
    return [
      this.channels,
      this.height,
      this.width,
      this.pitch,
      top,
      bottom,
      left,
      right,
      ...spacing,
    ].join(" ");
  }

  /** Where pixels lie, in vec4, or those at which a window stops. */
  inQuads(steps: Steps = this.ownPixels): Place {
    const { image, row, column, base } = this.inFloats(steps);
    const inVec4 = (floats: number) => {
      if (floats % 4 === 0) return floats / 4;
      throw new Error(`${floats} floats are not a whole number of vec4`);
    };
    return { image: inVec4(image), row: inVec4(row), column: inVec4(column), base: inVec4(base) };
  }

  /** The same in floats, for kernels that handle scalars. */
  inFloats(steps: Steps = this.ownPixels): Place {
    const { top, left } = this.margins;
    return {
      image: this.imagePitch,
      row: steps.stride[0] * this.rowPitch,
      column: steps.stride[1] * this.pitch,
      base:
        (this.within?.origin ?? 0) +
        (top + steps.offset[0]) * this.rowPitch +
        (left + steps.offset[1]) * this.pitch,
    };
  }

  /** The activation's own pixels, one after the other. */
  private get ownPixels(): Steps {
    return { offset: [0, 0], stride: this.margins.spacing };
  }
}
