// A vision transformer in TensorFlow.js.
import { encodersOf } from "../transformer.mjs";

/** PyTorch's and netc's; TensorFlow's own is 1e-3. */
const EPSILON = 1e-5;

/** Of all tokens at once: gradients of weights that products repeat would not be summed. */
function linear(tf, x, weight, bias) {
  const [inputs, outputs] = weight.shape;
  const y = tf.matMul(x.reshape([-1, inputs]), weight).add(bias);
  return y.reshape([...x.shape.slice(0, -1), outputs]);
}

function layernorm(tf, x, weights, name) {
  const { mean, variance } = tf.moments(x, -1, true);
  const normalized = x.sub(mean).mul(variance.add(EPSILON).rsqrt());
  return normalized.mul(weights[`${name}.weight`]).add(weights[`${name}.bias`]);
}

function attention(tf, x, weights, { name, heads }) {
  const [batch, tokens, width] = x.shape;
  const size = width / heads;
  const all = linear(tf, x, weights[`${name}.in_proj_weight`], weights[`${name}.in_proj_bias`]);
  const [q, k, v] = tf
    .split(all, 3, 2)
    .map((part) => part.reshape([batch, tokens, heads, size]).transpose([0, 2, 1, 3]));
  const shares = tf.softmax(tf.matMul(q.mul(1 / Math.sqrt(size)), k, false, true));
  const attended = tf.matMul(shares, v).transpose([0, 2, 1, 3]).reshape([batch, tokens, width]);
  return linear(tf, attended, weights[`${name}.out_proj.weight`], weights[`${name}.out_proj.bias`]);
}

const gelu = (tf, x) => x.mul(0.5).mul(tf.erf(x.mul(Math.SQRT1_2)).add(1));

function encoder(tf, x, weights, name, heads) {
  const normalized = layernorm(tf, x, weights, `${name}.layernorm1`);
  const seen = x.add(attention(tf, normalized, weights, { name: `${name}.attention1`, heads }));
  const apply = (value, layer) =>
    linear(tf, value, weights[`${layer}.weight`], weights[`${layer}.bias`]);
  const hidden = apply(layernorm(tf, seen, weights, `${name}.layernorm2`), `${name}.linear1`);
  return seen.add(apply(gelu(tf, hidden), `${name}.linear2`));
}

/** From images in NHWC order to tokens. */
function tokensOf(tf, images, weights, { patch, width }) {
  const [batch] = images.shape;
  const y = tf.conv2d(images, weights["patches.weight"], patch, "valid");
  const patches = y.add(weights["patches.bias"]).reshape([batch, -1, width]);
  const own = weights.class_token.reshape([1, 1, width]).tile([batch, 1, 1]);
  return tf.concat([own, patches], 1).add(weights.positions);
}

export function transformerOf(tf, network) {
  const { transformer } = network;
  return (weights, images) => {
    let x = tokensOf(tf, images, weights, transformer);
    for (const name of encodersOf(network)) x = encoder(tf, x, weights, name, transformer.heads);
    const first = layernorm(tf, x, weights, "layernorm1").slice([0, 0, 0], [-1, 1, -1]);
    const [batch] = images.shape;
    return linear(
      tf,
      first.reshape([batch, transformer.width]),
      weights["logits.weight"],
      weights["logits.bias"],
    );
  };
}
