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

    def __init__(self, embed_dim, num_heads, bias=True, causal=False, dropout=0.0):
        super().__init__(embed_dim, num_heads, dropout, bias, batch_first=True)
        self.causal = causal

    def forward(self, x):
        mask = None
        if self.causal:
            tokens = x.size(1)
            mask = torch.ones(tokens, tokens, dtype=torch.bool, device=x.device).triu(1)
        return super().forward(x, x, x, attn_mask=mask, need_weights=False)[0]
`,
  ScaledAttention: `class ScaledAttention(nn.MultiheadAttention):
    """Attention over the tokens of a sequence [N, T, C], whose scores have a given factor."""

    def __init__(self, embed_dim, num_heads, bias=True, causal=False, dropout=0.0, scale=1.0):
        super().__init__(embed_dim, num_heads, dropout, bias, batch_first=True)
        self.causal, self.scale = causal, scale

    def forward(self, x):
        x = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        queries, keys, values = x.unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        scores = self.scale * queries @ keys.transpose(-2, -1)
        if self.causal:
            later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=x.device).triu(1)
            scores = scores.masked_fill(later, float("-inf"))
        shares = F.dropout(scores.softmax(-1), self.dropout, self.training)
        return self.out_proj((shares @ values).transpose(1, 2).flatten(2))
`,
  WindowAttention: `class WindowAttention(nn.Module):
    """Attention in windows of an image [N, C, H, W], as torchvision's ShiftedWindowAttention."""

    def __init__(
        self, channels, num_heads, window_size, shift_size, bias=True, dropout=0.0, scale=None
    ):
        super().__init__()
        self.scale = (channels // num_heads) ** -0.5 if scale is None else scale
        self.dropout = nn.Dropout(dropout)
        self.heads, self.window, self.shift = num_heads, window_size, shift_size
        rows, columns = window_size
        kinds = (2 * rows - 1) * (2 * columns - 1)
        self.relative_position_bias_table = nn.Parameter(torch.zeros(kinds, num_heads))
        self.qkv = nn.Conv2d(channels, 3 * channels, 1, bias=bias)
        self.proj = nn.Conv2d(channels, channels, 1, bias=bias)

    def gains(self):
        rows, columns = (torch.arange(size, device=self.proj.weight.device) for size in self.window)
        down = (rows[:, None] - rows + self.window[0] - 1)[:, None, :, None]
        across = (columns[:, None] - columns + self.window[1] - 1)[None, :, None, :]
        kinds = (down * (2 * self.window[1] - 1) + across).flatten(2).flatten(0, 1)
        return self.relative_position_bias_table[kinds].permute(2, 0, 1)

    def forward(self, x):
        (rows, columns), (height, width) = self.window, x.shape[2:]
        x = F.pad(x, (0, -width % columns, 0, -height % rows))
        sizes = x.shape[2:]
        three = zip(sizes, self.window, self.shift)
        shifts = [0 if whole <= size else shift for whole, size, shift in three]
        x = self.qkv(x).roll([-shift for shift in shifts], (2, 3))
        x = x.unflatten(1, (3, self.heads, -1)).unflatten(5, (-1, columns)).unflatten(4, (-1, rows))
        queries, keys, values = x.permute(1, 0, 4, 6, 2, 5, 7, 3).flatten(5, 6)
        scores = self.scale * queries @ keys.transpose(-2, -1) + self.gains()
        down, across = (
            torch.arange(size, device=x.device) >= size - shift
            for size, shift in zip(sizes, shifts)
        )
        parts = (2 * down[:, None] + across).unflatten(1, (-1, columns)).unflatten(0, (-1, rows))
        parts = parts.transpose(1, 2).flatten(2)[:, :, None]
        scores = scores.masked_fill(parts[..., None] != parts[..., None, :], float("-inf"))
        x = (self.dropout(scores.softmax(-1)) @ values).unflatten(4, (rows, columns))
        x = x.permute(0, 3, 6, 1, 4, 2, 5).flatten(5, 6).flatten(3, 4).flatten(1, 2)
        return self.proj(x.roll(shifts, (2, 3))[:, :, :height, :width])
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
