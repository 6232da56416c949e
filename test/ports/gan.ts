/** The network of `gan` in test/oracle/make_expected.py. */
export const ADAM = "adam(lr=2e-3, beta1=0.5)";

export interface GanParts {
  /** Behind `flatten` of the discriminator. */
  readonly dropout?: string;
  /** The steps of the recipe, and its other settings. */
  readonly settings?: string;
}

export const STEPS = `
  step d {
    update    = discriminator
    optimizer = ${ADAM}
  }
  step g {
    update    = generator
    optimizer = adam(lr=1e-3, beta1=0.5, beta2=0.99)
  }`;

export const gan = ({ dropout = "", settings = STEPS }: GanParts = {}): string => `
model Gan {
  input image: f32[N, 1, 8, 8]
  input z: f32[N, 6] of normal

  share discriminator {
    conv(8, kernel=3, stride=2, padding=1, bias=false) -> batchnorm -> leaky_relu(0.2)
    flatten ${dropout} -> linear(1)
  }

  from z
  generator {
    linear(128, bias=false) -> reshape([8, 4, 4]) -> batchnorm -> relu
    conv_transpose(1, kernel=4, stride=2, padding=1) -> tanh as sample
  }
  discriminator as fake
  from image -> discriminator as real

  loss d = mean(softplus(fake)) + mean(softplus(0 - real))
  loss g = mean(softplus(0 - fake))
  metric certain = mean(sigmoid(real))

  from generator.sample
}

train Base of Gan {
  epochs = 1
  batch  = 8
  seed   = 3${settings}
}
`;
