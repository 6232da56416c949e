// A vision transformer as plain numbers: tokens, and the weights of specs/vit_tiny.net.
import { uniform } from "./noise.mjs";

const product = (sizes) => sizes.reduce((a, b) => a * b, 1);

/** Tokens of an image, with the one that learns to tell the class. */
export const tokensOf = ({ image: [, height, width], transformer: { patch } }) =>
  1 + (height / patch) * (width / patch);

/** As netc and PyTorch's recipes for transformers: what scales normalized values does not decay. */
export const isDecayed = (name) => !name.includes("layernorm");

const normalization = (name, width) => [
  { name: `${name}.weight`, shape: [width], bound: 0.1, center: 1 },
  { name: `${name}.bias`, shape: [width], bound: 0.1 },
];

/** Glorot's bound. */
const matrix = (weight, bias, [outputs, ...inputs]) => [
  {
    name: weight,
    shape: [outputs, ...inputs],
    bound: Math.sqrt(6 / (outputs + product(inputs))),
  },
  { name: bias, shape: [outputs], bound: 0.1 },
];

const linear = (name, shape) => matrix(`${name}.weight`, `${name}.bias`, shape);

function encoder(name, { width, hidden }) {
  const attention = `${name}.attention1`;
  return [
    ...normalization(`${name}.layernorm1`, width),
    ...matrix(`${attention}.in_proj_weight`, `${attention}.in_proj_bias`, [3 * width, width]),
    ...linear(`${attention}.out_proj`, [width, width]),
    ...normalization(`${name}.layernorm2`, width),
    ...linear(`${name}.linear1`, [hidden, width]),
    ...linear(`${name}.linear2`, [width, hidden]),
  ];
}

/** The encoders' names, from the first. */
export const encodersOf = ({ transformer }) =>
  Array.from({ length: transformer.encoders }, (_, index) => `encoder${index + 1}`);

/** Every parameter in PyTorch's layout. */
export function transformerParametersOf(network) {
  const { image, classes, transformer } = network;
  const { width, patch } = transformer;
  const parameters = [
    { name: "class_token", shape: [1, width], bound: 0.1 },
    { name: "positions", shape: [tokensOf(network), width], bound: 0.1 },
    ...linear("patches", [width, image[0], patch, patch]),
    ...encodersOf(network).flatMap((name) => encoder(name, transformer)),
    ...normalization("layernorm1", width),
    ...linear("logits", [classes, width]),
  ];
  return parameters.map(({ name, shape, bound, center = 0 }, stream) => {
    const values = uniform(stream, product(shape), bound).map((value) => center + value);
    return { name, shape, values };
  });
}
