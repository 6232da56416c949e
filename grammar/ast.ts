/**
 * The syntax tree of a spec, as written: no names resolved, no shapes known, every node with its
 * span.
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

/** A name of a constant, a parameter, a named value, or one of an argument's choices. */
export interface NameExpression {
  readonly kind: "name";
  readonly name: string;
  readonly span: Span;
}

/**
 * A pattern over names of weights: `classifier.logits.*`. A single plain name is a NameExpression.
 */
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

/** `(64, 2)`: what a `for` takes apart. A single value in parentheses is not a tuple. */
export interface TupleExpression {
  readonly kind: "tuple";
  readonly elements: readonly Expression[];
  readonly span: Span;
}

/** `0..4`: the integers from 0 to 3. Only behind `in`. */
export interface RangeExpression {
  readonly kind: "range";
  readonly from: Expression;
  readonly to: Expression;
  readonly span: Span;
}

export interface UnaryExpression {
  readonly kind: "unary";
  readonly operator: "-" | "not";
  readonly operand: Expression;
  readonly span: Span;
}

export interface BinaryExpression {
  readonly kind: "binary";
  readonly operator:
    ("+" | "-" | "*" | "/" | "%" | "^") | ("==" | "!=" | "<" | "<=" | ">" | ">=") | ("and" | "or");
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

/** A layer, the use of a block, or a function of constants (`min(64, width)`). */
export interface CallExpression {
  readonly kind: "call";
  readonly callee: Identifier;
  readonly arguments: readonly Argument[];
  /** False for a bare name in a chain: `relu`. */
  readonly hasParentheses: boolean;
  /** `as fc6`, in chains only. */
  readonly alias?: Identifier;
  /** On a line with a syntax error, which hides what its name means. */
  readonly isDoubtful?: boolean;
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
  | TupleExpression
  | RangeExpression
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

/** `0..classes`: from the first to before the last. */
export interface IntegerRange {
  readonly from: Expression;
  readonly to: Expression;
  readonly span: Span;
}

/**
 * `input image: f32[N, 3, 224, 224]`, `input tokens: u32[N, 16] in 0..vocabulary`, or noise:
 * `input z: f32[N, 64] of normal`.
 */
export interface InputDeclaration {
  readonly kind: "input";
  readonly name: Identifier;
  readonly type: TensorType;
  readonly range?: IntegerRange | undefined;
  /** Of noise: how it is distributed. */
  readonly distribution?: Identifier;
  readonly documentation?: string;
  readonly span: Span;
}

/** `target label: u32[N] in 0..classes`. */
export interface TargetDeclaration {
  readonly kind: "target";
  readonly name: Identifier;
  readonly type: TensorType;
  readonly range?: IntegerRange | undefined;
  readonly documentation?: string;
  readonly span: Span;
}

/** `output logits, features.last`: values that the model predicts. */
export interface OutputDeclaration {
  readonly kind: "output";
  readonly values: readonly OutputName[];
  readonly span: Span;
}

/** A value by its name: the parts of `features.last`. */
export interface OutputName {
  readonly path: readonly Identifier[];
  readonly span: Span;
}

/** A run of layers joined by `->`, on one line or on several joined by leading arrows. */
export interface Chain {
  readonly kind: "chain";
  /** At least one. Only the first may be a `from`. */
  readonly elements: readonly ChainElement[];
  readonly span: Span;
}

export type ChainElement = CallExpression | From | Residual | Concat;

/** `from stem`: what follows reads the named value instead of the previous one. */
export interface From {
  readonly kind: "from";
  /** The parts of `features.conv2`. */
  readonly path: readonly Identifier[];
  readonly span: Span;
}

/**
 * `residual { ... } skip auto as sum`: the sum of its body's value and of what the skip makes of
 * the same input. `residual(drop=0.1) { ... }` has arguments.
 */
export interface Residual {
  readonly kind: "residual";
  /** `residual(...)`, where it has arguments. */
  readonly header?: CallExpression;
  readonly members: readonly BodyMember[];
  readonly skip: Skip;
  readonly alias?: Identifier;
  readonly span: Span;
}

export type Skip =
  /** Nothing written: the input itself. */
  | { readonly kind: "identity" }
  /** The input itself if the shapes agree, else a 1x1 convolution and batch normalization. */
  | { readonly kind: "auto"; readonly span: Span }
  | { readonly kind: "body"; readonly members: readonly BodyMember[]; readonly span: Span };

/**
 * `concat { branch { ... } branch pool { ... } }`: the channels of all branches, one after the
 * other. `split(sizes=[16, 48]) { branch { ... } ... }`: the same, but each branch starts from its
 * part of the value.
 */
export interface Concat {
  readonly kind: "concat";
  /** The `split`, or the `concat` with arguments, in front of its branches. */
  readonly header?: CallExpression;
  readonly branches: readonly Branch[];
  readonly alias?: Identifier;
  readonly span: Span;
}

/** One of several branches of the same input. Without members it passes the input on. */
export interface Branch {
  readonly kind: "branch";
  readonly name?: Identifier;
  readonly members: readonly BodyMember[];
  readonly span: Span;
}

/** `repeat 3 { ... }`. */
export interface Repeat {
  readonly kind: "repeat";
  readonly count: Expression;
  readonly members: readonly BodyMember[];
  readonly span: Span;
}

/**
 * `for width in [64, 128] { ... }`, `for (width, n) in [(64, 2), (128, 3)] { ... }`,
 * `for i in 0..4 { ... }`.
 */
export interface For {
  readonly kind: "for";
  /** One name takes each element whole; several, written in parentheses, take it apart. */
  readonly names: readonly Identifier[];
  readonly isTuple: boolean;
  readonly values: Expression;
  readonly members: readonly BodyMember[];
  readonly span: Span;
}

/**
 * `if stride > 1 { ... } else if ... { ... } else { ... }`: one of several bodies, by what is known
 * when compiling.
 */
export interface If {
  readonly kind: "if";
  readonly condition: Expression;
  readonly members: readonly BodyMember[];
  readonly otherwise?: If | Else;
  readonly span: Span;
}

export interface Else {
  readonly kind: "else";
  readonly members: readonly BodyMember[];
  readonly span: Span;
}

export interface Section {
  readonly kind: "section";
  readonly name: Identifier;
  readonly members: readonly BodyMember[];
  readonly documentation?: string;
  readonly span: Span;
}

/**
 * `share tower { ... }`: layers that are applied under one name, each time with the same weights.
 */
export interface Share {
  readonly kind: "share";
  readonly name: Identifier;
  readonly members: readonly BodyMember[];
  readonly documentation?: string;
  readonly span: Span;
}

/** `let y = x * sigmoid(x)`: a value that is computed element by element from others. */
export interface Let {
  readonly kind: "let";
  readonly name: Identifier;
  readonly value: Expression;
  readonly documentation?: string;
  readonly span: Span;
}

/** `parameter positions: f32[197, 768] init normal(0.02)`: numbers that are trained. */
export interface Weight {
  readonly kind: "weight";
  readonly name: Identifier;
  readonly type: TensorType;
  readonly init?: Expression;
  readonly documentation?: string;
  readonly span: Span;
}

/** A member of a section, a block, a branch or a loop. */
export type BodyMember = Chain | Section | Repeat | For | If | Let | Weight;

/** What is within the braces of a section, a loop or an `if`, with all that its `else` has. */
export function membersWithin(body: Section | Repeat | For | If | Else): readonly BodyMember[] {
  const otherwise = body.kind === "if" ? body.otherwise : undefined;
  return otherwise ? [...body.members, ...membersWithin(otherwise)] : body.members;
}

/**
 * `loss cross_entropy(logits, label) + 0.3 * cross_entropy(aux, label)`: a call, or a weighted sum
 * of calls.
 */
export interface LossDeclaration {
  readonly kind: "loss";
  /** `loss d = ...`: of several losses, each of which trains other weights. */
  readonly name?: Identifier;
  readonly value: Expression;
  readonly span: Span;
}

export interface MetricDeclaration {
  readonly kind: "metric";
  readonly name: Identifier;
  readonly call: CallExpression;
  readonly span: Span;
}

export type ModelMember =
  | InputDeclaration
  | TargetDeclaration
  | OutputDeclaration
  | Share
  | BodyMember
  | LossDeclaration
  | MetricDeclaration;

const MODEL_ONLY = ["input", "target", "output", "share", "loss", "metric"];

/** Whether a member is also allowed in a section, a block, a branch or a loop. */
export const isBodyMember = (member: ModelMember): member is BodyMember =>
  !MODEL_ONLY.includes(member.kind);

/** `classes: int = 1000`, of a model or a block. */
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

/**
 * `block basic(out: int, stride: int = 1) { ... }`: layers to be used under one name, like a layer.
 */
export interface BlockDeclaration {
  readonly kind: "block";
  readonly name: Identifier;
  /** Whether the line of its name has a mistake, so that parameters may be missing here. */
  readonly hasBrokenHeader?: boolean;
  readonly parameters: readonly ParameterDeclaration[];
  readonly members: readonly BodyMember[];
  readonly documentation?: string;
  readonly span: Span;
}

/** `fn swish(x, beta: float = 1) = x * sigmoid(beta * x)`: a formula under a name. */
export interface FunctionDeclaration {
  readonly kind: "fn";
  readonly name: Identifier;
  readonly parameters: readonly FunctionParameter[];
  readonly value: Expression;
  readonly documentation?: string;
  readonly span: Span;
}

/** Without a type, it takes a value of the network; with one, a constant. */
export interface FunctionParameter {
  readonly kind: "functionParameter";
  readonly name: Identifier;
  readonly type?: Identifier;
  readonly defaultValue?: Expression;
  readonly span: Span;
}

/** `import { basic, bottleneck as wide } from "./blocks.net"`. */
export interface ImportDeclaration {
  readonly kind: "import";
  readonly names: readonly ImportedName[];
  readonly path: StringLiteral;
  readonly span: Span;
}

export interface ImportedName {
  readonly kind: "importedName";
  readonly name: Identifier;
  /** What the importing file calls it, if otherwise. */
  readonly alias?: Identifier;
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

/** `step d { update = discriminator }`: a part of a training step, with a separate loss. */
export interface StepDeclaration {
  readonly kind: "step";
  /** `step`; anything else is a diagnostic. */
  readonly keyword: Identifier;
  /** The loss's. */
  readonly name: Identifier;
  readonly settings: readonly Setting[];
  readonly span: Span;
}

/** `train Flowers of AlexNet(classes=102) on Flowers102 { ... }`. */
export interface TrainDeclaration {
  readonly kind: "train";
  readonly name: Identifier;
  readonly model: CallExpression;
  readonly data?: Identifier;
  /** In the order of the text. */
  readonly members: readonly (Setting | StepDeclaration)[];
  readonly settings: readonly Setting[];
  readonly steps: readonly StepDeclaration[];
  readonly documentation?: string;
  readonly span: Span;
}

/** The settings of a recipe and of its steps. */
export const settingsWithin = ({ settings, steps }: TrainDeclaration): readonly Setting[] => [
  ...settings,
  ...steps.flatMap((step) => step.settings),
];

export type Declaration =
  | ImportDeclaration
  | ConstDeclaration
  | FunctionDeclaration
  | BlockDeclaration
  | ModelDeclaration
  | DataDeclaration
  | TrainDeclaration;

export interface Spec {
  readonly kind: "spec";
  readonly file: string;
  readonly declarations: readonly Declaration[];
  /** Names of functions, blocks and shared layers whose declarations have syntax errors. */
  readonly lost: readonly string[];
  readonly span: Span;
}
