/** Random small specs that join layers as no one would, for what goes wrong where two meet. */

/** What a value is, and its sizes behind the batch. */
export interface Form {
  readonly kind: "image" | "sequence" | "signal" | "features" | "many";
  readonly sizes: readonly number[];
}

/** Numbers from 0 to 1 (Mulberry32). */
function randomFrom(seed: number): () => number {
  let state = (seed * 0x9e3779b9) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ACTIVATIONS = ["relu", "tanh", "sigmoid", "silu", "gelu", "softplus", "softsign", "elu"];
const WIDTHS = [1, 2, 3, 4, 5, 6, 8, 10, 12];
/** No value has more elements, or a case takes long. */
const MOST = 700;

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);
const divisors = (n: number) =>
  Array.from({ length: n }, (_, i) => i + 1).filter((d) => n % d === 0);

class SpecMaker {
  private readonly random: () => number;
  private readonly lines: string[] = [];
  private readonly named: { name: string; form: Form }[] = [];
  private names = 0;

  constructor(seed: number) {
    this.random = randomFrom(seed);
  }

  private below(n: number): number {
    return Math.floor(this.random() * n);
  }
  private pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
  private chance(p: number): boolean {
    return this.random() < p;
  }
  private name(prefix = "v"): string {
    return `${prefix}${++this.names}`;
  }

  make(): string {
    const first = this.input();
    let form = this.prefixed(first);
    const steps = 3 + this.below(6);
    for (let i = 0; i < steps; i++) form = this.step(form, 0);
    return this.ending(form, first);
  }

  private input(): Form {
    const kind = this.pick(["image", "image", "image", "sequence", "signal", "features"] as const);
    const small = () => this.pick([1, 2, 3, 4, 5, 6, 7]);
    if (kind === "image") return { kind, sizes: [this.pick([1, 2, 3, 4, 5, 8]), small(), small()] };
    if (kind === "features") return { kind, sizes: [this.pick([1, 3, 8, 12, 24])] };
    if (kind === "signal")
      return { kind, sizes: [this.pick([1, 2, 3, 4, 6]), this.pick([1, 2, 5, 8, 12])] };
    return { kind, sizes: [this.pick([1, 2, 4, 5, 6, 9]), this.pick([1, 2, 3, 4, 6, 8])] };
  }

  /** A layer with weights comes first, so that all gradients are seen. */
  private prefixed(form: Form): Form {
    const width = this.pick(WIDTHS);
    if (form.kind === "image" || form.kind === "signal") {
      this.lines.push(`conv(${width}, kernel=1)`);
      return { ...form, sizes: [width, ...form.sizes.slice(1)] };
    }
    this.lines.push(`linear(${width})`);
    return { ...form, sizes: [...form.sizes.slice(0, -1), width] };
  }

  private step(form: Form, depth: number): Form {
    for (let attempt = 0; attempt < 60; attempt++) {
      const made = this.attempt(form, depth);
      if (!made) continue;
      const [text, next] = made;
      if (product(next.sizes) > MOST || product(next.sizes) < 1) continue;
      let line = text;
      if (depth === 0 && !text.startsWith("let ") && this.chance(0.35) && next.kind !== "many") {
        const name = this.name();
        line += ` as ${name}`;
        this.named.push({ name, form: next });
      }
      this.lines.push(line);
      return next;
    }
    this.lines.push("identity");
    return form;
  }

  private body(form: Form, steps: number): [string, Form] {
    const kept = this.lines.splice(0);
    let now = form;
    for (let i = 0; i < steps; i++) now = this.step(now, 1);
    const text = this.lines.splice(0).join(" -> ");
    this.lines.push(...kept);
    return [text, now];
  }

