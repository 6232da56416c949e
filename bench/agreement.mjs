// Whether contenders computed the same: a time counts only if they did.

/** Of a training step's loss; rounding differs, and training amplifies it. */
const LOSS_TOLERANCE = { first: 1e-3, later: 1e-2 };
/** Of logits, relative to the largest of them. */
const LOGIT_TOLERANCE = 1e-3;

/** The largest difference, relative to the largest magnitude (at least 1) of the first. */
export function difference(expected, actual) {
  if (expected.length !== actual.length) return Infinity;
  const magnitude = Math.max(1, ...expected.map(Math.abs));
  const distances = expected.map((value, index) => Math.abs(value - actual[index]));
  const largest = Math.max(...distances) / magnitude;
  return Number.isNaN(largest) ? Infinity : largest;
}

export function toleranceOf(mode, round) {
  if (mode === "infer") return LOGIT_TOLERANCE;
  return round === 0 ? LOSS_TOLERANCE.first : LOSS_TOLERANCE.later;
}

/** Those of the outputs, by name, that more than half of the others contradict. */
export function dissenters(outputs, tolerance) {
  return [...outputs.keys()].filter((name) => {
    const others = [...outputs].filter(([other]) => other !== name);
    const agreeing = others.filter(
      ([, output]) => difference(output, outputs.get(name)) <= tolerance,
    );
    return others.length > 0 && 2 * agreeing.length < others.length;
  });
}
