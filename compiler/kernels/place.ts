/**
 * Where an activation's elements lie, in vec4 units: element (image, y, x, channel quad) stands at
 * base + image * imagePitch + y * rowPitch + x * columnPitch + quad. Kernels take these four as
 * constants.
 */
export function placeConstants(name: string): readonly string[] {
  return [`${name}_image`, `${name}_row`, `${name}_column`, `${name}_base`];
}

/**
 * WGSL for the place of a pixel's first channel quad, from variables `image`, `y`, `x` with a
 * suffix.
 */
export function placeOf(name: string, suffix: string | number = ""): string {
  return [
    `constants.${name}_base`,
    `image${suffix} * constants.${name}_image`,
    `y${suffix} * constants.${name}_row`,
    `x${suffix} * constants.${name}_column`,
  ].join(" + ");
}

/** Splits a linear pixel index (over images, rows, columns) into `image`, `y` and `x`. */
export function splitPixel(pixel: string, suffix: string | number = ""): readonly string[] {
  return [
    `let image${suffix} = ${pixel} / constants.pixels;`,
    `let y${suffix} = ${pixel} % constants.pixels / constants.width;`,
    `let x${suffix} = ${pixel} % constants.width;`,
  ];
}
