/** References of convolutions, pools and resizing, for images `[N, C, H, W]`. */
import { RefusedNode, type Attributes } from "../attributes.js";
import type { ForeignTensor } from "../foreign-graph.js";
import { given, made } from "./elementwise.js";
import type { Reference } from "./reference.js";

type Two = readonly [number, number];

interface Sliding {
  readonly kernel: Two;
  readonly stride: Two;
  readonly dilation: Two;
  /** Above and to the left. */
  readonly before: Two;
  readonly after: Two;
  readonly output: Two;
}

function sliding(attributes: Attributes, image: ForeignTensor, weightKernel?: Two): Sliding {
  if (image.shape.length !== 4) throw new RefusedNode("its input is not an image");
  const pair = (name: string) => attributes.numbers(name) as Two | undefined;
  const kernel = pair("kernel_shape") ?? weightKernel;
  if (!kernel) throw new RefusedNode("it has no kernel");
  const stride = pair("strides") ?? [1, 1];
  const dilation = pair("dilations") ?? [1, 1];
  const size = image.shape.slice(2) as unknown as Two;
  const pads = paddingOf(attributes, { kernel, stride, dilation, size });
  const [before, after] = [pads.slice(0, 2), pads.slice(2)] as unknown as [Two, Two];
  const ceil = attributes.flag("ceil_mode", false);
  const output = [0, 1].map((axis) => {
    const span = dilation[axis]! * (kernel[axis]! - 1) + 1;
    const room = size[axis]! + before[axis]! + after[axis]! - span;
    const count = (ceil ? Math.ceil : Math.floor)(room / stride[axis]!) + 1;
    const startsOutside = (count - 1) * stride[axis]! >= size[axis]! + before[axis]!;
    return ceil && startsOutside ? count - 1 : count;
  }) as unknown as Two;
  return { kernel, stride, dilation, before, after, output };
}

function paddingOf(
  attributes: Attributes,
  {
    kernel,
    stride,
    dilation,
    size,
  }: Pick<Sliding, "kernel" | "stride" | "dilation"> & { size: Two },
): readonly number[] {
  const rule = attributes.text("auto_pad", "NOTSET");
  const explicit = attributes.numbers("pads");
  if (rule === "NOTSET") return explicit ?? [0, 0, 0, 0];
  if (rule === "VALID") return [0, 0, 0, 0];
  const totals = [0, 1].map((axis) => {
    const wanted = Math.ceil(size[axis]! / stride[axis]!);
    const span = dilation[axis]! * (kernel[axis]! - 1) + 1;
    return Math.max(0, (wanted - 1) * stride[axis]! + span - size[axis]!);
  });
  const less = totals.map((total) => Math.floor(total / 2));
  const more = totals.map((total, axis) => total - less[axis]!);
  return rule === "SAME_LOWER" ? [...more, ...less] : [...less, ...more];
}

/** Calls `visit` with every element of a window that lies inside the image. */
function eachInside(
  { kernel, stride, dilation, before }: Sliding,
  [height, width]: Two,
  [row, column]: Two,
  visit: (place: number, tap: number) => void,
): void {
  for (let u = 0; u < kernel[0]; u++) {
    const y = row * stride[0] - before[0] + u * dilation[0];
    if (y < 0 || y >= height) continue;
    for (let v = 0; v < kernel[1]; v++) {
      const x = column * stride[1] - before[1] + v * dilation[1];
      if (x >= 0 && x < width) visit(y * width + x, u * kernel[1] + v);
    }
  }
}

const conv: Reference = (call) => {
  const [image, weight, bias] = [given(call, 0), given(call, 1), call.inputs[2]];
  const groups = call.attributes.number("group", 1);
  const kernel = weight.shape.slice(2) as unknown as Two;
  const window = sliding(call.attributes, image, kernel);
  const [batch, channels, height, width] = image.shape as [number, number, number, number];
  const [out, perGroup] = weight.shape as [number, number];
  if (perGroup * groups !== channels) throw new RefusedNode("its channels do not fit its weights");
  const [rows, columns] = window.output;
  const [pixels, area] = [height * width, kernel[0] * kernel[1]];
  const result = made("float", [batch, out, rows, columns]);
  for (let plane = 0; plane < batch * out; plane++) {
    const [n, o] = [Math.floor(plane / out), plane % out];
    const sums = result.values.subarray(plane * rows * columns, (plane + 1) * rows * columns);
    sums.fill(bias?.values[o] ?? 0);
    const first = n * channels + Math.floor(o / (out / groups)) * perGroup;
    for (let c = 0; c < perGroup; c++) {
      const start = (first + c) * pixels;
      const inputs = image.values.subarray(start, start + pixels);
      const taps = weight.values.subarray((o * perGroup + c) * area, (o * perGroup + c + 1) * area);
      taps.forEach((factor, tap) => addTap({ window, kernel, inputs, width, sums }, tap, factor));
    }
  }
  return result;
};

