// A vision transformer in jax-js. Each use of an array but the last takes a reference.
import { encodersOf } from "../transformer.mjs";

/** By hand: `nn.dotProductAttention` calls a method of iterators that Node 20 lacks. */
function attention(x, { np, nn, weights }, name, heads) {
  const [batch, tokens, width] = x.shape;
  const size = width / heads;
  const into = np.transpose(weights[`${name}.in_proj_weight`]);
  const all = np.dot(x, into).add(weights[`${name}.in_proj_bias`]);
  const [q, k, v] = np
    .split(all, 3, 2)
    .map((part) => np.transpose(part.reshape([batch, tokens, heads, size]), [0, 2, 1, 3]));
  const scores = np.matmul(q.mul(1 / Math.sqrt(size)), np.transpose(k, [0, 1, 3, 2]));
  const attended = np.transpose(np.matmul(nn.softmax(scores, -1), v), [0, 2, 1, 3]);
  return linear(attended.reshape([batch, tokens, width]), { np, weights }, `${name}.out_proj`);
}

const linear = (x, { np, weights }, name) =>
  np.dot(x, np.transpose(weights[`${name}.weight`])).add(weights[`${name}.bias`]);

const layernorm = (x, { nn, weights }, name) =>
  nn.standardize(x, -1).mul(weights[`${name}.weight`]).add(weights[`${name}.bias`]);

function encoder(x, context, name, heads) {
  const normalized = layernorm(x.ref, context, `${name}.layernorm1`);
  const seen = x.add(attention(normalized, context, `${name}.attention1`, heads));
  const hidden = linear(
    layernorm(seen.ref, context, `${name}.layernorm2`),
    context,
    `${name}.linear1`,
  );
  const activated = context.nn.gelu(hidden, { approximate: false });
  return seen.add(linear(activated, context, `${name}.linear2`));
}

/** From images in NCHW order to tokens. */
function tokensOf(images, { np, lax, weights }, { patch, width }) {
  const [batch] = images.shape;
  const y = lax.conv(images, weights["patches.weight"], [patch, patch], "VALID");
  const patches = np.transpose(y.reshape([batch, width, -1]), [0, 2, 1]);
  const biased = patches.add(weights["patches.bias"]);
  const own = np.broadcastTo(weights.class_token.reshape([1, 1, width]), [batch, 1, width]);
  return np.concatenate([own, biased], 1).add(weights.positions);
}

export function transformerOf({ numpy: np, lax, nn }, network) {
  const { transformer } = network;
  return (weights, images) => {
    const context = { np, lax, nn, weights };
    let x = tokensOf(images, context, transformer);
    for (const name of encodersOf(network)) x = encoder(x, context, name, transformer.heads);
    const first = layernorm(x, context, "layernorm1").slice([], 0);
    return linear(first, context, "logits");
  };
}