  private attempt(form: Form, depth: number): [string, Form] | undefined {
    const { kind, sizes } = form;
    const common = [
      () => this.activation(form),
      () => this.reshape(form),
      () => this.permute(form),
      () => this.transpose(form),
    ];
    if (kind === "many") return this.pick(common)();
    const all = [
      ...common,
      () => this.slice(form),
      () => this.pad(form),
      () => (depth === 0 ? this.formula(form) : undefined),
      () => (depth === 0 ? this.join(form) : undefined),
      () => (depth === 0 ? this.split(form) : undefined),
      () => (depth === 0 ? this.concat(form) : undefined),
      () => (depth === 0 ? this.residual(form) : undefined),
      () => this.dropout(form),
      () => this.reduce(form),
      () => this.weights(form),
      () => this.weights(form),
      () => this.normalize(form),
    ];
    if (kind === "image" || kind === "signal") {
      all.push(
        () => this.pool(form),
        () => this.shuffle(form),
        () => this.shuffle(form),
        () => this.upsample(form),
        () => (kind === "image" ? this.crop(form) : undefined),
      );
    }
    if (kind === "image") {
      all.push(
        () => this.pixels(form),
        () => ["tokens", { kind: "sequence", sizes: [sizes[1]! * sizes[2]!, sizes[0]!] }],
      );
    }
    if (kind === "signal")
      all.push(() => ["tokens", { kind: "sequence", sizes: [sizes[1]!, sizes[0]!] }]);
    if (kind === "sequence") {
      all.push(
        () => this.attention(form),
        () => this.attention(form),
        () => ["signal", { kind: "signal", sizes: [sizes[1]!, sizes[0]!] }],
        () => {
          const at = this.below(sizes[0]!);
          return [`token(${at})`, { kind: "features", sizes: [sizes[1]!] }];
        },
      );
    }
    if (kind === "features") {
      all.push(() => {
        const channels = this.pick(divisors(sizes[0]!));
        return [`signal(${channels})`, { kind: "signal", sizes: [channels, sizes[0]! / channels] }];
      });
    }
    return this.pick(all)();
  }

  private activation(form: Form): [string, Form] {
    return [this.pick(ACTIVATIONS), form];
  }

  private factors(n: number, count: number): number[] {
    const found: number[] = [];
    let rest = n;
    for (let i = 1; i < count; i++) {
      const next = this.pick(divisors(rest));
      found.push(next);
      rest /= next;
    }
    found.push(rest);
    return found;
  }

  private reshape(form: Form): [string, Form] {
    const rank = this.pick([1, 2, 2, 3, 3, 4, 5, 6, 8]);
    const sizes = this.factors(product(form.sizes), rank);
    const kinds = ["features", "sequence", "image"] as const;
    const kind = kinds[rank - 1] ?? ("many" as const);
    const words = sizes.map(String);
    if (this.chance(0.2)) words[this.below(rank)] = "-1";
    return [`reshape([${words.join(", ")}])`, { kind, sizes }];
  }

  private permute(form: Form): [string, Form] | undefined {
    const { sizes } = form;
    if (form.kind === "features" || form.kind === "signal") return undefined;
    const order = sizes.map((_, i) => i);
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return [
      `permute([${[0, ...order.map((i) => i + 1)].join(", ")}])`,
      { ...form, sizes: order.map((i) => sizes[i]!) },
    ];
  }

  private transpose(form: Form): [string, Form] | undefined {
    const { sizes } = form;
    if (form.kind === "features" || form.kind === "signal") return undefined;
    const a = this.below(sizes.length);
    const b = this.below(sizes.length);
    if (a === b) return undefined;
    const swapped = [...sizes];
    [swapped[a], swapped[b]] = [swapped[b]!, swapped[a]!];
    const number = (i: number) => (this.chance(0.5) ? i + 1 : i - sizes.length);
    return [`transpose(${number(a)}, ${number(b)})`, { ...form, sizes: swapped }];
  }

  private axes({ kind }: Form): readonly string[] {
    if (kind === "image") return ["channels", "rows", "columns"];
    if (kind === "signal") return ["channels", "length"];
    return kind === "sequence" ? ["tokens", "channels"] : ["channels"];
  }

  /** An axis by its name or its number. */
  private axis(form: Form): [string, number] {
    const axes = this.axes(form);
    const at = this.below(axes.length);
    return [this.pick([axes[at]!, String(at + 1), String(at - axes.length)]), at];
  }