interface Plane {
  readonly window: Sliding;
  readonly kernel: Two;
  /** A channel of the image, and the length of its rows. */
  readonly inputs: ForeignTensor["values"];
  readonly width: number;
  /** A channel of the output. */
  readonly sums: ForeignTensor["values"];
}

/** Adds what one element of a kernel gives to all pixels: rows of products, in long loops. */
function addTap({ window, kernel, inputs, width, sums }: Plane, tap: number, factor: number): void {
  const { stride, output } = window;
  const height = inputs.length / width;
  const vertical = insideAlong(window, 0, Math.floor(tap / kernel[1]), height);
  const horizontal = insideAlong(window, 1, tap % kernel[1], width);
  for (let row = vertical.first; row < vertical.end; row++) {
    const line = (row * stride[0] + vertical.offset) * width + horizontal.offset;
    const at = row * output[1];
    for (let column = horizontal.first; column < horizontal.end; column++) {
      sums[at + column]! += factor * inputs[line + column * stride[1]]!;
    }
  }
}

/** The outputs whose element `tap` of the kernel lies inside the image, and where the first is. */
function insideAlong(window: Sliding, axis: 0 | 1, tap: number, size: number) {
  const [stride, output] = [window.stride[axis], window.output[axis]];
  const offset = tap * window.dilation[axis] - window.before[axis];
  const first = Math.max(0, Math.ceil(-offset / stride));
  const end = Math.min(output, Math.floor((size - 1 - offset) / stride) + 1);
  return { offset, first, end };
}

const convTranspose: Reference = (call) => {
  const { attributes } = call;
  const [image, weight, bias] = [given(call, 0), given(call, 1), call.inputs[2]];
  const groups = attributes.number("group", 1);
  const [batch, channels, height, width] = image.shape as [number, number, number, number];
  const [, perGroup, kernelRows, kernelColumns] = weight.shape as [number, number, number, number];
  const [strideRows, strideColumns] = (attributes.numbers("strides") ?? [1, 1]) as Two;
  const [dilationRows, dilationColumns] = (attributes.numbers("dilations") ?? [1, 1]) as Two;
  const [top, left, bottom, right] = attributes.numbers("pads") ?? [0, 0, 0, 0];
  const [extraRows, extraColumns] = (attributes.numbers("output_padding") ?? [0, 0]) as Two;
  attributes.ignore("auto_pad", "kernel_shape");
  const rows =
    (height - 1) * strideRows + dilationRows * (kernelRows - 1) + 1 - top! - bottom! + extraRows;
  const columns =
    (width - 1) * strideColumns +
    (dilationColumns * (kernelColumns - 1) + 1 - left! - right! + extraColumns);
  const out = perGroup * groups;
  const result = made("float", [batch, out, rows, columns]);
  result.values.forEach((_, index) => {
    result.values[index] = bias?.values[Math.floor(index / (rows * columns)) % out] ?? 0;
  });
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      const group = Math.floor(c / (channels / groups));
      for (let pixel = 0; pixel < height * width; pixel++) {
        const value = image.values[(n * channels + c) * height * width + pixel]!;
        for (let tap = 0; tap < perGroup * kernelRows * kernelColumns; tap++) {
          const o = Math.floor(tap / (kernelRows * kernelColumns));
          const u = Math.floor(tap / kernelColumns) % kernelRows;
          const v = tap % kernelColumns;
          const y = Math.floor(pixel / width) * strideRows - top! + u * dilationRows;
          const x = (pixel % width) * strideColumns - left! + v * dilationColumns;
          if (y < 0 || y >= rows || x < 0 || x >= columns) continue;
          const plane = (n * out + group * perGroup + o) * rows * columns;
          const factor = weight.values[c * perGroup * kernelRows * kernelColumns + tap]!;
          result.values[plane + y * columns + x]! += value * factor;
        }
      }
    }
  }
  return result;
};

/** A number from the elements of each window. */
function pooled(
  image: ForeignTensor,
  window: Sliding,
  compute: (elements: readonly number[], row: number, column: number) => number,
): ForeignTensor {
  const [batch, channels, height, width] = image.shape as [number, number, number, number];
  const [rows, columns] = window.output;
  const result = made("float", [batch, channels, rows, columns]);
  result.values.forEach((_, index) => {
    const plane = Math.floor(index / (rows * columns)) * height * width;
    const [row, column] = [Math.floor(index / columns) % rows, index % columns];
    const elements: number[] = [];
    eachInside(window, [height, width], [row, column], (place) =>
      elements.push(image.values[plane + place]!),
    );
    result.values[index] = compute(elements, row, column);
  });
  return result;
}

const maxPool: Reference = (call) => {
  call.attributes.ignore("storage_order");
  if (call.outputs > 1) throw new RefusedNode("it also returns where its maxima are");
  const image = given(call, 0);
  return pooled(image, sliding(call.attributes, image), (elements) => Math.max(...elements));
};

