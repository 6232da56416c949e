import { expect, test } from "vitest";
import { analyze, compile } from "../../compiler/index.js";
import { makeProgram } from "../../compiler/program.js";
import type { Program } from "../../program/program.js";
import type { TrainRecipe } from "../../program/recipe.js";
import { createNetwork, parseTensors, type Targets } from "../../runtime/index.js";
import { phaseAt } from "../../runtime/training/schedule.js";
import { relativeError, type Summary } from "../oracle/sketch.js";
import { labelValues, parameterValues, uniformValues } from "../oracle/values.js";
import { readExpected } from "./harness.js";
import { sampled } from "../adapters.js";

/**
 * A small network trained for a few steps with one loss and one optimizer, as PyTorch's own trained
 * it.
 */
interface Case {
  /** Key of the hashed values. */
  readonly name: string;
  /** As the spec has them. */
  readonly loss: string;
  readonly target: string;
  readonly settings: string;
  /** Before each step. */
  readonly losses: readonly number[];
  /** After all steps. */
  readonly weights: Readonly<Record<string, Summary>>;
  /** How far each parameter moved, relative to its norm. */
  readonly moved: Readonly<Record<string, number>>;
}

const BATCH = 3;
const CLASSES = 5;
const PIXELS = BATCH * 3 * 6 * 6;

/**
 * Of each weight's norm: Adam and RMSprop divide by the gradient's size, so that rounding of a
 * small gradient shows whole. And, since weights move little, of how far they moved.
 */
const TOLERANCE = 5e-5;
const MOVE_TOLERANCE = 1e-3;

function specOf({ loss, target, settings }: Case): string {
  const isPicture = loss.includes("image") || target.includes("6, 6");
  const head = isPicture
    ? "conv(3, kernel=3, padding=1) as out"
    : `flatten -> linear(${CLASSES}) as out`;
  const early = loss.includes("early")
    ? `from features -> flatten -> linear(${CLASSES}) as early`
    : "";
  return `
model Case {
  input image: f32[N, 3, 6, 6]
  ${target}
  conv(4, kernel=3, padding=1) as first -> tanh as features
  ${head}
  ${early}
  loss ${loss}
}
train Run of Case {
  epochs = 1
  batch = ${BATCH}
  ${settings}
}
`;
}

const isMixed = ({ target }: Case) => target.includes("mixed");

function targetsOf(expected: Case): Targets {
  const { name, loss, target } = expected;
  if (target === "") return undefined;
  const labels = labelValues(`${name}/labels`, BATCH, CLASSES);
  if (isMixed(expected)) {
    const partners = labelValues(`${name}/partners`, BATCH, CLASSES);
    const shares = uniformValues(`${name}/mixture`, BATCH, 1).map(Math.abs);
    return { labels, partners, shares };
  }
  if (target.includes("u32[N, 6, 6]")) {
    const classes = labelValues(`${name}/masks`, BATCH * 36, 3);
    return classes.map((each, at) => (at % 4 === 1 ? 255 : each));
  }
  if (target.includes("u32")) return labels;
  const length = target.includes("6, 6") ? PIXELS : BATCH * CLASSES;
  const values = uniformValues(`${name}/targets`, length, 1);
  return /bce|sigmoid/.test(loss) ? values.map(Math.abs) : values;
}

function recipeOf(expected: Case): TrainRecipe {
  return analyze(specOf(expected), "case.net").selected!.recipe!;
}

/**
 * Data that mix images are not part of these specs: what they make of the program is asked for
 * here.
 */
function programsOf(expected: Case): readonly Program[] {
  const spec = specOf(expected);
  const { programs, diagnostics } = compile(spec, { file: "case.net" });
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  if (!isMixed(expected)) return programs;
  const { graph } = analyze(spec, "case.net").selected!.model;
  return programs.map(({ target, source, optimizer }) =>
    makeProgram(graph!, { target, source, optimizer, mixesLabels: true }),
  );
}

test.for(sampled(readExpected<Case[]>("recipes"), 6))(
  "$loss with $settings as in PyTorch",
  async (expected) => {
    const network = await createNetwork<string, string, Targets>(programsOf(expected), {
      batch: BATCH,
    });
    try {
      for (const { name, shape } of network.parameters) {
        await network.write(name, parameterValues(`${expected.name}/${name}`, shape));
      }
      const images = uniformValues(`${expected.name}/images`, PIXELS, 1);
      const { accumulate = 1, ...recipe } = recipeOf(expected);
      for (const [step, wanted] of expected.losses.entries()) {
        await network.enterPhase(phaseAt(recipe, step, { stepsPerEpoch: 1, steps: 1 }));
        const { loss } = await network.step(images, targetsOf(expected), { accumulate });
        expect(Math.abs(loss! - wanted)).toBeLessThan(TOLERANCE * Math.max(1, wanted));
      }
      expect(network.parameters.map(({ name }) => name).sort()).toEqual(
        Object.keys(expected.weights).sort(),
      );
      // What is kept of a run with averages are these.
      const { tensors } = parseTensors(await network.save());
      for (const [name, wanted] of Object.entries(expected.weights)) {
        const error = relativeError(tensors.get(name)!.values, wanted);
        expect(error, name).toBeLessThan(TOLERANCE);
        expect(error / expected.moved[name]!, `change of ${name}`).toBeLessThan(MOVE_TOLERANCE);
      }
    } finally {
      network.destroy();
    }
  },
);