  private with(form: Form, axis: number, size: number): Form {
    return { ...form, sizes: form.sizes.map((each, i) => (i === axis ? size : each)) };
  }

  private slice(form: Form): [string, Form] | undefined {
    const [word, at] = this.axis(form);
    const size = form.sizes[at]!;
    const start = this.below(size);
    const end = start + 1 + this.below(size - start);
    const step = this.pick([1, 1, 1, 2, 3]);
    const count = Math.ceil((end - start) / step);
    const last = end === size ? end : this.pick([end, end - size]);
    return [
      `slice(${word}, ${start}, ${last}${step > 1 ? `, step=${step}` : ""})`,
      this.with(form, at, count),
    ];
  }

  private pad(form: Form): [string, Form] | undefined {
    const [word, at] = this.axis(form);
    const size = form.sizes[at]!;
    const mode = this.pick(["constant", "reflect", "replicate", "circular"]);
    const most = mode === "reflect" ? size - 1 : mode === "circular" ? size : 3;
    const [left, right] = [this.below(Math.min(most, 3) + 1), this.below(Math.min(most, 3) + 1)];
    if (left + right === 0) return undefined;
    const rest = mode === "constant" ? (this.chance(0.5) ? ", value=0.5" : "") : `, mode=${mode}`;
    return [
      `pad([${left}, ${right}], axis=${word}${rest})`,
      this.with(form, at, size + left + right),
    ];
  }

  private formula(form: Form): [string, Form] {
    const inner = this.name();
    const out = this.name();
    const last = this.lines.pop()!;
    // What came last gets a name, so that the formula can read it.
    const own = / as (\w+)$/.exec(last)?.[1] ?? /^let (\w+) =/.exec(last)?.[1];
    this.lines.push(own ? last : `${last} as ${inner}`);
    const x = own ?? inner;
    const reduced = () => {
      const [word] = this.axis(form);
      const kind = this.pick(["sum", "mean", "max", "min", "logsumexp"]);
      return `${kind}(${x}, over=${word})`;
    };
    const others = this.named.filter(
      ({ form: { kind, sizes } }) => kind === form.kind && sizes.join() === form.sizes.join(),
    );
    const other = others.length > 0 ? this.pick(others).name : x;
    const text = this.pick([
      () => `${x} - ${reduced()}`,
      () => `${x} / (1 + abs(${reduced()}))`,
      () => `tanh(${x}) * stop(${other})`,
      () => `where(${other} > 0.1, ${x}, 0.3 * ${x})`,
      () => `0.5 * (${x} + ${other}) + 0.1 * ${reduced()}`,
      () => `${x} * sigmoid(${other}) + max(${reduced()}, 0.2)`,
    ])();
    return [`let ${out} = ${text}`, form];
  }

  private join(form: Form): [string, Form] | undefined {
    const same = this.named.filter(
      ({ form: { kind, sizes } }) => kind === form.kind && sizes.join() === form.sizes.join(),
    );
    if (same.length > 0 && this.chance(0.5)) {
      return [`${this.pick(["add", "multiply"])}(${this.pick(same).name})`, form];
    }
    const [word, at] = this.axis(form);
    const fits = this.named.filter(
      ({ form: { kind, sizes } }) =>
        kind === form.kind && sizes.every((size, i) => i === at || size === form.sizes[i]),
    );
    if (fits.length === 0) return undefined;
    const chosen = this.chance(0.4) ? [this.pick(fits), this.pick(fits)] : [this.pick(fits)];
    const size = chosen.reduce((sum, { form: { sizes } }) => sum + sizes[at]!, form.sizes[at]!);
    const names = chosen.map(({ name }) => name).join(", ");
    return [`concat(${names}, axis=${word})`, this.with(form, at, size)];
  }

