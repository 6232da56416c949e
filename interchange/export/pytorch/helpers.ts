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
        shape = (1, -1) + (1,) * (x.dim() - 2)
        x = x * self.weight.view(shape)
        return x if self.bias is None else x + self.bias.view(shape)
`,
  LayerNorm2d: `class LayerNorm2d(nn.LayerNorm):
    """Normalizes the channels of each pixel."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
`,
  average_inside: `def average_inside(x, padding, kernel_size, **settings):
    """An average pool whose padding differs by side and does not count."""
    ones = torch.ones_like(x[:1, :1])
    sums, counts = (
        F.avg_pool2d(F.pad(value, padding), kernel_size, **settings) for value in (x, ones)
    )
    return sums / counts
`,
} as const;
