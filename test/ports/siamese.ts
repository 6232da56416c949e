/** A model with two inputs, a shared tower, and two targets. */
export const SIAMESE = `model Siamese {
  input  left: f32[N, 3, 12, 12]
  input  right: f32[N, 3, 12, 12]
  target kind: u32[N] in 0..3
  target shift: f32[N, 2]

  share tower {
    conv(6, kernel=3, padding=1) -> batchnorm -> relu -> maxpool(2)
    residual { conv(6, kernel=3, padding=1) } -> relu
    flatten -> linear(8)
  }

  from left  -> tower as a
  from right -> tower as b
  concat(a) -> relu as both
  linear(3) as logits
  from both -> linear(2) as moved

  loss   cross_entropy(logits, kind) + 0.5 * mse(moved, shift)
  metric top1  = accuracy(logits, kind)
  metric error = mse(moved, shift)
}
`;

/** The same without batch normalization, whose statistics are each slice's own. */
export const PLAIN = SIAMESE.replace("batchnorm -> ", "");
