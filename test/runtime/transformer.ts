/** A small vision transformer with everything that sequences have: its tokens fill no tile. */
export const TRANSFORMER = `
model Transformer {
  input  image: f32[N, 3, 16, 16]
  target label: u32[N] in 0..10
  parameter class_token: f32[1, 24] init normal(0.5)
  parameter positions: f32[17, 24] init normal(0.5)
  patches(4, 24) as patches
  from class_token -> concat(patches, axis=tokens) -> add(positions)
  residual { layernorm -> attention(2, dropout=0.2) -> dropout(0.3) }
  residual { layernorm -> linear(20) -> relu -> linear(24) }
  layernorm -> attention(6, causal=true) as seen -> token(16) as last
  from seen -> global_avgpool -> concat(last) -> linear(10) as logits
  loss cross_entropy(logits, label)
}
`;
