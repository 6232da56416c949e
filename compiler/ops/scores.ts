import {
  isByClass,
  portsOf,
  sumsOfValue,
  type Graph,
  type ScoreTerm,
  type Value,
} from "../ir/graph.js";
import type { GraphValues } from "./run-graph.js";

/**
 * The loss and the metrics of a graph that was run on the CPU, by name: the means that a runtime
 * makes of their sums.
 */
export function scoresOf(graph: Graph, values: GraphValues): ReadonlyMap<string, number> {
  return new Map(
    graph.metrics.map(({ name, isShare, isExponential, terms }) => {
      const counts = isShare ? Number.isFinite : () => true;
      const means = terms.map((term) => {
        if (isByClass(term)) return meanOfClasses(term, values);
        const own = numbersOf(term.value, values).filter(counts);
        return (term.factor * sumOf(own)) / totalOf(graph, term, values);
      });
      const mean = sumOf(means);
      return [name, isExponential ? Math.exp(mean) : mean];
    }),
  );
}

const numbersOf = ({ id }: Value, values: GraphValues) => Array.from(values.get(id)!.data);

const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0);

function totalOf(graph: Graph, { value, over }: ScoreTerm, values: GraphValues): number {
  if (!over) return values.get(value.id)!.data.length;
  const [partner] = portsOf(graph, "partner");
  const target = graph.inputs.find(({ role, name }) => role === "target" && name === over.target);
  const classes = over.of === "labels" ? target?.value : partner;
  return sumOf(numbersOf(classes!, values).map((label) => over.weights[label] ?? 0));
}

/** The mean of intersection over union, over the classes that occur. */
function meanOfClasses({ value, without }: ScoreTerm, values: GraphValues): number {
  const width = sumsOfValue(value);
  const sums = Array.from({ length: width }, () => 0);
  numbersOf(value, values).forEach((part, index) => (sums[index % width]! += part));
  const unions = sums.slice(width / 2);
  const ratios = unions.flatMap((union, label) =>
    union > 0 && label !== without ? [sums[label]! / union] : [],
  );
  return sumOf(ratios) / ratios.length;
}
