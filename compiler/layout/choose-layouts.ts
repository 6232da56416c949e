import {
  portsOf,
  type AnyNode,
  type ConvolutionAttributes,
  type Graph,
  type Pair,
  type Value,
} from "../ir/graph.js";
import { BATCH, imageShape } from "../ir/shape.js";
import { ActivationLayout, NO_MARGINS, type Margins } from "./activation-layout.js";
import { geometryOf, isContraction, type ConvolutionGeometry } from "./geometry.js";
import type { Uses } from "../ir/uses.js";

export type Layouts = ReadonlyMap<number, ActivationLayout>;

/**
 * Chooses how each activation lies in memory: with the widest halo that one of its readers needs,
 * so that producers write into the interior and no reader tests bounds.
 */
export function chooseLayouts(graph: Graph, uses: Uses): Layouts {
  const values = [
    ...graph.inputs.map(({ value }) => value),
    ...graph.nodes.flatMap((node) => node.outputs),
  ];
  const pitches = unpaddedPitches(portsOf(graph, "input").filter(isActivation), uses);
  return new Map(
    values
      .filter(isActivation)
      .map((value) => [value.id, layoutFor(value, pitches.get(value), uses)]),
  );
}

/** [N, C, H, W] or [N, F]; [N] values and codes have other layouts. */
export function isActivation(value: Value): boolean {
  return value.shape[0] === BATCH && value.shape.length >= 2 && value.type === "f32";
}

function layoutFor(value: Value, pitch: number | undefined, uses: Uses): ActivationLayout {
  const readers = uses.readers(value);
  const margins = readers.map((reader) => marginsFor(value, reader)).reduce(widest, NO_MARGINS);
  return new ActivationLayout(value.shape, margins, pitch);
}

/**
 * How far apart one reader needs the value's pixels to lie: a convolution's windows move over
 * neighbors, the gradient of a strided one over pixels with zeros between them. Undefined for
 * readers that take them as they lie.
 */
export function spacingFor(value: Value, reader: AnyNode): Pair | undefined {
  const geometry = convolutionReading(value, reader);
  if (!geometry || geometry.isDirect || geometry.coversInput) return undefined;
  return reader.kind === "convolutionInputGradient" ? geometry.attributes.stride : [1, 1];
}

/** What one reader needs of the value. */
function marginsFor(value: Value, reader: AnyNode): Margins {
  const geometry = convolutionReading(value, reader);
  if (!geometry || geometry.isDirect || geometry.coversInput) return NO_MARGINS;
  const isGradient = reader.kind === "convolutionInputGradient";
  const [rows, columns] = isGradient
    ? [geometry.gradientHalo(0), geometry.gradientHalo(1)]
    : [geometry.halo(0), geometry.halo(1)];
  return {
    top: rows.before,
    bottom: rows.after,
    left: columns.before,
    right: columns.after,
    spacing: isGradient ? geometry.attributes.stride : [1, 1],
  };
}

/** The geometry of a convolution (or gradient of one) whose windows move over the value. */
function convolutionReading(value: Value, reader: AnyNode): ConvolutionGeometry | undefined {
  return isContraction(reader) && reader.inputs[0] === value ? geometryOf(reader) : undefined;
}

export function widest(a: Margins, b: Margins): Margins {
  return {
    top: Math.max(a.top, b.top),
    bottom: Math.max(a.bottom, b.bottom),
    left: Math.max(a.left, b.left),
    right: Math.max(a.right, b.right),
    spacing: [Math.max(a.spacing[0], b.spacing[0]), Math.max(a.spacing[1], b.spacing[1])],
  };
}

/**
 * The inputs that stay unpadded. Where layers share weights, all that these are applied to is
 * unpadded, or nothing: the weights lie as what they meet.
 */
function unpaddedPitches(inputs: readonly Value[], uses: Uses): ReadonlyMap<Value, number> {
  const pitches = new Map<Value, number>();
  for (const input of inputs) {
    const pitch = unpaddedPitch(input, uses.readers(input));
    if (pitch !== undefined) pitches.set(input, pitch);
  }
  const isAlone = (input: Value) =>
    uses
      .readers(input)
      .some((reader) => sharingWeights(reader, uses).some((other) => !pitches.has(other)));
  // Each input that goes may take others with it.
  for (let gone = true; gone;) {
    const alone = [...pitches.keys()].filter(isAlone);
    for (const input of alone) pitches.delete(input);
    gone = alone.length > 0;
  }
  return pitches;
}

/** What a convolution's weights are applied to, by it and by those that share them. */
function sharingWeights({ kind, inputs }: AnyNode, uses: Uses): readonly Value[] {
  if (kind !== "convolution") return [];
  const maker = uses.maker(inputs[1]!);
  const weights = maker?.kind === "scaledWeights" ? maker.inputs[0]! : inputs[1]!;
  const copies = uses
    .readers(weights)
    .flatMap((node) => (node.kind === "scaledWeights" ? node.outputs : []));
  return [weights, ...copies].flatMap((each) =>
    uses.readers(each).flatMap((node) => (node.kind === "convolution" ? [node.inputs[0]!] : [])),
  );
}

/**
 * Images of three channels stay unpadded where their only reader is a convolution whose stride
 * keeps windows on vec4 boundaries: 33 instead of 44 values a row of an 11 x 11 kernel.
 */
function unpaddedPitch(images: Value, readers: readonly AnyNode[]): number | undefined {
  const { channels } = imageShape(images.shape);
  const fits = (attributes: ConvolutionAttributes) =>
    attributes.groups === 1 &&
    attributes.dilation[1] === 1 &&
    (attributes.stride[1] * channels) % 4 === 0;
  const areWindows = readers.every(
    (reader) =>
      (reader.kind === "convolution" || reader.kind === "convolutionWeightGradient") &&
      reader.inputs[0] === images &&
      fits(reader.attributes) &&
      !convolutionReading(images, reader)!.coversInput,
  );
  return areWindows && readers.length > 0 ? channels : undefined;
}
