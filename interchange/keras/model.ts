/** A Keras model as its configuration says it: of Keras 2, Keras 3 and TensorFlow.js alike. */
import { ImportError } from "../error.js";
import { isList, isObject, Settings, shown, type Json, type JsonObject } from "../settings.js";

export interface KerasModel {
  readonly name: string;
  readonly layers: readonly KerasLayer[];
  readonly inputs: readonly KerasValue[];
  readonly outputs: readonly KerasValue[];
}

export interface KerasLayer {
  readonly className: string;
  readonly name: string;
  readonly settings: Settings;
  /** Places in the network where it is applied, in the file's order. */
  readonly calls: readonly KerasCall[];
  /** What it consists of, if it is a nested model. */
  readonly inner?: KerasModel;
  /** `[rows, columns, channels]` or `[features]`, of a layer that images come in through. */
  readonly inputShape?: readonly (number | undefined)[];
  /** Whether it is a function of Keras 3 without a layer, `x + y`: files count layers only. */
  readonly isFunction: boolean;
}

export interface KerasCall {
  readonly inputs: readonly KerasValue[];
  /** Arguments of the call that are not values of the network. */
  readonly constants: JsonObject;
}

/** The output of the layer's call of that number. */
export interface KerasValue {
  readonly layer: string;
  readonly call: number;
}

/** Models within models. */
const DEEPEST = 8;
const SEQUENTIAL = "Sequential";
const MODELS = new Set([SEQUENTIAL, "Functional", "Model"]);

/** Throws an ImportError for what is not a Sequential or functional model. */
export function readModel(config: unknown, depth = 0): KerasModel {
  if (!isObject(config)) throw broken("its configuration is not an object");
  const className = textOf(config["class_name"], "class_name");
  if (!MODELS.has(className)) {
    throw new ImportError(
      `the model is of class \`${className}\`, whose layers only Python knows`,
      ["netc imports Sequential and functional models"],
    );
  }
  if (depth > DEEPEST) throw broken(`it has models within models, more than ${DEEPEST} deep`);
  // Before Keras 2.2 the configuration of a Sequential model was the list of its layers.
  const body = config["config"];
  const given = isList(body) ? { layers: body } : body;
  if (!isObject(given)) throw broken("a model in it has no `config`");
  const listed = given["layers"];
  if (!isList(listed)) throw broken("a model in it has no list of layers");
  const layers = listed.map((each) => readLayer(each, depth));
  const name = typeof given["name"] === "string" ? given["name"] : "";
  return className === SEQUENTIAL
    ? sequential(name, layers, given)
    : { name, layers, inputs: valuesIn(given["input_layers"]), outputs: outputsOf(given) };
}

function outputsOf(given: JsonObject): readonly KerasValue[] {
  const outputs = valuesIn(given["output_layers"]);
  if (outputs.length > 0) return outputs;
  throw broken("a model in it has no outputs");
}

function readLayer(config: Json, depth: number): KerasLayer {
  if (!isObject(config)) throw broken("one of its layers is not an object");
  const className = textOf(config["class_name"], "class_name");
  const given = isObject(config["config"]) ? config["config"] : {};
  const isModel = MODELS.has(className);
  const named = given["name"] ?? config["name"];
  const nodes = config["inbound_nodes"];
  const module = config["module"];
  return {
    className,
    name: typeof named === "string" ? named : "",
    settings: new Settings(given),
    calls: isList(nodes) ? nodes.map(readCall) : [],
    inner: isModel ? readModel(config, depth + 1) : undefined,
    ...shapeIn(given),
    isFunction: typeof module === "string" && module.startsWith("keras.src.ops"),
  };
}

function shapeIn(given: JsonObject) {
  const shape = given["batch_input_shape"] ?? given["batch_shape"];
  if (!isList(shape)) return {};
  const inputShape = shape.slice(1).map((size) => (typeof size === "number" ? size : undefined));
  return { inputShape };
}

