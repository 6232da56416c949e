/**
 * A network whose names are resolved: blocks expanded, loops unrolled, arguments read and their
 * defaults filled in, shapes known. Specs and importers make it; `build` makes a graph of it and
 * `print` the text of a spec. It is whole and right: a spec with mistakes has none.
 */
import type { CallValues } from "../calls/signature.js";
import type { Distribution } from "../../program/noise.js";
import type { Gives } from "../../program/program.js";
import type { Origin } from "../ir/origin.js";
import type { TensorType } from "../ir/tensor-type.js";
import type { LayerDefinition } from "../layers/layer.js";
import type { ScoreDefinition } from "../layers/scores.js";

export interface ResolvedNetwork {
  readonly name: string;
  readonly inputs: readonly NetworkPort[];
  readonly targets: readonly NetworkPort[];
  /** In the order of the text: every layer comes after those that it reads. */
  readonly layers: readonly ResolvedLayer[];
  readonly groups: readonly Group[];
  /** The terms of the sum that training minimizes; without one, the network cannot be trained. */
  readonly losses: readonly ResolvedLoss[];
  readonly metrics: readonly ResolvedScore[];
  readonly outputs: readonly NetworkOutput[];
}

/** A tensor that comes in: an input, or what a score compares with. */
export interface NetworkPort {
  readonly name: string;
  readonly type: TensorType;
  /** Of a target that declares them: labels are integers in 0 .. classes - 1. */
  readonly classes?: number;
  /** Of an input of noise. */
  readonly distribution?: Distribution | undefined;
  readonly origin: Origin;
}

/** A value by what makes it: an index in `inputs`, `targets` or `layers`. */
export interface NetworkValue {
  readonly from: "input" | "target" | "layer";
  readonly index: number;
}

export interface ResolvedLayer {
  /** The full name, unique in its network: `features.conv1`. */
  readonly name: string;
  readonly definition: LayerDefinition;
  /** Every declared argument, with its default where no other value was given. */
  readonly values: CallValues;
  /** The current value first, then those that the layer names: `add(shortcut)`. */
  readonly inputs: readonly NetworkValue[];
  /** Of its output. */
  readonly type: TensorType;
  /**
   * What names of its weights start with: its name, or one that several layers share weights by.
   */
  readonly weights: string;
  /** Index in `groups` of the innermost group around it. */
  readonly group?: number;
  readonly origin: Origin;
}

/** Layers that belong together: what pictures draw a frame around, and names have as a prefix. */
export interface Group {
  /** The full name that it gives its layers; that of the group around it where it adds none. */
  readonly name: string;
  /** What a picture writes on the frame: `features`, `basic(64, stride=2)`, `branch1`. */
  readonly label: string;
  readonly kind: "section" | "block" | "residual" | "skip" | "concat" | "branch";
  /** Index in `groups` of the group around it, which comes before it. */
  readonly parent?: number;
  readonly span: Origin["span"];
}

/** A loss or a metric, of two values or of one. */
export interface ResolvedScore {
  /** What training reports it as: `loss`, `top1`. */
  readonly name: string;
  readonly definition: ScoreDefinition;
  /** Without the names of prediction and target, which are resolved below. */
  readonly values: CallValues;
  readonly prediction: NetworkValue;
  /**
   * A target or an input; another value of the network, which is a constant to the score; absent
   * where a formula of values alone is the score.
   */
  readonly target?: NetworkValue | undefined;
  /**
   * Of a formula of which layers compute parts: the targets that they read, and the one value of
   * the network that is compared with them, if it is one.
   */
  readonly compares?: {
    readonly prediction: NetworkValue | undefined;
    readonly targets: readonly NetworkValue[];
  };
  readonly origin: Origin;
}

export interface ResolvedLoss {
  readonly score: ResolvedScore;
  /** How often it counts in the sum; above 0. */
  readonly factor: number;
  /** Of several losses, which separate steps minimize: the name of that one. */
  readonly of?: string | undefined;
}

/** What `predict` returns. */
export interface NetworkOutput {
  readonly name: string;
  readonly value: NetworkValue;
  readonly gives: Gives;
}
