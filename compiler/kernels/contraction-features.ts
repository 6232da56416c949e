import { COMPONENTS } from "./contraction-block.js";
import { EpiloguePrinter, type Epilogue } from "./epilogue.js";
import { exchangeFor, loadNames } from "./exchange.js";
import { assemble, type Kernel } from "./kernel.js";
import { placeConstants, placeOf } from "./place.js";
import { rowsPerBlock, type ContractionSchedule } from "../schedules/schedule.js";
import { times, wgsl } from "./wgsl.js";

/** Whether a features contraction starts from zero or adds to what another piece of the weights left. */
export type Start = "zero" | "stored";

/**
 * A fully connected layer's input gradient: rows are rows of the weights (features), a lane is an image.
 * a: weights [features][columns * 4]; b: output gradient [image][...]; y: input gradient [image][features].
 */
export function featureContraction(
  schedule: ContractionSchedule,
  epilogue: Epilogue,
  start: Start,
): Kernel {
  const exchange = exchangeFor(schedule);
  const fused = new EpiloguePrinter(epilogue);
  const { rowLanes, loads, columns } = schedule;
  const rows = rowsPerBlock(schedule);
  const a = loadNames("a", loads);
  return assemble({
    name: `contraction_features${fused.suffix}${start === "stored" ? "_added" : ""}_${rows}x${columns}`,
    summary: "Contraction: rows are features, columns images, K output channels.",
    storage: [
      { name: "a", access: "read", element: "vec4f" },
      { name: "b", access: "read", element: "vec4f" },
      { name: "result", access: "read_write", element: "vec4f" },
      ...fused.storage,
    ],
    constants: [
      ...["features", "quads", "pixels", "width", "run", "b_image", "b_base"],
      ...placeConstants("y"),
      ...fused.constants,
    ],
    workgroupSize: columns,
    usesSubgroups: exchange.usesSubgroups,
    usesPlanes: true,
    declarations: [...exchange.declarations, ...fused.declarations, finishFeatures(fused, start)],
    body: wgsl`
      let first_row = plane * ${rows}u;
      let image = block * ${columns}u + lane;
      let row_lane = ${exchange.rowLane};
      ${times(
        loads,
        (load) => wgsl`
        let a_place${load} = min(first_row + ${load * rowLanes}u + row_lane, constants.features - 1u) * constants.run;`,
      )}
      let b_place = constants.b_base + min(image, frame.batch - 1u) * constants.b_image;
      ${times(rows, (row) => `var c${row} = 0f;`)}
      let run = constants.run;
      for (var k = 0u; k < run; k++) {
        ${a.map((name, load) => `let ${name} = a[a_place${load} + k];`)}
        ${exchange.share(a)}
        let b0 = b[b_place + k];
        ${times(rows, (row) => {
          return COMPONENTS.map((k) => {
            const value = exchange.value(a, row, k);
            return `c${row} = fma(${value}, b0.${"xyzw"[k]!}, c${row});`;
          }).join(" ");
        })}
      }
      ${exchange.eachRow({
        sums: times(
          rows / 4,
          (four) =>
            `vec4f(${loadNames("c", rows)
              .slice(4 * four, 4 * four + 4)
              .join(", ")})`,
        ),
        isInside: (four) => `first_row + 4u * ${four} < constants.features`,
        perRow: [],
        finish: (four, sum) => `finish(image, first_row / 4u + ${four}, ${sum});`,
      })}`,
  });
}

/** Four successive features of an image are a channel quad of a pixel: features run as (y, x, channel). */
function finishFeatures(fused: EpiloguePrinter, start: Start): string {
  const value = fused.print("value", "quad", "pixel", (name) => `${name}_place`);
  return wgsl`
    fn finish(image: u32, feature_quad: u32, sum: vec4f) {
      if (image >= frame.batch || 4u * feature_quad >= constants.features) {
        return;
      }
      let quad = feature_quad % constants.quads;
      let place = feature_quad / constants.quads;
      let pixel = image * constants.pixels + place;
      let y = place / constants.width;
      let x = place % constants.width;
      ${["y", ...fused.activations].map((name) => `let ${name}_place = ${placeOf(name)};`)}
      let value = sum${start === "stored" ? " + result[y_place + quad]" : ""};
      result[y_place + quad] = ${value};
    }`;
}