/** Of Keras 3: `{ args, kwargs }`; of Keras 2 and TensorFlow.js: lists of lists. */
function readCall(node: Json): KerasCall {
  if (isObject(node)) {
    const [args, kwargs] = [node["args"] ?? [], node["kwargs"] ?? {}];
    const inputs = tensorsIn([args, kwargs]);
    return { inputs, constants: constantsOf(args, kwargs) };
  }
  const inputs = valuesIn(node);
  const entries: readonly Json[] = isList(node) ? [node, ...node] : [];
  const constants = entries.flatMap((entry): JsonObject[] => {
    const given = isList(entry) ? entry[3] : undefined;
    return isObject(given) ? [given] : [];
  });
  const more = constants.flatMap((each) => Object.values(each).flatMap((value) => valuesIn(value)));
  return { inputs: [...inputs, ...more], constants: Object.assign({}, ...constants) as JsonObject };
}

function constantsOf(args: Json, kwargs: Json): JsonObject {
  const list = isList(args) ? args : [];
  const positional = Object.fromEntries(
    list.flatMap((each, index) => (typeof each === "number" ? [[`argument ${index}`, each]] : [])),
  );
  return isObject(kwargs) ? { ...positional, ...kwargs } : positional;
}

/** `__keras_tensor__`s anywhere in the arguments of a call. */
function tensorsIn(start: Json): readonly KerasValue[] {
  const found: KerasValue[] = [];
  const open: (Json | undefined)[] = [start];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (isList(value)) open.push(...value.toReversed());
    else if (isObject(value)) {
      const config = value["config"];
      if (value["class_name"] === "__keras_tensor__" && isObject(config)) {
        found.push(valueOf(config["keras_history"]));
      } else open.push(...Object.values(value).toReversed());
    }
  }
  return found;
}

/** `["name", call, output]`, alone, in a list, or in lists by name. */
function valuesIn(given: Json | undefined): readonly KerasValue[] {
  if (isObject(given)) return Object.values(given).flatMap(valuesIn);
  if (!isList(given) || given.length === 0) return [];
  if (typeof given[0] === "string" && typeof given[1] === "number") return [valueOf(given)];
  return given.flatMap((each) =>
    isList(each) && typeof each[0] === "string" ? [valueOf(each)] : [],
  );
}

function valueOf(history: Json | undefined): KerasValue {
  const [layer, call, output] = isList(history) ? history : [];
  if (typeof layer !== "string" || typeof call !== "number") throw broken("a call reads no layer");
  if (output !== 0) throw broken(`it reads output ${shown(output)} of \`${layer}\``);
  return { layer, call };
}

/** The layers of a Sequential model read each other in turn. */
function sequential(name: string, given: readonly KerasLayer[], config: JsonObject): KerasModel {
  const [first] = given;
  if (!first) throw broken("a Sequential model in it has no layers");
  const isOpen = first.className !== "InputLayer";
  const built = shapeIn({ batch_shape: config["build_input_shape"] });
  const inputShape = first.inputShape ?? first.inner?.layers[0]?.inputShape ?? built.inputShape;
  const start: KerasLayer = {
    className: "InputLayer",
    name: "__input__",
    settings: new Settings({}),
    calls: [],
    inputShape,
    isFunction: true,
  };
  const chain = isOpen ? [start, ...given] : given;
  const layers = chain.map((layer, index) => {
    const before = chain[index - 1];
    const inputs = before ? [{ layer: before.name, call: 0 }] : [];
    return { ...layer, calls: before ? [{ inputs, constants: {} }] : [] };
  });
  return {
    name,
    layers,
    inputs: [{ layer: layers[0]!.name, call: 0 }],
    outputs: [{ layer: layers.at(-1)!.name, call: 0 }],
  };
}

function textOf(value: Json | undefined, what: string): string {
  if (typeof value === "string") return value;
  throw broken(`a \`${what}\` is missing`);
}

const broken = (why: string) => new ImportError(`this Keras model cannot be read: ${why}`);
