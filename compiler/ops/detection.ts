import type { DetectionAttributes, Value } from "../ir/graph.js";
import { BATCH, formatShape, imageShape } from "../ir/shape.js";
import { ensure, requireShape } from "./checks.js";
import type { OpDefinition, Tensor } from "./op.js";
import { softmaxOf } from "./softmax.js";
import { imageSizes, zeros } from "./tensors.js";

/** Numbers of a cell before those of the classes: x, y, width, height, and whether it has a box. */
const OBJECT = 4;
const FIRST_CLASS = 5;

/**
 * The loss of a grid of cells, each with one box: x and y of its middle within the cell, its width
 * and height in the image, whether there is one, all before a sigmoid; and logits of its class.
 * The parts are those of YOLO (Redmon et al., "You only look once", 2016), with cross-entropies in
 * the place of squares, as of its third version (2018): for the cell with the middle of a box,
 *
 *   coord * ((x - x')^2 + (y - y')^2 + (sqrt w - sqrt w')^2 + (sqrt h - sqrt h')^2)
 *     - log(object) - log softmax(classes)[class]
 *
 * and noobj * -log(1 - object) for all other cells. Of several boxes in a cell the first counts.
 * Boxes with a class below 0, and those with a middle beyond the image, do not count.
 */
export const detectionLoss: OpDefinition<"detectionLoss"> = {
  keepsOrder: true,

  outputs(inputs) {
    requireGrid(inputs);
    return [{ shape: [BATCH], type: "f32" }];
  },

  reference(inputs, attributes) {
    const losses = zeros([inputs[0]!.shape[0]!]);
    forEachCell(inputs, ({ image, numbers, box }) => {
      losses.data[image]! += lossOf(numbers, box, attributes);
    });
    return [losses];
  },
};

/** `weight` times the gradient of the mean over the step's examples. */
export const detectionLossGradient: OpDefinition<"detectionLossGradient"> = {
  keepsOrder: true,

  outputs(inputs) {
    requireGrid(inputs);
    return [{ shape: inputs[0]!.shape, type: "f32" }];
  },

  reference(inputs, { weight, ...attributes }) {
    const gradient = zeros(inputs[0]!.shape);
    const share = weight / inputs[0]!.shape[0]!;
    forEachCell(inputs, ({ numbers, box, places }) => {
      slopesOf(numbers, box, attributes).forEach((slope, index) => {
        gradient.data[places[index]!] = share * slope;
      });
    });
    return [gradient];
  },
};

function requireGrid([grid, boxes]: readonly Value[]): void {
  const isGrid = grid!.shape.length === 4 && imageShape(grid!.shape).channels > FIRST_CLASS;
  ensure(isGrid, () => `expected a grid [N, 5 + classes, H, W], got ${formatShape(grid!.shape)}`);
  requireShape(boxes!, [BATCH, boxes!.shape[1]!, FIRST_CLASS]);
}

/** What a cell should give, each as what the loss compares. */
interface CellBox {
  readonly label: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Cell {
  readonly image: number;
  readonly numbers: readonly number[];
  readonly box: CellBox | undefined;
  /** Places of its numbers among all of the tensor. */
  readonly places: readonly number[];
}

function forEachCell([grid, boxes]: readonly Tensor[], visit: (cell: Cell) => void): void {
  const { images, channels, height, width, pixels } = imageSizes(grid!.shape);
  for (let index = 0; index < images * pixels; index++) {
    const [image, pixel] = [Math.floor(index / pixels), index % pixels];
    const [row, column] = [Math.floor(pixel / width), pixel % width];
    const places = Array.from(
      { length: channels },
      (_, channel) => (image * channels + channel) * pixels + pixel,
    );
    const numbers = places.map((place) => grid!.data[place]!);
    const box = boxOf(boxes!, image, { row, column, height, width });
    visit({ image, numbers, box, places });
  }
}

/** The first box whose middle is in the cell. */
function boxOf(
  { data, shape }: Tensor,
  image: number,
  cell: {
    readonly row: number;
    readonly column: number;
    readonly height: number;
    readonly width: number;
  },
): CellBox | undefined {
  const most = shape[1]!;
  for (let place = 0; place < most; place++) {
    const start = (image * most + place) * FIRST_CLASS;
    const [label, x, y, width, height] = data.slice(start, start + FIRST_CLASS) as unknown as [
      number,
      number,
      number,
      number,
      number,
    ];
    const [right, down] = [x * cell.width, y * cell.height];
    const isHere = Math.floor(right) === cell.column && Math.floor(down) === cell.row;
    if (label >= 0 && isHere) {
      return {
        label: Math.floor(label),
        x: right - cell.column,
        y: down - cell.row,
        width,
        height,
      };
    }
  }
  return undefined;
}

const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));
const softplus = (value: number) => Math.max(value, 0) + Math.log1p(Math.exp(-Math.abs(value)));

function lossOf(
  numbers: readonly number[],
  box: CellBox | undefined,
  { coord, noobj }: DetectionAttributes,
): number {
  const object = numbers[OBJECT]!;
  if (!box) return noobj * softplus(object);
  const [x, y, width, height] = numbers.slice(0, OBJECT).map(sigmoid) as [
    number,
    number,
    number,
    number,
  ];
  const squares =
    (x - box.x) ** 2 +
    (y - box.y) ** 2 +
    (Math.sqrt(width) - Math.sqrt(box.width)) ** 2 +
    (Math.sqrt(height) - Math.sqrt(box.height)) ** 2;
  const probability = softmaxOf(numbers.slice(FIRST_CLASS))[box.label] ?? NaN;
  return coord * squares + softplus(-object) - Math.log(probability);
}

function slopesOf(
  numbers: readonly number[],
  box: CellBox | undefined,
  { coord, noobj }: DetectionAttributes,
): readonly number[] {
  const object = sigmoid(numbers[OBJECT]!);
  if (!box) return numbers.map((_, index) => (index === OBJECT ? noobj * object : 0));
  const ofPlace = (value: number, wanted: number) => {
    const given = sigmoid(value);
    return 2 * coord * (given - wanted) * given * (1 - given);
  };
  const ofSize = (value: number, wanted: number) => {
    const given = sigmoid(value);
    const root = Math.sqrt(given);
    return coord * (root - Math.sqrt(wanted)) * root * (1 - given);
  };
  const [x, y, width, height] = numbers as [number, number, number, number];
  const isKnown = box.label < numbers.length - FIRST_CLASS;
  return [
    ...[ofPlace(x, box.x), ofPlace(y, box.y)],
    ...[ofSize(width, box.width), ofSize(height, box.height)],
    object - 1,
    ...softmaxOf(numbers.slice(FIRST_CLASS)).map((probability, label) =>
      isKnown ? probability - Number(label === box.label) : NaN,
    ),
  ];
}