  private keeping(form: Form): string {
    const { kind, sizes } = form;
    const choices = [this.pick(ACTIVATIONS), "identity", "scale"];
    if (kind === "image")
      choices.push(`conv(${sizes[0]}, kernel=3, padding=1)`, `conv(${sizes[0]}, kernel=1) -> relu`);
    if (kind === "signal") choices.push(`conv(${sizes[0]}, kernel=3, padding=1)`);
    if (kind === "sequence" || kind === "features") choices.push(`linear(${sizes.at(-1)})`);
    return this.pick(choices);
  }

  private split(form: Form): [string, Form] | undefined {
    const [word, at] = this.axis(form);
    const size = form.sizes[at]!;
    if (size < 2) return undefined;
    const parts = this.pick(divisors(size).filter((d) => d > 1 && d < 5)) ?? 0;
    const uneven = this.chance(0.4) || !parts;
    const first = 1 + this.below(size - 1);
    const sizes = uneven
      ? [first, size - first]
      : Array.from({ length: parts }, () => size / parts);
    const axis = word === "channels" && this.chance(0.7) ? "" : `axis=${word}`;
    const list = uneven ? `sizes=[${sizes.join(", ")}]` : "";
    const given = [axis, list].filter((each) => each !== "").join(", ");
    const branches = sizes.map((each) => {
      const text = this.chance(0.3) ? "" : this.keeping(this.with(form, at, each));
      return `branch { ${text} }`;
    });
    const shuffled = this.shuffled(
      form,
      at === 0 && (form.kind === "image" || form.kind === "signal"),
    );
    return [`split${given ? `(${given})` : ""} { ${branches.join(" ")} }${shuffled}`, form];
  }

  private shuffled(form: Form, may: boolean): string {
    if (!may || !this.chance(0.6)) return "";
    return ` -> channel_shuffle(${this.pick(divisors(form.sizes[0]!))})`;
  }

  private concat(form: Form): [string, Form] | undefined {
    const [word, at] = this.axis(form);
    const count = 2 + this.below(2);
    const branches = Array.from(
      { length: count },
      () => `branch { ${this.chance(0.3) ? "" : this.keeping(form)} }`,
    );
    const axis = word === "channels" && this.chance(0.7) ? "" : `(axis=${word})`;
    const next = this.with(form, at, form.sizes[at]! * count);
    const shuffled = this.shuffled(
      next,
      at === 0 && (form.kind === "image" || form.kind === "signal"),
    );
    return [`concat${axis} { ${branches.join(" ")} }${shuffled}`, next];
  }

  private residual(form: Form): [string, Form] {
    const drop = this.chance(0.3) ? "(drop=0.3)" : "";
    const [text, next] = this.body(form, 1 + this.below(2));
    if (next.kind === form.kind && next.sizes.join() === form.sizes.join())
      return [`residual${drop} { ${text} }`, form];
    return [`residual${drop} { ${this.keeping(form)} -> ${this.keeping(form)} }`, form];
  }

  private dropout(form: Form): [string, Form] {
    const channels = (form.kind === "image" || form.kind === "signal") && this.chance(0.4);
    return [
      this.pick([`dropout(0.3${channels ? ", channels=true" : ""})`, "stochastic_depth(0.2)"]),
      form,
    ];
  }

  private reduce(form: Form): [string, Form] {
    const [word, at] = this.axis(form);
    const kind = this.pick(["sum", "mean", "max", "min", "logsumexp"]);
    return [`${kind}(${word})`, this.with(form, at, 1)];
  }

  private weights(form: Form): [string, Form] {
    const { kind, sizes } = form;
    const width = this.pick(WIDTHS);
    if (kind === "sequence" || kind === "features") {
      return [`linear(${width})`, { ...form, sizes: [...sizes.slice(0, -1), width] }];
    }
    const bias = this.chance(0.3) ? ", bias=false" : "";
    const groups = this.pick(divisors(sizes[0]!));
    const grouped = this.chance(0.3) && groups > 1;
    const out = grouped ? groups * this.pick([1, 2, 3]) : width;
    const words = grouped ? `, groups=${groups}` : "";
    const small = this.chance(0.4);
    const stride = this.chance(0.25) ? 2 : 1;
    const text = small
      ? `conv(${out}, kernel=1${words}${bias})`
      : `conv(${out}, kernel=3, padding=1, stride=${stride}${words}${bias})`;
    const rest = sizes.slice(1).map((size) => (small ? size : Math.floor((size - 1) / stride) + 1));
    return [text, { kind, sizes: [out, ...rest] }];
  }

