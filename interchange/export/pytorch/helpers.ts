/** What PyTorch lacks, as the file that is written defines it. */

export type Helper = keyof typeof HELPERS;

export const HELPERS = {
  Scale: `class Scale(nn.Module):
    """A factor and an offset for each channel."""

    def __init__(self, num_features, bias=True):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features)) if bias else None

    def forward(self, x):
        shape = (-1,) if x.dim() == 3 else (1, -1) + (1,) * (x.dim() - 2)
        x = x * self.weight.view(shape)
        return x if self.bias is None else x + self.bias.view(shape)
`,
  LayerNorm2d: `class LayerNorm2d(nn.LayerNorm):
    """Normalizes the channels of each pixel."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
`,
  Patches: `class Patches(nn.Conv2d):
    """Square patches of an image as tokens [N, T, C]."""

    def forward(self, x):
        return super().forward(x).flatten(2).transpose(1, 2)
`,
  SelfAttention: `class SelfAttention(nn.MultiheadAttention):
    """Attention over the tokens of a sequence [N, T, C]."""

    def __init__(self, embed_dim, num_heads, bias=True, causal=False):
        super().__init__(embed_dim, num_heads, bias=bias, batch_first=True)
        self.causal = causal

    def forward(self, x):
        mask = None
        if self.causal:
            tokens = x.size(1)
            mask = torch.ones(tokens, tokens, dtype=torch.bool, device=x.device).triu(1)
        return super().forward(x, x, x, attn_mask=mask, need_weights=False)[0]
`,
  concatenated: `def concatenated(values, dim):
    """torch.cat of values of which some are the same for all examples."""
    batch = max(value.size(0) for value in values)
    return torch.cat([value.expand(batch, *value.shape[1:]) for value in values], dim)
`,
  average_inside: `def average_inside(x, padding, kernel_size, **settings):
    """An average pool whose padding differs by side and does not count."""
    ones = torch.ones_like(x[:1, :1])
    sums, counts = (
        F.avg_pool2d(F.pad(value, padding), kernel_size, **settings) for value in (x, ones)
    )
    return sums / counts
`,
  drop_examples: `def drop_examples(x, dropout):
    """Drops all of an example, or nothing: stochastic depth."""
    return x * dropout(x.new_ones((len(x),) + (1,) * (x.dim() - 1)))
`,
} as const;
