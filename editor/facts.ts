import type { Span } from "../grammar/ast.js";
import {
  countParameters,
  type AnalyzedLayer,
  type AnalyzedModel,
} from "../compiler/semantics/index.js";
import { lastPart, touches } from "./spans.js";

/**
 * What a layer or the use of a block is in the network, in one turn of the loops and one use of the
 * blocks around it.
 */
export interface Fact {
  /** `features.conv1`; for the use of a block, the use's name. */
  readonly name: string;
  /** Shapes without the batch axis; undefined where a mistake hides them. */
  readonly input: readonly number[] | undefined;
  readonly output: readonly number[] | undefined;
  readonly parameters: number;
  /** Multiply-adds per image. */
  readonly macs: number;
}

/** A call in the text, with what it is in each of its turns. */
export interface Place {
  readonly span: Span;
  /** Where its output is there: the whole of `residual { ... }`. */
  readonly whole: Span;
  /** Whether its layers are not in the text: those of `skip auto`. */
  readonly isImplied: boolean;
  readonly facts: Fact[];
}

/** What the layers and uses of blocks of one file are in its models. */
export class Facts {
  private readonly byOffset = new Map<number, Place>();

  constructor(
    models: readonly AnalyzedModel[],
    private readonly file: string,
  ) {
    for (const model of models) {
      for (const layer of model.layers) this.addLayer(layer, model);
      for (const { span, fact } of usesOf(model)) {
        this.add({ span, whole: span, isImplied: false }, fact);
      }
    }
  }

  /** Those whose call starts where a span does. */
  at({ start }: Span): readonly Fact[] {
    return this.byOffset.get(start.offset)?.facts ?? [];
  }

  /** Those that an `as NAME` names. */
  ofAlias(name: string, alias: Span): readonly Fact[] {
    return this.places
      .filter(({ whole }) => touches(whole, alias.start.offset))
      .flatMap(({ facts }) => facts)
      .filter((fact) => withoutNumber(lastPart(fact.name)) === withoutNumber(name));
  }

  get places(): readonly Place[] {
    return [...this.byOffset.values()];
  }

  private addLayer(layer: AnalyzedLayer, model: AnalyzedModel): void {
    const { name, output, parameters, macs, span } = layer;
    const input = shapeAt(layer.inputs[0], model);
    const group = model.groups[layer.group ?? -1];
    const isGroup = group?.span.start.offset === span.start.offset;
    const whole = isGroup ? group.span : span;
    const isImplied = isGroup && group.kind === "skip";
    this.add({ span, whole, isImplied }, { name, input, output, parameters, macs });
  }

  private add(place: Omit<Place, "facts">, fact: Fact): void {
    if (place.span.file !== this.file) return;
    const { offset } = place.span.start;
    const known = this.byOffset.get(offset);
    if (known) known.facts.push(fact);
    else this.byOffset.set(offset, { ...place, facts: [fact] });
  }
}

/** Names in loops are numbered. */
function withoutNumber(name: string): string {
  return name.replace(/\d+$/, "");
}

function shapeAt(
  index: number | undefined,
  { inputs, layers }: AnalyzedModel,
): readonly number[] | undefined {
  if (index === undefined) return undefined;
  return index < 0 ? inputs[-1 - index]?.shape : layers[index]?.output;
}

/** Each use of a block as one: from what its first layer receives to what its last one makes. */
function usesOf(model: AnalyzedModel): readonly { readonly span: Span; readonly fact: Fact }[] {
  const layersOf = new Map<string, { readonly span: Span; readonly layers: AnalyzedLayer[] }>();
  for (const layer of model.layers) {
    for (const { name, span } of layer.uses) {
      const use = layersOf.get(name) ?? { span, layers: [] };
      use.layers.push(layer);
      layersOf.set(name, use);
    }
  }
  return [...layersOf].map(([name, { span, layers }]) => ({
    span,
    fact: {
      name,
      input: shapeAt(layers[0]?.inputs[0], model),
      output: layers.at(-1)?.output,
      parameters: countParameters(layers),
      macs: layers.reduce((sum, { macs }) => sum + macs, 0),
    },
  }));
}