  private normalize(form: Form): [string, Form] | undefined {
    const { kind, sizes } = form;
    // Of one channel nothing is left, and of two little more than the sign.
    if (sizes[kind === "sequence" ? 1 : 0]! < 3) return undefined;
    if (kind === "sequence") return ["layernorm", form];
    if (kind === "features") return ["layernorm", form];
    if (product(sizes.slice(1)) < 4) return undefined;
    return [
      this.pick(["batchnorm", `groupnorm(${this.pick(divisors(sizes[0]!))})`, "layernorm"]),
      form,
    ];
  }

  private pool(form: Form): [string, Form] | undefined {
    const { kind, sizes } = form;
    const word = this.pick(["maxpool", "avgpool"]);
    if (this.chance(0.5)) return [`${word}(3, stride=1, padding=1)`, form];
    if (sizes.slice(1).some((size) => size < 2)) return undefined;
    return [
      `${word}(2)`,
      { kind, sizes: [sizes[0]!, ...sizes.slice(1).map((size) => Math.floor(size / 2))] },
    ];
  }

  private shuffle(form: Form): [string, Form] {
    return [`channel_shuffle(${this.pick(divisors(form.sizes[0]!))})`, form];
  }

  private upsample(form: Form): [string, Form] {
    const mode =
      form.kind === "image"
        ? this.pick(["nearest", "bilinear", "bicubic"])
        : this.pick(["nearest", "linear"]);
    return [
      `upsample(2, mode=${mode})`,
      { ...form, sizes: [form.sizes[0]!, ...form.sizes.slice(1).map((s) => 2 * s)] },
    ];
  }

  private crop(form: Form): [string, Form] | undefined {
    const [c, h, w] = form.sizes as [number, number, number];
    if (h < 3 || w < 2) return undefined;
    return ["crop([1, 1, 0, 1])", { kind: "image", sizes: [c, h - 2, w - 1] }];
  }

  private pixels(form: Form): [string, Form] | undefined {
    const [c, h, w] = form.sizes as [number, number, number];
    if (this.chance(0.5) && c % 4 === 0)
      return ["pixel_shuffle(2)", { kind: "image", sizes: [c / 4, 2 * h, 2 * w] }];
    if (h % 2 === 0 && w % 2 === 0)
      return ["pixel_unshuffle(2)", { kind: "image", sizes: [c * 4, h / 2, w / 2] }];
    return undefined;
  }

  private attention(form: Form): [string, Form] {
    const heads = this.pick(divisors(form.sizes[1]!));
    const words = this.pick(["", ", causal=true", ", dropout=0.2"]);
    return [`attention(${heads}${words})`, form];
  }

  private ending(form: Form, first: Form): string {
    const targets: string[] = [];
    const terms: string[] = [];
    const metrics: string[] = [];
    this.lines.push(form.kind === "features" ? "identity as trunk" : "flatten as trunk");
    const heads = 1 + this.below(2);
    for (let i = 0; i < heads; i++) this.head(i, targets, terms, metrics);
    const type = first.kind === "signal" ? "signal" : "f32";
    return `fn weighed(p, t, gamma: float = 2) = -t * (1 - p)^gamma * log(max(p, 1e-7))
model M {
  input x: ${type}[N, ${first.sizes.join(", ")}]
${targets.map((each) => `  ${each}\n`).join("")}
${this.lines.map((each) => `  ${each}\n`).join("")}
  loss ${terms.join(" + ")}
${metrics.map((each) => `  ${each}\n`).join("")}}
`;
  }