const averagePool: Reference = (call) => {
  const image = given(call, 0);
  const window = sliding(call.attributes, image);
  const counts = call.attributes.flag("count_include_pad", false);
  const { kernel, stride, dilation, before, after } = window;
  const size = image.shape.slice(2);
  /** Taps of a window that lie in the image or its padding, but not beyond. */
  const inPadding = (at: number, axis: number) =>
    Array.from({ length: kernel[axis]! }, (_, tap) => tap).filter(
      (tap) =>
        at * stride[axis]! + tap * dilation[axis]! < before[axis]! + size[axis]! + after[axis]!,
    ).length;
  return pooled(image, window, (elements, row, column) => {
    const sum = elements.reduce((a, b) => a + b, 0);
    return sum / (counts ? inPadding(row, 0) * inPadding(column, 1) : elements.length);
  });
};

const wholeImage =
  (compute: (elements: ArrayLike<number> & Iterable<number>) => number): Reference =>
  (call) => {
    const image = given(call, 0);
    const [batch, channels, ...rest] = image.shape as [number, number, ...number[]];
    const pixels = rest.reduce((a, b) => a * b, 1);
    const result = made("float", [batch, channels, ...rest.map(() => 1)]);
    result.values.forEach((_, index) => {
      result.values[index] = compute(image.values.subarray(index * pixels, (index + 1) * pixels));
    });
    return result;
  };

/** What a pixel counts at a distance (Keys, 1981). */
function cubic(distance: number, a: number): number {
  if (distance <= 1) return (a + 2) * distance ** 3 - (a + 3) * distance ** 2 + 1;
  return a * distance ** 3 - 5 * a * distance ** 2 + 8 * a * distance - 4 * a;
}

/** `Resize` of rows and columns, nearest, linear or cubic. */
const resize: Reference = (call) => {
  const { attributes } = call;
  const image = given(call, 0);
  const [batch, channels, height, width] = image.shape as [number, number, number, number];
  const [scales, sizes] = [call.inputs[2], call.inputs[3]];
  const factors = scales && scales.values.length > 0 ? [...scales.values] : undefined;
  const rows = factors ? Math.floor(height * factors[2]!) : sizes!.values[2]!;
  const columns = factors ? Math.floor(width * factors[3]!) : sizes!.values[3]!;
  const rule = attributes.text("coordinate_transformation_mode", "half_pixel");
  const mode = attributes.text("mode", "nearest");
  const rounding = attributes.text("nearest_mode", "round_prefer_floor");
  const place = (index: number, from: number, to: number, scale: number): number => {
    if (rule === "align_corners") return to === 1 ? 0 : (index * (from - 1)) / (to - 1);
    if (rule === "asymmetric") return index / scale;
    if (rule === "pytorch_half_pixel" && to === 1) return 0;
    if (rule.endsWith("half_pixel")) return (index + 0.5) / scale - 0.5;
    throw new RefusedNode(`its coordinates ${rule} have no reference`);
  };
  const taps = (index: number, from: number, to: number, scale: number) => {
    const at = place(index, from, to, scale);
    const inside = (pixel: number) => Math.max(0, Math.min(from - 1, pixel));
    if (mode === "nearest") return [[inside(nearest(rounding, at)), 1]] as const;
    const low = Math.floor(at);
    if (mode === "cubic") {
      const a = attributes.number("cubic_coeff_a", -0.75);
      return [-1, 0, 1, 2].map((step) => {
        return [inside(low + step), cubic(Math.abs(low + step - at), a)] as const;
      });
    }
    if (mode !== "linear") throw new RefusedNode(`mode ${mode} has no reference`);
    return [
      [inside(low), 1 - (at - low)],
      [inside(low + 1), at - low],
    ] as const;
  };
  const result = made("float", [batch, channels, rows, columns]);
  result.values.forEach((_, index) => {
    const plane = Math.floor(index / (rows * columns)) * height * width;
    const [row, column] = [Math.floor(index / columns) % rows, index % columns];
    let sum = 0;
    for (const [y, a] of taps(row, height, rows, factors?.[2] ?? rows / height)) {
      for (const [x, b] of taps(column, width, columns, factors?.[3] ?? columns / width)) {
        sum += a * b * image.values[plane + y * width + x]!;
      }
    }
    result.values[index] = sum;
  });
  return result;
};

function nearest(rule: string, place: number): number {
  if (rule === "floor") return Math.floor(place);
  if (rule === "ceil") return Math.ceil(place);
  return rule === "round_prefer_ceil" ? Math.floor(place + 0.5) : Math.ceil(place - 0.5);
}

export const windows: Readonly<Record<string, Reference>> = {
  AveragePool: averagePool,
  Conv: conv,
  ConvTranspose: convTranspose,
  GlobalAveragePool: wholeImage((x) => [...x].reduce((a, b) => a + b, 0) / x.length),
  GlobalMaxPool: wholeImage((x) => Math.max(...x)),
  MaxPool: maxPool,
  Resize: resize,
};
