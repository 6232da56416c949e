import { rowsPerBlock, type ContractionSchedule } from "../schedules/schedule.js";
import { read, written } from "./bindings.js";
import {
  block,
  code,
  frame,
  helper,
  joined,
  lane,
  local,
  locals,
  named,
  offset,
  plane,
  times,
  type Code,
} from "./code.js";
import { defineKernel, scopeOf } from "./define-kernel.js";
import { epilogueFragment, type Epilogue, type EpilogueFragment } from "./epilogue.js";
import { exchangeFor, type Exchange } from "./exchange.js";
import { placeName } from "./pixels.js";

/**
 * Whether a features contraction starts from zero or adds to what another piece of the weights
 * left.
 */
export type Start = "zero" | "stored";

export interface FeatureVariant {
  readonly schedule: ContractionSchedule;
  readonly epilogue: Epilogue;
  readonly start: Start;
}

const BINDINGS = {
  weights: read("vec4f"),
  gradient: read("vec4f"),
  result: written("vec4f"),
} as const;

const CONSTANTS = {
  features: "u32",
  quads: "u32",
  pixels: "u32",
  width: "u32",
  run: "u32",
  gradient_image: "u32",
  gradient_base: "u32",
  result: "place",
} as const;

const { io, k } = scopeOf({ bindings: BINDINGS, constants: CONSTANTS });

/** One fma at a time: a sum of products would not fuse. */
const MULTIPLY_ADD = helper(
  "multiply_add",
  code`
    fn multiply_add(sum: f32, row: vec4f, column: vec4f) -> f32 {
      let first = fma(row.x, column.x, sum);
      let second = fma(row.y, column.y, first);
      let third = fma(row.z, column.z, second);
      return fma(row.w, column.w, third);
    }`,
);

/**
 * A fully connected layer's input gradient: rows are rows of the weights (features), a lane is an
 * image. weights: [features][columns * 4]; gradient: output gradient, [image][...]; result: input
 * gradient, [image][features].
 */
export const featureContraction = defineKernel(
  "contraction_features",
  ({ schedule, epilogue, start }: FeatureVariant) => {
    const exchange = exchangeFor(schedule);
    const fused = epilogueFragment(epilogue);
    const rows = rowsPerBlock(schedule);
    const sums = locals("sum", rows);
    const finish = finishQuad(fused, start);
    return {
      suffix: `${fused.suffix}${start === "stored" ? "_added" : ""}_${rows}x${schedule.columns}`,
      summary: "Contraction: rows are features, columns images, K output channels.",
      bindings: BINDINGS,
      constants: CONSTANTS,
      declarations: exchange.declarations,
      fragments: [fused],
      lanes: schedule.columns,
      body: () => code`
        // The lane's part.
        let first_row = ${plane} * ${named("BLOCK_ROWS", rows)};
        let image = ${block} * ${named("COLUMN_LANES", schedule.columns)} + ${lane};
        ${sumProducts(schedule, exchange, sums)}
        // Write.
        ${exchange.eachRow({
          sums: times(rows / 4, (four) => {
            return code`vec4f(${joined(sums.slice(4 * four, 4 * four + 4), ", ")})`;
          }),
          isInside: (four) => code`first_row + 4u * ${four} < ${k.features}`,
          perRow: [],
          finish: (four, sum) => {
            return code`${finish}(image, ${offset(code`first_row / 4u`, four)}, ${sum});`;
          },
        })}`,
    };
  },
);

/** The sums over K of a lane's image, a variable for each row of the block. */
function sumProducts(
  { rowLanes, loads }: ContractionSchedule,
  exchange: Exchange,
  sums: readonly Code[],
): Code {
  const rows = locals("weights", loads);
  const last = code`${k.features} - 1u`;
  return code`
    let row_lane = ${exchange.rowLane};
    ${times(loads, (load) => {
      const row = code`min(${offset(code`first_row + row_lane`, load * rowLanes)}, ${last})`;
      return code`let ${local("weights_place", load)} = ${row} * ${k.run};`;
    })}
    let gradient_place = ${k.gradient_base} + min(image, ${frame.batch} - 1u) * ${k.gradient_image};
    ${sums.map((sum) => code`var ${sum} = 0f;`)}
    let run = ${k.run};
    for (var k = 0u; k < run; k++) {
      ${rows.map((name, load) => {
        return code`let ${name} = ${io.weights.load(code`${local("weights_place", load)} + k`)};`;
      })}
      ${exchange.share(rows)}
      let gradient0 = ${io.gradient.load(code`gradient_place + k`)};
      // Multiply.
      ${sums.map((sum, row) => {
        return code`${sum} = ${MULTIPLY_ADD}(${sum}, ${exchange.row(rows, row)}, gradient0);`;
      })}
    }`;
}

/**
 * Four successive features of an image are a channel quad of a pixel: features run as (y, x,
 * channel).
 */
function finishQuad(fused: EpilogueFragment, start: Start): Code {
  const value = fused.finish({
    value: code`value`,
    quad: code`quad`,
    pixel: code`pixel`,
    pixels: k.pixels,
    place: placeName,
  });
  const at = code`result_place + quad`;
  const [image, y, x] = [code`image`, code`y`, code`x`];
  const places = [
    code`let result_place = ${k.result.at(image, y, x)};`,
    ...fused.activations.map((name) => {
      return code`let ${placeName(name)} = ${fused.placeOf(name, image, y, x)};`;
    }),
  ];
  return helper(
    "finish",
    code`
      fn finish(image: u32, feature_quad: u32, sum: vec4f) {
        if (image >= ${frame.batch} || 4u * feature_quad >= ${k.features}) {
          return;
        }
        let quad = feature_quad % ${k.quads};
        let place = feature_quad / ${k.quads};
        let pixel = image * ${k.pixels} + place;
        let y = place / ${k.width};
        let x = place % ${k.width};
        ${places}
        let value = sum${start === "stored" && code` + ${io.result.load(at)}`};
        ${io.result.store(at, value)}
      }`,
  );
}