  private head(i: number, targets: string[], terms: string[], metrics: string[]): void {
    const out = `out${i}`;
    const t = `t${i}`;
    const kind = this.pick([
      "classes",
      "formula",
      "tags",
      "numbers",
      "mask",
      "maskformula",
      "cosine",
      "dice",
    ]);
    const classes = this.pick([2, 3, 4, 5, 7]);
    this.lines.push("from trunk");
    if (kind === "classes") {
      targets.push(`target ${t}: u32[N] in 0..${classes}`);
      this.lines.push(`linear(${classes}) as ${out}`);
      terms.push(
        this.pick([
          `cross_entropy(${out}, ${t})`,
          `focal(${out}, ${t})`,
          `cross_entropy(${out}, ${t}, label_smoothing=0.1)`,
        ]),
      );
      metrics.push(`metric m${i} = accuracy(${out}, ${t})`);
    } else if (kind === "formula") {
      targets.push(`target ${t}: u32[N] in 0..${classes}`);
      this.lines.push(`linear(${classes}) -> softmax as ${out}`);
      const axis = this.pick(["channels", "1", "-1"]);
      terms.push(`0.7 * mean(sum(weighed(${out}, one_hot(${t})), over=${axis}))`);
      metrics.push(`metric m${i} = mean(sum((${out} - one_hot(${t}))^2, over=${axis}))`);
    } else if (kind === "tags") {
      targets.push(`target ${t}: f32[N, ${classes}]`);
      this.lines.push(`linear(${classes}) as ${out}`);
      const weights = Array.from({ length: classes }, (_, at) => String(0.5 + at)).join(", ");
      terms.push(`bce_with_logits(${out}, ${t}, pos_weight=[${weights}])`);
      metrics.push(`metric m${i} = binary_accuracy(${out}, ${t})`);
    } else if (kind === "numbers") {
      targets.push(`target ${t}: f32[N, ${classes}]`);
      this.lines.push(`linear(${classes}) as ${out}`);
      terms.push(
        this.pick([
          `mse(${out}, ${t})`,
          `mean(sqrt((${out} - ${t})^2 + 0.01))`,
          `2 * l1(${out}, ${t})`,
        ]),
      );
      metrics.push(`metric m${i} = mae(${out}, ${t})`);
    } else if (kind === "cosine") {
      targets.push(`target ${t}: f32[N, ${classes}]`);
      this.lines.push(`linear(${classes}) as ${out}`);
      terms.push(
        `mean(1 - sum(${out} * ${t}, over=channels) / ` +
          `sqrt(sum(${out}^2, over=1) * sum(${t}^2, over=-1) + 1e-4))`,
      );
    } else {
      const [h, w] = [this.pick([1, 2, 3, 4]), this.pick([1, 3, 5])];
      targets.push(`target ${t}: u32[N, ${h}, ${w}] in 0..${classes}`);
      this.lines.push(`linear(${classes * h * w}) -> reshape([${classes}, ${h}, ${w}]) as ${out}`);
      if (kind === "mask") {
        const loss = this.pick(["cross_entropy", "dice", "focal"]);
        terms.push(`${loss}(${out}, ${t}${this.chance(0.6) ? ", ignore=255" : ""})`);
        metrics.push(`metric m${i} = miou(${out}, ${t})`);
      } else if (kind === "maskformula") {
        this.lines.push(`softmax as soft${i}`);
        const ignore = this.chance(0.6) ? ", ignore=255" : "";
        terms.push(`mean(sum(weighed(soft${i}, one_hot(${t}${ignore})), over=channels))`);
        metrics.push(`metric m${i} = mean((soft${i} - one_hot(${t}${ignore}))^2)`);
      } else {
        this.lines.push(`softmax as soft${i}`);
        terms.push(
          `mean(1 - (2 * sum(soft${i} * one_hot(${t}), over=[rows, columns]) + 1) / ` +
            `(sum(soft${i}, over=[2, 3]) + sum(one_hot(${t}), over=[-1, -2]) + 1))`,
        );
      }
    }
  }
}

/** The same text for the same seed. */
export const randomSpec = (seed: number): string => new SpecMaker(seed).make();
