/**
 * The syntax tree of a spec, as written: no names resolved, no shapes known, every node with its span.
 */

/** A place in a source text. Lines and columns count from 1, offsets from 0 (UTF-16 code units). */
export interface Position {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** A half-open range of a source text. */
export interface Span {
  readonly file: string;
  readonly start: Position;
  readonly end: Position;
}

export interface Identifier {
  readonly kind: "identifier";
  readonly name: string;
  readonly span: Span;
}

// Expressions

export interface NumberLiteral {
  readonly kind: "number";
  readonly value: number;
  /** True for `64`, false for `0.5` and `1e-3`. */
  readonly isInteger: boolean;
  /** The unit of `5 epochs`. */
  readonly unit?: Identifier;
  readonly span: Span;
}

export interface StringLiteral {
  readonly kind: "string";
  readonly value: string;
  readonly span: Span;
}

export interface BooleanLiteral {
  readonly kind: "boolean";
  readonly value: boolean;
  readonly span: Span;
}

/** A name standing for a constant, a parameter, a named value, or one of an argument's choices. */
export interface NameExpression {
  readonly kind: "name";
  readonly name: string;
  readonly span: Span;
}

/** A pattern over names of weights: `classifier.logits.*`. A single plain name is a NameExpression. */
export interface PatternExpression {
  readonly kind: "pattern";
  readonly segments: readonly string[];
  readonly span: Span;
}

export interface ListExpression {
  readonly kind: "list";
  readonly elements: readonly Expression[];
  readonly span: Span;
}

export interface UnaryExpression {
  readonly kind: "unary";
  readonly operator: "-";
  readonly operand: Expression;
  readonly span: Span;
}

export interface BinaryExpression {
  readonly kind: "binary";
  readonly operator: "+" | "-" | "*" | "/" | "%";
  readonly left: Expression;
  readonly right: Expression;
  readonly span: Span;
}

export interface Argument {
  /** Present for `stride=2`, absent for a positional argument. */
  readonly name?: Identifier;
  readonly value: Expression;
  readonly span: Span;
}

export interface CallExpression {
  readonly kind: "call";
  readonly callee: Identifier;
  readonly arguments: readonly Argument[];
  /** False for a bare name in a chain: `relu`. */
  readonly hasParentheses: boolean;
  /** `as fc6`, in chains only. */
  readonly alias?: Identifier;
  readonly span: Span;
}

/** `warmup(5 epochs) -> step(every=30 epochs, gamma=0.1)`: calls in sequence. */
export interface SequenceExpression {
  readonly kind: "sequence";
  readonly calls: readonly CallExpression[];
  readonly span: Span;
}

export type Expression =
  | NumberLiteral
  | StringLiteral
  | BooleanLiteral
  | NameExpression
  | PatternExpression
  | ListExpression
  | UnaryExpression
  | BinaryExpression
  | CallExpression
  | SequenceExpression;

// Models

/** `f32[N, 3, 224, 224]`. The batch axis `N` is a NameExpression like any other dimension. */
export interface TensorType {
  readonly kind: "tensorType";
  readonly element: Identifier;
  readonly dimensions: readonly Expression[];
  readonly span: Span;
}

export interface InputDeclaration {
  readonly kind: "input";
  readonly name: Identifier;
  readonly type: TensorType;
  readonly documentation?: string;
  readonly span: Span;
}

/** `target label: u32[N] in 0..classes`. */
export interface TargetDeclaration {
  readonly kind: "target";
  readonly name: Identifier;
  readonly type: TensorType;
  readonly range?: { readonly from: Expression; readonly to: Expression; readonly span: Span };
  readonly documentation?: string;
  readonly span: Span;
}

/** A run of layers joined by `->`, on one line or on several joined by leading arrows. */
export interface Chain {
  readonly kind: "chain";
  readonly calls: readonly CallExpression[];
  readonly span: Span;
}

export interface Section {
  readonly kind: "section";
  readonly name: Identifier;
  readonly members: readonly (Section | Chain)[];
  readonly documentation?: string;
  readonly span: Span;
}

export interface LossDeclaration {
  readonly kind: "loss";
  readonly call: CallExpression;
  readonly span: Span;
}

export interface MetricDeclaration {
  readonly kind: "metric";
  readonly name: Identifier;
  readonly call: CallExpression;
  readonly span: Span;
}

export type ModelMember =
  InputDeclaration | TargetDeclaration | Section | Chain | LossDeclaration | MetricDeclaration;

/** `classes: int = 1000`. */
export interface ParameterDeclaration {
  readonly kind: "parameter";
  readonly name: Identifier;
  readonly type: Identifier;
  readonly defaultValue?: Expression;
  readonly span: Span;
}

// Declarations

export interface ConstDeclaration {
  readonly kind: "const";
  readonly name: Identifier;
  readonly value: Expression;
  readonly documentation?: string;
  readonly span: Span;
}

export interface ModelDeclaration {
  readonly kind: "model";
  readonly name: Identifier;
  readonly parameters: readonly ParameterDeclaration[];
  readonly members: readonly ModelMember[];
  readonly documentation?: string;
  readonly span: Span;
}

/** `train folder("data/train") { random_crop(32) -> hflip(0.5) }`. */
export interface DataSplit {
  readonly kind: "split";
  /** `train` or `eval`; anything else is a diagnostic. */
  readonly name: Identifier;
  readonly source: CallExpression;
  readonly transforms: readonly CallExpression[];
  readonly span: Span;
}

export interface DataDeclaration {
  readonly kind: "data";
  readonly name: Identifier;
  /** `for AlexNet`. */
  readonly model?: Identifier;
  readonly splits: readonly DataSplit[];
  readonly documentation?: string;
  readonly span: Span;
}

export interface Setting {
  readonly kind: "setting";
  readonly name: Identifier;
  readonly value: Expression;
  readonly span: Span;
}

/** `train Flowers of AlexNet(classes=102) on Flowers102 { ... }`. */
export interface TrainDeclaration {
  readonly kind: "train";
  readonly name: Identifier;
  readonly model: CallExpression;
  readonly data?: Identifier;
  readonly settings: readonly Setting[];
  readonly documentation?: string;
  readonly span: Span;
}

export type Declaration = ConstDeclaration | ModelDeclaration | DataDeclaration | TrainDeclaration;

export interface Spec {
  readonly kind: "spec";
  readonly file: string;
  readonly declarations: readonly Declaration[];
  readonly span: Span;
}
