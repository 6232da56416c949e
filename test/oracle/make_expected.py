#!/usr/bin/python3
"""Makes test/oracle/expected/*.json with PyTorch (Debian's python3-torch): what the parity tests compare with.

    /usr/bin/python3 test/oracle/make_expected.py [NAME ...]

Each case is a network, defined here by hand with torch.nn, at batch 2 with dropout off. Weights, images and labels come
from the hash of values.ts, so that nothing but results is stored. All is computed in float64: what is committed is the
truth, and the tests measure the error of netc alone. Each tensor is stored as its norm and a sketch (sketch.ts).

A ReLU or a maximum that lies within rounding of its edge may fall either way, and one such element can move a gradient by
more than the tolerance. The images are therefore chosen, among a few dozen seeds, as those whose values keep farthest
away from every edge.
"""

import json
import math
import pathlib
import re
import sys
from collections import OrderedDict
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.swin_transformer import ShiftedWindowAttention, shifted_window_attention

HERE = pathlib.Path(__file__).parent
BATCH = 2
STEPS = 5
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4
BUCKETS = 128
WHOLE = 256


# Values, as in values.ts


def mix(word):
    word = (word ^ (word >> np.uint32(16))) * np.uint32(0x7FEB352D)
    word = (word ^ (word >> np.uint32(15))) * np.uint32(0x846CA68B)
    return word ^ (word >> np.uint32(16))


def stream_of(name):
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return np.uint32(value)


def words(name, count):
    return mix(mix(np.arange(count, dtype=np.uint32)) + stream_of(name))


def uniform(name, count, scale):
    unit = ((words(name, count) >> np.uint32(8)).astype(np.float32) - np.float32(8388608)) / np.float32(8388608)
    return unit * np.float32(scale)


def parameter(name, shape):
    count = math.prod(shape)
    if len(shape) == 1 and name.endswith((".weight", ".running_var")):
        return torch.from_numpy(np.float32(1) + uniform(name, count, 0.5)).double().reshape(shape)
    scale = 0.1 if len(shape) == 1 else math.sqrt(6 / (count // shape[0]))
    return torch.from_numpy(uniform(name, count, scale)).double().reshape(shape)


def images_of(name, shape, vocabulary=None):
    if vocabulary:
        return labels_of(name, math.prod(shape), vocabulary).reshape(shape)
    return torch.from_numpy(uniform(name, math.prod(shape), 1)).double().reshape(shape)


def labels_of(name, count, classes):
    return torch.from_numpy((words(name, count) % np.uint32(classes)).astype(np.int64))


# Summaries, as in sketch.ts


def rounded(values):
    """Seven digits: errors of at most 5e-7, less than a hundredth of what the tests allow."""
    return [float(f"{value:.7g}") for value in values]


def summary(tensor):
    values = tensor.detach().double().reshape(-1).numpy()
    result = {"shape": list(tensor.shape), "norm": float(np.linalg.norm(values))}
    if values.size <= WHOLE:
        return {**result, "values": rounded(values)}
    word = words("sketch", values.size)
    sign = 1.0 - ((word >> np.uint32(30)) & np.uint32(2)).astype(np.float64)
    sums = np.bincount(word % np.uint32(BUCKETS), weights=sign * values, minlength=BUCKETS)
    return {**result, "sketch": rounded(sums)}


# Layers that torch.nn lacks, and a way to see how near to an edge values come


class Margin:
    """The smallest distance to an edge seen, relative to the size of the values there."""

    def __init__(self):
        self.smallest = math.inf

    def see(self, distances, values):
        if distances.numel():
            scale = values.pow(2).mean().sqrt()
            self.smallest = min(self.smallest, float(distances.min() / scale))


MARGIN = Margin()


class ReLU(nn.Module):
    def forward(self, x):
        MARGIN.see(x.detach().abs(), x.detach())
        return F.relu(x)


class MaxPool(nn.Module):
    """
    Max pooling. `relu` applies one to the result, so that only the winners' signs are edges; `after_relu` says that ties at
    zero do not count, since no gradient passes there.
    """

    def __init__(self, size, stride, relu=False, after_relu=False, **options):
        super().__init__()
        self.relu = relu
        self.after_relu = after_relu
        self.pool = nn.MaxPool2d(size, stride, **options)

    def forward(self, x):
        y, winner = F.max_pool2d(
            x, self.pool.kernel_size, self.pool.stride, self.pool.padding, 1, self.pool.ceil_mode, True
        )
        self.see_runners_up(x.detach(), y.detach(), winner)
        return F.relu(y) if self.relu else y

    def see_runners_up(self, x, y, winner):
        """Distance from each window's winner to the best of the others, and to zero where a ReLU follows."""
        runner_up = torch.full_like(y, -math.inf)
        positions = torch.arange(x.shape[2] * x.shape[3], dtype=x.dtype).reshape(1, 1, *x.shape[2:])
        size, stride, padding = self.pool.kernel_size, self.pool.stride, self.pool.padding
        for row in range(size):
            for column in range(size):
                shifted, place = (
                    self.shift(t, row, column, y.shape[2:], stride, padding, fill)
                    for t, fill in ((x, -math.inf), (positions, -1.0))
                )
                others = torch.where(place == winner, torch.full_like(y, -math.inf), shifted)
                runner_up = torch.maximum(runner_up, others)
        gaps = y - runner_up
        if self.relu:
            MARGIN.see(y.abs(), x)
        if self.relu or self.after_relu:
            gaps = gaps[y > 0]
        MARGIN.see(gaps, x)

    @staticmethod
    def shift(x, row, column, size, stride, padding, fill):
        """The element at (row, column) of every window."""
        reach = [(size[axis] - 1) * stride + 12 for axis in (0, 1)]
        padded = F.pad(x, (padding, reach[1], padding, reach[0]), value=fill)
        return padded[:, :, row::stride, column::stride][:, :, : size[0], : size[1]]


class LocalResponseNorm(nn.Module):
    """x / (k + alpha * sum of squares over `size` channels) ^ beta, alpha divided by the size or not."""

    def __init__(self, size, alpha, beta, k, divide):
        super().__init__()
        self.arguments = (size, alpha if divide == "size" else alpha * size, beta, k)

    def forward(self, x):
        return F.local_response_norm(x, *self.arguments)


class Padded(nn.Conv2d):
    """A convolution with padding given for each side: left, right, top, bottom."""

    def __init__(self, *arguments, sides):
        super().__init__(*arguments)
        self.sides = sides

    def forward(self, x):
        return super().forward(F.pad(x, self.sides))


def after_tanh(kind, *arguments, flat=False, **options):
    """
    A normalization behind tanh: it takes a bias right before it off again, and then there is no gradient to compare.
    """

    class AfterTanh(kind):
        def forward(self, x):
            return super().forward(torch.tanh(x.flatten(1) if flat else x))

    return AfterTanh(*arguments, **options)


class LayerNorm2d(nn.LayerNorm):
    """Over the channels of each pixel, as torchvision's ConvNeXt has it."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Gate(nn.Module):
    """Each channel times a factor that its mean makes."""

    def forward(self, x):
        return x * torch.sigmoid(x.mean((2, 3), keepdim=True))


class Formula(nn.Module):
    """A function of the value alone."""

    def __init__(self, of):
        super().__init__()
        self.of = of

    def forward(self, x):
        return self.of(x)


def with_gate(x):
    gate = torch.sigmoid(x.mean((2, 3), keepdim=True))
    return gate * x + torch.maximum(x, 0.1 * gate)


def three_minima(x):
    least = torch.minimum(torch.minimum(x, torch.full_like(x, 0.2)), F.gelu(x))
    return torch.log(1 + torch.exp(x)) / torch.sqrt(x**2 + 0.5) - (x.abs() + 0.1) ** 1.3 + least


class Scale(nn.Module):
    """A factor and an offset for each channel."""

    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        return x * self.weight[:, None, None] + self.bias[:, None, None]


class Line(nn.Module):
    """ONNX's HardSigmoid."""

    def forward(self, x):
        return torch.clamp(0.2 * x + 0.5, 0, 1)


class Flat(nn.Linear):
    """A linear layer on an image."""

    def forward(self, x):
        return super().forward(x.flatten(1))


def ordered(layers):
    return nn.Sequential(OrderedDict(layers))


class Sections(nn.Module):
    """Sections of named layers, one after the other."""

    def __init__(self, **sections):
        super().__init__()
        for name, layers in sections.items():
            self.add_module(name, ordered(layers))

    def forward(self, x):
        for section in self.children():
            x = section(x)
        return x


# Running a case


def statistics_of(network):
    """Running statistics, by name."""
    return [(key, value) for key, value in network.named_buffers() if value.is_floating_point()]


def load_parameters(network, name):
    for key, value in [*network.named_parameters(), *statistics_of(network)]:
        value.data = parameter(f"{name}/{key}", value.shape)


def predict(network, images):
    """As outside training, where running statistics are used."""
    network.eval()
    with torch.no_grad():
        result = summary(network(images))
    network.train()
    return result


def choose_images(network, name, shape, trials, slices, vocabulary=None):
    """The seed whose values stay farthest from every edge, and its margin."""
    best = (-1.0, 0)
    with torch.no_grad():
        for seed in range(trials):
            MARGIN.smallest = math.inf
            for part in images_of(f"{name}/images/{seed}", shape, vocabulary).chunk(slices):
                network(part)
            best = max(best, (MARGIN.smallest, seed), key=lambda pair: pair[0])
    return best[1], best[0]


def sgd(network, velocities, settings, factors):
    """One step of SGD; `factors` gives (lr, decay) by a parameter's name, or for all weights or biases."""
    with torch.no_grad():
        for key, value in network.named_parameters():
            rate, decay = factors.get(key, factors.get(key.split(".")[-1], (1, 1)))
            rate *= settings["learningRate"]
            gradient = value.grad + decay * settings["weightDecay"] * value
            velocity = velocities.setdefault(key, torch.zeros_like(value))
            # Caffe keeps the rate inside the velocity: the same as long as the rate does not change.
            velocity.mul_(settings["momentum"]).add_(gradient)
            step = gradient + settings["momentum"] * velocity if settings["nesterov"] else velocity
            value.sub_(step, alpha=rate)


def backward(network, images, labels, slices):
    """The mean loss of a step whose examples are split into slices, and its gradients, added up."""
    total = 0
    for part, own in zip(images.chunk(slices), labels.chunk(slices)):
        loss = F.cross_entropy(network(part), own, reduction="sum") / len(images)
        loss.backward()
        total += float(loss)
    return total


def run(
    name, network, shape, classes, rate, *, trials, batch=BATCH, nesterov=False, factors=None, slices=1, vocabulary=None
):
    network.double()
    load_parameters(network, name)
    shape = (batch, *shape)
    seed, margin = choose_images(network, name, shape, trials, slices, vocabulary)
    load_parameters(network, name)  # running statistics have moved
    images = images_of(f"{name}/images/{seed}", shape, vocabulary)
    labels = labels_of(f"{name}/labels", batch, classes)
    settings = {
        "learningRate": rate,
        "momentum": MOMENTUM,
        "weightDecay": WEIGHT_DECAY,
        "nesterov": nesterov,
    }
    velocities, losses, result = {}, [], {"logits": predict(network, images)}
    for step in range(STEPS):
        network.zero_grad()
        losses.append(backward(network, images, labels, slices))
        if step == 0:
            result["gradients"] = {key: summary(value.grad) for key, value in network.named_parameters()}
        sgd(network, velocities, settings, factors or {})
    result["weights"] = {key: summary(value) for key, value in network.named_parameters()}
    if statistics := statistics_of(network):
        result["statistics"] = {key: summary(value) for key, value in statistics}
        result["trainedLogits"] = predict(network, images)
    moved = {
        key: float((value - parameter(f"{name}/{key}", value.shape)).norm() / value.norm())
        for key, value in network.named_parameters()
    }
    result["moved"] = moved
    print(f"{name}: margin {margin:.1e} (seed {seed}), losses {[round(x, 4) for x in losses]},", end=" ")
    print(f"weights moved by {min(moved.values()):.0e} to {max(moved.values()):.0e}", flush=True)
    head = {"name": name, "images": f"{name}/images/{seed}", "imageShape": list(shape[1:])}
    if vocabulary:
        head["vocabulary"] = vocabulary
    return {**head, "batch": batch, "classes": classes, "optimizer": settings, "losses": losses, **result}


def write(name, content):
    path = HERE / "expected" / f"{name}.json"
    path.write_text(json.dumps(content, indent=None, separators=(",", ":")) + "\n")


# The networks, as specs/*.net have them (without dropout)


# In the older specs biases learn at twice the rate and do not decay.
BIAS_FACTORS = {"bias": (2, 0)}
# cuda-convnet decays linear layers more: 0.03 compared with 0.004.
FC_DECAY = 0.03 / 0.004


def alexnet():
    features = {
        "conv1": nn.Conv2d(3, 64, 11, 4, 2),
        "pool1": MaxPool(3, 2, relu=True),
        "conv2": nn.Conv2d(64, 192, 5, padding=2),
        "pool2": MaxPool(3, 2, relu=True),
        "conv3": nn.Conv2d(192, 384, 3, padding=1),
        "relu3": ReLU(),
        "conv4": nn.Conv2d(384, 256, 3, padding=1),
        "relu4": ReLU(),
        "conv5": nn.Conv2d(256, 256, 3, padding=1),
        "pool5": MaxPool(3, 2, relu=True),
    }
    sections = Sections(features=features, classifier=classifier())
    return run("alexnet", sections, (3, 224, 224), 1000, rate=1e-4, trials=24)


def alexnet_2012():
    features = {
        "conv1": nn.Conv2d(3, 96, 11, 4),
        "relu1": ReLU(),
        "lrn1": LocalResponseNorm(5, 1e-4, 0.75, 2, divide="size"),
        "pool1": MaxPool(3, 2, after_relu=True),
        "conv2": nn.Conv2d(96, 256, 5, padding=2, groups=2),
        "relu2": ReLU(),
        "lrn2": LocalResponseNorm(5, 1e-4, 0.75, 2, divide="size"),
        "pool2": MaxPool(3, 2, after_relu=True),
        "conv3": nn.Conv2d(256, 384, 3, padding=1),
        "relu3": ReLU(),
        "conv4": nn.Conv2d(384, 384, 3, padding=1, groups=2),
        "relu4": ReLU(),
        "conv5": nn.Conv2d(384, 256, 3, padding=1, groups=2),
        "pool5": MaxPool(3, 2, relu=True),
    }
    sections = Sections(features=features, classifier=classifier())
    settings = {"rate": 1e-4, "trials": 24, "factors": BIAS_FACTORS}
    return run("alexnet-2012", sections, (3, 227, 227), 1000, **settings)


def cifar10_quick():
    features = {
        "conv1": nn.Conv2d(3, 32, 5, padding=2),
        "pool1": MaxPool(3, 2, relu=True, ceil_mode=True),
        "conv2": nn.Conv2d(32, 32, 5, padding=2),
        "relu2": ReLU(),
        "pool2": nn.AvgPool2d(3, 2, ceil_mode=True),
        "conv3": nn.Conv2d(32, 64, 5, padding=2),
        "relu3": ReLU(),
        "pool3": nn.AvgPool2d(3, 2, ceil_mode=True),
    }
    layers = {"flatten": nn.Flatten(), "fc64": nn.Linear(1024, 64), "logits": nn.Linear(64, 10)}
    sections = Sections(features=features, classifier=layers)
    decay = {f"classifier.{layer}.weight": (1, FC_DECAY) for layer in ("fc64", "logits")}
    settings = {"rate": 1e-3, "trials": 24, "factors": {**BIAS_FACTORS, **decay}}
    return run("cifar10-quick", sections, (3, 32, 32), 10, **settings)


def digits():
    features = {
        "conv1": nn.Conv2d(1, 16, 3, padding=1),
        "relu1": ReLU(),
        "conv2": nn.Conv2d(16, 24, 3, padding=1),
        "pool2": MaxPool(2, 2, relu=True),
        "conv3": nn.Conv2d(24, 48, 3, padding=1),
        "pool3": MaxPool(2, 2, relu=True),
    }
    layers = {
        "flatten": nn.Flatten(),
        "fc1": nn.Linear(192, 64),
        "relu1": ReLU(),
        "logits": nn.Linear(64, 10),
    }
    sections = Sections(features=features, classifier=layers)
    return run("digits", sections, (1, 8, 8), 10, rate=1e-2, trials=24, nesterov=True)


def normalized(name="normalized", slices=1):
    """Not a separate spec: test/parity/batchnorm.test.ts has it."""
    features = {
        "conv1": nn.Conv2d(3, 10, 3, padding=1, bias=False),
        "bn1": nn.BatchNorm2d(10),
        "relu1": ReLU(),
        "conv2": nn.Conv2d(10, 14, 3, stride=2, padding=1, bias=False),
        "bn2": nn.BatchNorm2d(14, momentum=0.3, eps=1e-3),
        "pool2": MaxPool(2, 2, relu=True),
    }
    layers = {
        "flatten": nn.Flatten(),
        "fc1": nn.Linear(14 * 3 * 3, 20, bias=False),
        "bn3": nn.BatchNorm1d(20),
        "relu1": ReLU(),
        "logits": nn.Linear(20, 5),
    }
    sections = Sections(features=features, classifier=layers)
    return run(name, sections, (3, 13, 11), 5, rate=1e-2, trials=24, batch=6, slices=slices)


def normalized_in_slices():
    """Each slice normalized by its own statistics, which move the running ones one after the other."""
    return normalized("normalized-slices", slices=2)


def classifier():
    return {
        "flatten": nn.Flatten(),
        "fc6": nn.Linear(9216, 4096),
        "relu6": ReLU(),
        "fc7": nn.Linear(4096, 4096),
        "relu7": ReLU(),
        "logits": nn.Linear(4096, 1000),
    }


NETWORKS = {
    "alexnet": alexnet,
    "alexnet-2012": alexnet_2012,
    "cifar10-quick": cifar10_quick,
    "digits": digits,
    "normalized": normalized,
    "normalized-slices": normalized_in_slices,
}


# Single layers: a 1x1 convolution before each shows its input's gradient, a linear layer after it makes the logits


def tokens_of(x):
    """A token for each pixel."""
    return x.flatten(2).transpose(1, 2)


class TokenAttention(nn.MultiheadAttention):
    """Self-attention over the pixels of an image."""

    def __init__(self, channels, heads, causal=False, scale=None, **options):
        super().__init__(channels, heads, batch_first=True, **options)
        self.causal, self.scale = causal, scale

    def forward(self, x):
        x = tokens_of(x)
        count = x.shape[1]
        mask = torch.ones(count, count, dtype=torch.bool).triu(1) if self.causal else None
        if self.scale is not None:
            return self.by_hand(x, mask)
        return super().forward(x, x, x, need_weights=False, attn_mask=mask)[0]


    def by_hand(self, x, mask):
        """What PyTorch 2 has as `scaled_dot_product_attention(scale=)`."""
        x = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = x.unflatten(2, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        scores = torch.einsum("nhtc,nhsc->nhts", self.scale * q, k)
        if mask is not None:
            scores = scores.masked_fill(mask, -math.inf)
        return self.out_proj(torch.einsum("nhts,nhsc->nthc", scores.softmax(-1), v).flatten(2))


class WindowAttention(ShiftedWindowAttention):
    """torchvision's, of images with channels first."""

    def __init__(self, channels, heads, window, shift, factor=1):
        super().__init__(channels, window, shift, heads)
        self.factor = factor

    def forward(self, x):
        """torchvision knows one scale alone: queries are multiplied by what another differs by."""
        channels = x.shape[1]
        factors = torch.ones(3 * channels, dtype=x.dtype)
        factors[:channels] = self.factor
        made = shifted_window_attention(
            x.permute(0, 2, 3, 1),
            factors[:, None] * self.qkv.weight,
            self.proj.weight,
            self.get_relative_position_bias(),
            self.window_size,
            self.num_heads,
            shift_size=self.shift_size,
            qkv_bias=factors * self.qkv.bias,
            proj_bias=self.proj.bias,
        )
        return made.permute(0, 3, 1, 2)


class TokenLinear(nn.Linear):
    def forward(self, x):
        return super().forward(tokens_of(x))


class TokenNorm(nn.LayerNorm):
    def forward(self, x):
        return super().forward(tokens_of(torch.tanh(x)))


class Patches(nn.Conv2d):
    def forward(self, x):
        return tokens_of(super().forward(x))


class ClassToken(nn.Module):
    """A token before those of an image, and positions."""

    def __init__(self, tokens, channels):
        super().__init__()
        self.first = nn.Parameter(torch.zeros(1, channels))
        self.positions = nn.Parameter(torch.zeros(tokens + 1, channels))

    def forward(self, x):
        first = self.first.expand(len(x), 1, -1)
        return torch.cat([first, tokens_of(x)], 1) + self.positions


class Products(nn.Module):
    """The product of the tokens with the transpose of what follows, and with that again."""

    def forward(self, x):
        x = tokens_of(x)
        mixed = torch.sigmoid(x)
        return x @ mixed.transpose(1, 2) @ mixed


class Extended(nn.Module):
    """Padding that PyTorch 1.13 has as a function only."""

    def __init__(self, sides, mode):
        super().__init__()
        self.sides, self.mode = sides, mode

    def forward(self, x):
        return nn.functional.pad(x, self.sides, mode=self.mode)


class Along(nn.Module):
    """Padding along any axis: NumPy says which elements are read, and PyTorch reads them."""

    def __init__(self, axis, before, after, mode="constant", value=0, tokens=False, flat=False):
        super().__init__()
        self.axis, self.sides, self.mode, self.value = axis, (before, after), mode, value
        self.tokens, self.flat = tokens, flat

    def forward(self, x):
        x = tokens_of(x) if self.tokens else x.flatten(1) if self.flat else x
        if self.mode == "constant":
            sides = [0, 0] * (x.dim() - 1 - self.axis) + [*self.sides]
            return nn.functional.pad(x, sides, value=self.value)
        mode = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}[self.mode]
        places = np.pad(np.arange(x.shape[self.axis]), self.sides, mode=mode)
        return x.index_select(self.axis, torch.from_numpy(places))


class Unpool(nn.Module):
    """A pooling, a function of each element, and the pooling undone; with windows as they are."""

    def __init__(self, before, between, *windows, **more):
        super().__init__()
        self.before, self.between, self.windows, self.more = before, between, windows, more

    def forward(self, x):
        inner = self.before(x)
        pooled, places = F.max_pool2d(inner, *self.windows, **self.more, return_indices=True)
        flat = x.new_zeros(*x.shape[:2], x.shape[2] * x.shape[3])
        if "dilation" in self.more:  # of which MaxUnpool2d knows nothing
            spread = flat.scatter(2, places.flatten(2), self.between(pooled).flatten(2))
            return spread.view(x.shape)
        kernel, stride, padding = (*self.windows, 0)[:3]
        return F.max_unpool2d(self.between(pooled), places, kernel, stride, padding, x.shape[2:])


def layer_cases():
    """(layer as a spec has it, input shape, the same in PyTorch)."""
    conv, pool, average, batch = nn.Conv2d, MaxPool, nn.AvgPool2d, nn.BatchNorm2d
    return [
        ("maxpool(3, stride=2)", (6, 11, 9), pool(3, 2)),
        ("maxpool(3, stride=2, padding=1)", (6, 11, 9), pool(3, 2, padding=1)),
        ("maxpool(2, ceil=true)", (5, 9, 11), pool(2, 2, ceil_mode=True)),
        ("maxpool(3, stride=2, padding=1, ceil=true)", (6, 10, 8), pool(3, 2, padding=1, ceil_mode=True)),
        ("maxpool(2, stride=3, ceil=true)", (4, 9, 12), pool(2, 3, ceil_mode=True)),
        ("maxpool(2) as pool -> max_unpool(pool)", (6, 8, 6), Unpool(nn.Identity(), nn.Identity(), 2, 2)),
        ("maxpool(2) as pool -> relu -> max_unpool(pool)", (5, 7, 6), Unpool(nn.Identity(), nn.ReLU(), 2, 2)),
        (
            "relu -> maxpool(2, stride=3, padding=1) as pool -> sigmoid -> max_unpool(pool)",
            (6, 8, 9),
            Unpool(nn.ReLU(), nn.Sigmoid(), 2, 3, 1),
        ),
        (
            "maxpool(2, stride=3, dilation=2) as pool -> sigmoid -> max_unpool(pool) -> relu6",
            (5, 9, 8),
            nn.Sequential(Unpool(nn.Identity(), nn.Sigmoid(), 2, 3, dilation=2), nn.ReLU6()),
        ),
        ("relu -> maxpool(3, stride=2)", (6, 13, 13), pool(3, 2, relu=True)),
        ("leaky_relu(0.2)", (5, 7, 6), nn.LeakyReLU(0.2)),
        ("leaky_relu(1.5)", (5, 4, 6), nn.LeakyReLU(1.5)),
        ("relu6", (5, 7, 6), nn.ReLU6()),
        ("elu(0.7)", (5, 7, 6), nn.ELU(0.7)),
        ("gelu", (5, 7, 6), nn.GELU()),
        ("gelu(approximate=tanh)", (5, 7, 6), nn.GELU(approximate="tanh")),
        ("silu", (5, 7, 6), nn.SiLU()),
        ("mish", (5, 7, 6), nn.Mish()),
        ("hardswish", (5, 7, 6), nn.Hardswish()),
        ("softplus(3)", (5, 7, 6), nn.Softplus(3)),
        ("softplus(3, threshold=0.5)", (5, 7, 6), nn.Softplus(3, 0.5)),
        ("hardsigmoid", (5, 7, 6), nn.Hardsigmoid()),
        ("hardsigmoid(slope=0.2)", (5, 7, 6), Line()),
        ("clip(-0.4, max=0.7)", (5, 7, 6), nn.Hardtanh(-0.4, 0.7)),
        ("identity as x -> global_avgpool -> sigmoid -> multiply(x)", (6, 7, 9), Gate()),
        (
            "identity as x\n  let y = x * sigmoid(1.5 * x) - abs(x) / 2 + x^3 * exp(-x^2)",
            (5, 7, 6),
            Formula(lambda x: x * torch.sigmoid(1.5 * x) - x.abs() / 2 + x**3 * torch.exp(-(x**2))),
        ),
        (
            "identity as x -> global_avgpool -> sigmoid as gate\n  let y = gate * x + max(x, 0.1 * gate)",
            (6, 7, 9),
            Formula(with_gate),
        ),
        (
            "identity as x\n  let y = log(1 + exp(x)) / sqrt(x^2 + 0.5) - (abs(x) + 0.1)^1.3 + min(x, 0.2, gelu(x))",
            (5, 7, 6),
            Formula(three_minima),
        ),
        (
            "identity as x\n  let half = clamp(x, -0.3, 0.6) / 2\n  let y = half * x^-2 * positive(x - 0.2)",
            (5, 7, 6),
            Formula(lambda x: x.clamp(-0.3, 0.6) / 2 * x**-2 * (x > 0.2)),
        ),
        ("avgpool(2)", (5, 8, 10), average(2)),
        ("avgpool(3, stride=2, padding=1)", (6, 11, 9), average(3, 2, 1)),
        (
            "avgpool(3, stride=2, padding=1, count_padding=false)",
            (6, 11, 9),
            average(3, 2, 1, count_include_pad=False),
        ),
        ("avgpool(3, stride=2, ceil=true)", (6, 10, 8), average(3, 2, ceil_mode=True)),
        ("avgpool(3, stride=2, padding=1, ceil=true)", (6, 10, 8), average(3, 2, 1, ceil_mode=True)),
        ("adaptive_avgpool(3)", (6, 11, 8), nn.AdaptiveAvgPool2d(3)),
        ("adaptive_avgpool(6)", (6, 4, 13), nn.AdaptiveAvgPool2d(6)),
        ("adaptive_maxpool(3)", (6, 11, 8), nn.AdaptiveMaxPool2d(3)),
        ("adaptive_maxpool(6)", (6, 4, 13), nn.AdaptiveMaxPool2d(6)),
        ("adaptive_maxpool([2, 1])", (6, 4, 5), nn.AdaptiveMaxPool2d((2, 1))),
        ("relu -> adaptive_maxpool([3, 2])", (6, 8, 5), nn.Sequential(nn.ReLU(), nn.AdaptiveMaxPool2d((3, 2)))),
        ("maxpool(3, stride=2, dilation=2)", (6, 11, 9), nn.MaxPool2d(3, 2, dilation=2)),
        ("maxpool([2, 3], stride=1, padding=1, dilation=[3, 2])", (6, 8, 7), nn.MaxPool2d((2, 3), 1, padding=1, dilation=(3, 2))),
        ("relu -> maxpool(3, stride=2, padding=1, dilation=2, ceil=true)", (6, 10, 9), nn.Sequential(nn.ReLU(), nn.MaxPool2d(3, 2, padding=1, dilation=2, ceil_mode=True))),
        ("avgpool(3, stride=2, padding=1, divisor=4)", (6, 8, 7), nn.AvgPool2d(3, 2, padding=1, divisor_override=4)),
        ("avgpool(2, ceil=true, divisor=3)", (6, 7, 7), nn.AvgPool2d(2, ceil_mode=True, divisor_override=3)),
        (
            "lrn(5, alpha=0.5, beta=0.75, k=2, divide=size)",
            (9, 5, 6),
            LocalResponseNorm(5, 0.5, 0.75, 2, divide="size"),
        ),
        (
            "lrn(5, alpha=0.5, beta=0.75, k=1, divide=none)",
            (9, 5, 6),
            LocalResponseNorm(5, 0.5, 0.75, 1, divide="none"),
        ),
        ("lrn(3, alpha=0.5, beta=0.5, k=2, divide=size)", (6, 5, 6), LocalResponseNorm(3, 0.5, 0.5, 2, "size")),
        ("conv(8, kernel=3, padding=1) as tested", (5, 9, 7), conv(5, 8, 3, padding=1)),
        ("conv(10, kernel=3, bias=false) as tested", (6, 9, 7), conv(6, 10, 3, bias=False)),
        ("conv(9, kernel=3, stride=3) as tested", (3, 11, 13), conv(3, 9, 3, 3)),
        ("conv(8, kernel=5, stride=2, padding=2) as tested", (6, 13, 11), conv(6, 8, 5, 2, 2)),
        ("conv(8, kernel=2, stride=3, padding=1) as tested", (4, 11, 13), conv(4, 8, 2, 3, 1)),
        ("conv(8, kernel=3, dilation=2, padding=2) as tested", (6, 11, 9), conv(6, 8, 3, padding=2, dilation=2)),
        (
            "conv(8, kernel=3, stride=2, dilation=3) as tested",
            (6, 13, 15),
            conv(6, 8, 3, stride=2, dilation=3),
        ),
        ("conv(12, kernel=3, padding=1, groups=2) as tested", (8, 9, 7), conv(8, 12, 3, padding=1, groups=2)),
        ("conv(6, kernel=3, stride=2, groups=3) as tested", (9, 9, 11), conv(9, 6, 3, 2, groups=3)),
        ("conv(8, kernel=3, padding=1, groups=8) as tested", (8, 7, 7), conv(8, 8, 3, padding=1, groups=8)),
        (
            "conv(8, kernel=[3, 5], stride=[2, 1], padding=[1, 2]) as tested",
            (6, 11, 9),
            conv(6, 8, (3, 5), (2, 1), (1, 2)),
        ),
        (
            "conv(7, kernel=3, padding=[0, 3, 1, 2]) as tested",
            (5, 9, 7),
            Padded(5, 7, 3, sides=(1, 2, 0, 3)),
        ),
        ("conv(40, kernel=1) as tested", (36, 6, 5), conv(36, 40, 1)),
        ("conv(33, kernel=3, padding=1) as tested", (17, 12, 10), conv(17, 33, 3, padding=1)),
        ("conv(16, kernel=6) as tested", (7, 6, 6), conv(7, 16, 6)),
        ("flatten -> linear(70) as tested", (6, 5, 4), Flat(120, 70)),
        ("sigmoid", (6, 7, 5), nn.Sigmoid()),
        ("tanh", (6, 7, 5), nn.Tanh()),
        ("tanh -> batchnorm as tested", (6, 7, 5), after_tanh(batch, 6)),
        (
            "tanh -> batchnorm(momentum=0.3, eps=0.01, affine=false) as tested",
            (8, 4, 6),
            after_tanh(batch, 8, momentum=0.3, eps=0.01, affine=False),
        ),
        # Two values that are far apart for eps are normalized to -1 and 1, and have no gradient.
        (
            "flatten -> tanh -> batchnorm(eps=0.5) as tested",
            (5, 2, 3),
            after_tanh(nn.BatchNorm1d, 30, eps=0.5, flat=True),
        ),
        ("tanh -> groupnorm(3) as tested", (6, 7, 5), after_tanh(nn.GroupNorm, 3, 6)),
        (
            "tanh -> groupnorm(1, eps=0.01, affine=false) as tested",
            (5, 4, 6),
            after_tanh(nn.GroupNorm, 1, 5, eps=0.01, affine=False),
        ),
        ("tanh -> groupnorm(4) as tested", (8, 3, 3), after_tanh(nn.GroupNorm, 4, 8)),
        (
            "flatten -> tanh -> groupnorm(5) as tested",
            (5, 2, 3),
            after_tanh(nn.GroupNorm, 5, 30, flat=True),
        ),
        ("tanh -> layernorm as tested", (7, 5, 6), after_tanh(LayerNorm2d, 7)),
        ("flatten -> tanh -> layernorm(eps=1e-6) as tested", (5, 2, 3), after_tanh(nn.LayerNorm, 30, eps=1e-6, flat=True)),
        ("tanh -> scale as tested", (5, 7, 6), after_tanh(Scale, 5)),
        ("global_avgpool", (6, 5, 7), nn.AdaptiveAvgPool2d(1)),
        ("pad([1, 2])", (5, 4, 6), nn.ZeroPad2d((2, 2, 1, 1))),
        ("pad([2, 1, 0, 3], mode=reflect)", (5, 4, 6), nn.ReflectionPad2d((0, 3, 2, 1))),
        ("pad([3, 3, 5, 5], mode=reflect)", (6, 4, 6), nn.ReflectionPad2d((5, 5, 3, 3))),
        ("pad([3, 1, 0, 2], mode=replicate)", (5, 4, 6), nn.ReplicationPad2d((0, 2, 3, 1))),
        ("pad([4, 2, 1, 3], mode=circular)", (5, 4, 6), Extended((1, 3, 4, 2), "circular")),
        ("pad([4, 4, 6, 6], mode=circular)", (6, 4, 6), Extended((6, 6, 4, 4), "circular")),
        ("pad([1, 0, 2, 1], value=-0.5)", (5, 4, 6), nn.ConstantPad2d((2, 1, 1, 0), -0.5)),
        ("pad(2, mode=reflect) -> leaky_relu(0.3)", (5, 4, 6), nn.Sequential(nn.ReflectionPad2d(2), nn.LeakyReLU(0.3))),
        ("pad([0, 1, 2, 0]) -> conv(6, kernel=3, stride=2, padding=1) as tested", (5, 7, 6), Padded(5, 6, 3, 2, 1, sides=(2, 0, 0, 1))),
        ("pad([1, 2], axis=channels)", (5, 4, 6), Along(1, 1, 2)),
        ("pad([3, 2], axis=1, mode=reflect)", (5, 4, 3), Along(1, 3, 2, "reflect")),
        ("pad([2, 1], axis=rows, mode=replicate)", (5, 4, 6), Along(2, 2, 1, "replicate")),
        ("pad([1, 2], axis=columns)", (5, 4, 6), Along(3, 1, 2)),
        ("tokens -> pad([2, 3], axis=tokens, value=0.5)", (5, 2, 3), Along(1, 2, 3, value=0.5, tokens=True)),
        ("tokens -> pad([4, 6], axis=tokens, mode=circular)", (6, 2, 3), Along(1, 4, 6, "circular", tokens=True)),
        ("tokens -> pad([2, 0], axis=channels, mode=replicate)", (6, 2, 3), Along(2, 2, 0, "replicate", tokens=True)),
        ("flatten -> pad([1, 2], axis=channels, mode=reflect)", (2, 3, 3), Along(1, 1, 2, "reflect", flat=True)),
        ("upsample(2)", (5, 4, 3), nn.Upsample(scale_factor=2)),
        ("upsample(size=[7, 5])", (5, 3, 4), nn.Upsample(size=(7, 5))),
        ("upsample([3, 2], mode=bicubic)", (5, 4, 3), nn.Upsample(scale_factor=(3, 2), mode="bicubic")),
        ("upsample(size=[3, 9], mode=bicubic)", (5, 7, 4), nn.Upsample(size=(3, 9), mode="bicubic")),
        ("upsample(size=[2, 1], mode=bicubic)", (5, 9, 8), nn.Upsample(size=(2, 1), mode="bicubic")),
        (
            "upsample(size=[7, 5], mode=bicubic, align_corners=true)",
            (5, 4, 3),
            nn.Upsample(size=(7, 5), mode="bicubic", align_corners=True),
        ),
        ("upsample([3, 2], mode=bilinear)", (5, 4, 3), nn.Upsample(scale_factor=(3, 2), mode="bilinear")),
        ("upsample(size=[3, 9], mode=bilinear)", (5, 5, 4), nn.Upsample(size=(3, 9), mode="bilinear")),
        (
            "upsample(size=[7, 1], mode=bilinear, align_corners=true)",
            (5, 4, 3),
            nn.Upsample(size=(7, 1), mode="bilinear", align_corners=True),
        ),
        ("reshape(channels=4, rows=3, columns=-1)", (5, 4, 6), Formula(lambda x: x.reshape(-1, 4, 3, 10))),
        ("reshape([4, 3, -1])", (6, 2, 3), nn.Sequential(nn.Flatten(), nn.Unflatten(1, (4, 3, 3)))),
        ("conv_transpose(6, kernel=4, stride=2, padding=1) as tested", (5, 4, 3), nn.ConvTranspose2d(5, 6, 4, 2, 1)),
        (
            "conv_transpose(7, kernel=[3, 2], stride=[3, 1], padding=[1, 0], output_padding=[2, 0]) as tested",
            (4, 3, 4),
            nn.ConvTranspose2d(4, 7, (3, 2), (3, 1), (1, 0), (2, 0)),
        ),
        ("conv_transpose(8, kernel=3, dilation=2, bias=false) as tested", (8, 4, 3), nn.ConvTranspose2d(8, 8, 3, dilation=2, bias=False)),
        ("conv_transpose(16, kernel=3, stride=2, groups=2) as tested", (8, 4, 3), nn.ConvTranspose2d(8, 16, 3, 2, groups=2)),
        ("conv_transpose(6, kernel=3, stride=2, groups=3) as tested", (9, 4, 3), nn.ConvTranspose2d(9, 6, 3, 2, groups=3)),
        ("conv_transpose(12, kernel=5) as tested", (20, 1, 1), nn.ConvTranspose2d(20, 12, 5)),
        ("tokens -> linear(12) as tested", (6, 5, 3), TokenLinear(6, 12)),
        ("tanh -> tokens -> layernorm(eps=1e-6) as tested", (7, 5, 3), TokenNorm(7, eps=1e-6)),
        ("tokens -> attention(2) as tested", (8, 5, 3), TokenAttention(8, 2)),
        ("tokens -> attention(3, causal=true) as tested", (9, 7, 10), TokenAttention(9, 3, causal=True)),
        (
            "tokens -> attention(2, causal=true, scale=1.5) as tested",
            (8, 5, 3),
            TokenAttention(8, 2, causal=True, scale=1.5),
        ),
        ("tokens -> attention(1, bias=false) as tested", (12, 1, 3), TokenAttention(12, 1, bias=False)),
        ("attention(2, window=4) as tested", (8, 4, 8), WindowAttention(8, 2, [4, 4], [0, 0])),
        (
            "attention(3, window=[2, 3], shift=[1, 2]) as tested",
            (9, 5, 7),
            WindowAttention(9, 3, [2, 3], [1, 2]),
        ),
        (
            "attention(2, window=4, shift=1, scale=0.25) as tested",
            (8, 4, 8),
            WindowAttention(8, 2, [4, 4], [1, 1], factor=0.25 * 2),
        ),
        ("attention(1, window=4, shift=2) as tested", (4, 3, 9), WindowAttention(4, 1, [4, 4], [2, 2])),
        (
            "tokens as x -> sigmoid as mixed\n  from x -> matmul(mixed, transposed=true) -> matmul(mixed)",
            (6, 5, 3),
            Products(),
        ),
        ("patches(2, 10) as tested", (3, 4, 6), Patches(3, 10, 2, 2)),
        ("tokens -> transpose", (6, 5, 3), Formula(lambda x: x.flatten(2))),
        ("transpose(2, 3) -> permute([0, 3, 1, 2])", (6, 5, 3), Formula(lambda x: x.mT.permute(0, 3, 1, 2))),
        (
            "transpose(rows, columns) -> permute([columns, channels, rows])",
            (6, 5, 3),
            Formula(lambda x: x.mT.permute(0, 3, 1, 2)),
        ),
        ("transpose(-1, 1) -> permute([0, -1, rows, -3])", (6, 5, 3), Formula(lambda x: x)),
        ("tokens -> token(4)", (6, 5, 3), Formula(lambda x: x.flatten(2)[:, :, 4])),
        ("tokens -> global_avgpool", (6, 5, 3), Formula(lambda x: x.mean((2, 3)))),
        ("tokens -> softmax", (6, 5, 3), Formula(lambda x: tokens_of(x).softmax(2))),
        (
            "tokens\n  tested {\n    parameter first: f32[1, 6]\n    parameter positions: f32[16, 6]\n"
            "    identity as x\n    from first -> concat(x, axis=tokens) -> add(positions)\n  }",
            (6, 5, 3),
            ClassToken(15, 6),
        ),
        ("flatten -> softmax", (2, 3, 2), nn.Sequential(nn.Flatten(), nn.Softmax(1))),
        ("selu -> softsign", (5, 7, 6), nn.Sequential(nn.SELU(), nn.Softsign())),
        ("celu(0.7) -> logsigmoid", (5, 7, 6), nn.Sequential(nn.CELU(0.7), nn.LogSigmoid())),
        ("softshrink(0.2)", (5, 7, 6), nn.Softshrink(0.2)),
        ("hardshrink(0.3)", (5, 7, 6), nn.Hardshrink(0.3)),
        ("threshold(0.1, -0.7)", (5, 7, 6), nn.Threshold(0.1, -0.7)),
        ("prelu as tested", (5, 7, 6), nn.PReLU()),
        ("prelu(per_channel=true, start=0.1) as tested", (6, 5, 4), nn.PReLU(6, init=0.1)),
        ("glu", (6, 4, 5), nn.GLU(1)),
        ("tokens -> glu", (10, 4, 3), Formula(lambda x: F.glu(tokens_of(x), 2))),
        ("tanh -> instancenorm(affine=true) as tested", (6, 7, 5), after_tanh(nn.InstanceNorm2d, 6, affine=True)),
        ("lp_pool(2, 3, stride=2, ceil=true)", (5, 8, 9), nn.LPPool2d(2, 3, 2, ceil_mode=True)),
        ("softmin -> log_softmax", (5, 3, 4), nn.Sequential(nn.Softmin(1), nn.LogSoftmax(1))),
        ("tokens -> log_softmax", (7, 3, 4), Formula(lambda x: tokens_of(x).log_softmax(2))),
        (
            "identity as x\n  let y = x - mean(x, over=[rows, columns]) + 0.1 * sum(x, channels) * max(x, over=rows)",
            (5, 4, 6),
            Formula(lambda x: x - x.mean((2, 3), True) + 0.1 * x.sum(1, True) * x.amax(2, True)),
        ),
        (
            "identity as x\n  let y = x / sqrt(mean(x^2, over=channels) + 0.1)\n  logsumexp([channels, columns]) -> min(rows)",
            (6, 5, 4),
            Formula(lambda x: (x / ((x**2).mean(1, True) + 0.1).sqrt()).logsumexp((1, 3), True).amin(2, True)),
        ),
        (
            "tokens as x -> logsumexp(tokens) as total\n  from x -> multiply(total)",
            (6, 5, 4),
            Formula(lambda x: tokens_of(x) * tokens_of(x).logsumexp(1, True)),
        ),
        (
            "identity as x\n  let y = x - mean(x, over=[2, -1]) + 0.1 * sum(x, 1) * max(x, over=-2)",
            (5, 7, 6),
            Formula(lambda x: x - x.mean([2, 3], True) + 0.1 * x.sum(1, True) * x.amax(2, True)),
        ),
        ("flatten -> max(channels)", (5, 2, 3), Formula(lambda x: x.flatten(1).amax(1, True))),
        (
            "identity as x\n  let y = where(x > 0.1, exp(x), where(x <= -0.2, x^2, log(-x + 0.2))) * (x != 0)",
            (5, 7, 6),
            Formula(in_pieces),
        ),
        (
            "identity as x -> mean(channels) as m\n  from x -> global_avgpool -> multiply(m) -> add(x)",
            (6, 5, 4),
            Formula(lambda x: x.mean((2, 3), True) * x.mean(1, True) + x),
        ),
        (
            "slice(channels, 1, 6, step=2) -> slice(rows, -4) -> slice(columns, 0, -1)",
            (7, 6, 5),
            Formula(lambda x: x[:, 1:6:2, -4:, :-1]),
        ),
        ("slice(1, 1, 6, step=2) -> slice(-1, 0, -1)", (7, 6, 5), Formula(lambda x: x[:, 1:6:2, :, :-1])),
        (
            "identity as x -> relu -> concat(x, axis=2) -> split(axis=-1, sizes=[3, 2]) { branch { relu } branch { tanh } }",
            (3, 4, 5),
            Formula(
                lambda x: (lambda y: torch.cat([y[..., :3].relu(), y[..., 3:].tanh()], 3))(torch.cat([x.relu(), x], 2))
            ),
        ),
        ("tokens -> slice(tokens, 3, 13, step=3)", (6, 5, 3), Formula(lambda x: x.flatten(2)[:, :, 3:13:3].mT)),
        ("crop([0, 1, 2, 0]) -> crop(size=[3, 2])", (5, 6, 7), Formula(lambda x: x[:, :, :-1, 2:][:, :, 1:4, 1:3])),
        ("channel_shuffle(3)", (12, 4, 5), Formula(lambda x: x.unflatten(1, (3, 4)).transpose(1, 2).flatten(1, 2))),
        ("pixel_shuffle(2)", (12, 4, 5), nn.PixelShuffle(2)),
        (
            "reshape([3, 2, 2, 4, 5]) -> permute([0, 1, 4, 2, 5, 3]) -> reshape([3, 8, 10])",
            (12, 4, 5),
            nn.PixelShuffle(2),
        ),
        (
            "reshape([3, 2, 2, 4, 5]) -> logsumexp([2, 3]) as a\n  let y = a * min(a, over=[1, -1])",
            (12, 4, 5),
            Formula(lambda x: times_least(x.view(-1, 3, 2, 2, 4, 5).logsumexp((2, 3), True))),
        ),
        (
            "reshape([3, 2, 2, 4, 5]) as x\n  let y = x - mean(x, over=-1) + 0.1 * sum(x, over=[1, 4])",
            (12, 4, 5),
            Formula(lambda x: centered(x.view(-1, 3, 2, 2, 4, 5))),
        ),
        (
            "reshape([3, 2, 2, 4, 5]) as x -> max([1, 3, 5]) -> multiply(x)",
            (12, 4, 5),
            Formula(lambda x: of_most(x.view(-1, 3, 2, 2, 4, 5))),
        ),
        (
            "reshape([3, 2, 2, 4, 5]) as x -> sum([2, 3, 4]) as a\n  from x -> sum([1, 5]) as b\n  let y = a * b + x",
            (12, 4, 5),
            Formula(lambda x: outer(x.view(-1, 3, 2, 2, 4, 5))),
        ),
        (
            "reshape([3, 2, 2, 4, 5]) -> slice(2, 1) -> slice(4, 0, 3) -> slice(-1, 1, step=2)",
            (12, 4, 5),
            Formula(lambda x: x.view(-1, 3, 2, 2, 4, 5)[:, :, 1:, :, :3, 1::2]),
        ),
        (
            "reshape([3, 2, 2, 4, 5]) as x -> tanh -> concat(x, axis=2) -> split(axis=-1, sizes=[3, 2]) { branch { relu } branch { sigmoid } }",
            (12, 4, 5),
            Formula(lambda x: apart(x.view(-1, 3, 2, 2, 4, 5))),
        ),
        (
            "reshape([3, 2, 2, 4, 5]) -> pad([1, 2], axis=3, value=0.5) -> pad([2, 1], axis=-2, mode=circular)",
            (12, 4, 5),
            Formula(lambda x: around(nn.functional.pad(x.view(-1, 3, 2, 2, 4, 5), (0, 0, 0, 0, 1, 2), value=0.5))),
        ),
        (
            "reshape([3, 2, 2, 4, 5]) as x -> tanh -> matmul(x, transposed=true) -> softmax -> matmul(x)",
            (12, 4, 5),
            Formula(lambda x: attended(x.view(-1, 3, 2, 2, 4, 5))),
        ),
        (
            "reshape([3, 2, 2, 4, 5]) as x -> mean([1, 3]) as m\n  from x -> matmul(m, transposed=true) -> matmul(m)",
            (12, 4, 5),
            Formula(lambda x: of_mean(x.view(-1, 3, 2, 2, 4, 5))),
        ),
        ("relu as x -> matmul(x, transposed=true) -> matmul(x)", (6, 4, 5), Formula(lambda x: x.relu() @ x.relu().mT @ x.relu())),
        (
            "reshape([3, 4, 2, 2, 5]) -> transpose(1, 2) -> sigmoid -> transpose(-4, -1) -> reshape([-1, 4, 5])",
            (12, 4, 5),
            Formula(
                lambda x: x.view(-1, 3, 4, 2, 2, 5).transpose(1, 2).sigmoid().transpose(-4, -1).reshape(-1, 12, 4, 5)
            ),
        ),
        (
            # Windows of 2x3, as torchvision's Swin makes them; its windows are in the batch.
            "permute([0, 2, 3, 1]) -> reshape([2, 2, 2, 3, 5]) -> permute([0, 1, 3, 2, 4, 5]) -> reshape([-1, 5])",
            (5, 4, 6),
            Formula(
                lambda x: x.permute(0, 2, 3, 1)
                .view(-1, 2, 2, 2, 3, 5)
                .permute(0, 1, 3, 2, 4, 5)
                .reshape(x.shape[0], -1, 5)
            ),
        ),
        ("pixel_unshuffle(3)", (3, 6, 9), nn.PixelUnshuffle(3)),
        ("identity as x -> sigmoid -> stop -> multiply(x)", (5, 7, 6), Formula(lambda x: x * x.sigmoid().detach())),
        (
            "identity as x\n  let y = tanh(x) * stop(exp(x) - x) - stop(x)",
            (5, 7, 6),
            Formula(lambda x: torch.tanh(x) * (torch.exp(x) - x).detach() - x.detach()),
        ),
    ]


def signal_cases():
    """(layers of a signal as a spec has them, input shape, the same in PyTorch)."""
    conv, transposed, batch = nn.Conv1d, nn.ConvTranspose1d, nn.BatchNorm1d
    return [
        ("conv(7, kernel=5) as tested", (6, 33), conv(6, 7, 5)),
        ("conv(9, kernel=4, stride=3, padding=2) as tested", (5, 40), conv(5, 9, 4, 3, 2)),
        (
            "conv(8, kernel=3, padding=4, dilation=4, groups=2, bias=false) as tested",
            (6, 29),
            conv(6, 8, 3, 1, 4, 4, 2, bias=False),
        ),
        ("conv(6, kernel=9, padding=[3, 5], groups=6) as tested", (6, 31), OnLeft(conv(6, 6, 9, groups=6), (3, 5))),
        ("conv(4, kernel=1) as tested", (7, 12), conv(7, 4, 1)),
        ("conv_transpose(5, kernel=4, stride=2, padding=1) as tested", (6, 13), transposed(6, 5, 4, 2, 1)),
        (
            "conv_transpose(4, kernel=3, stride=3, padding=2, output_padding=2, groups=2, dilation=2) as tested",
            (6, 11),
            transposed(6, 4, 3, 3, 2, 2, 2, dilation=2),
        ),
        ("maxpool(3, stride=2, padding=1)", (6, 25), nn.MaxPool1d(3, 2, 1)),
        ("maxpool(2, ceil=true)", (5, 19), nn.MaxPool1d(2, ceil_mode=True)),
        ("maxpool(3, stride=2, dilation=2)", (5, 21), nn.MaxPool1d(3, 2, dilation=2)),
        ("avgpool(4, stride=3, padding=2)", (6, 26), nn.AvgPool1d(4, 3, 2)),
        ("avgpool(3, stride=2, padding=1, count_padding=false, ceil=true)", (4, 24), nn.AvgPool1d(3, 2, 1, True, False)),
        ("lp_pool(2, 3, stride=2)", (5, 18), nn.LPPool1d(2, 3, 2)),
        ("adaptive_avgpool(5)", (6, 23), nn.AdaptiveAvgPool1d(5)),
        ("adaptive_maxpool(4)", (6, 23), nn.AdaptiveMaxPool1d(4)),
        ("global_avgpool", (9, 14), nn.AdaptiveAvgPool1d(1)),
        ("maxpool(2) as pool -> max_unpool(pool)", (5, 12), Unpool1d(2)),
        ("tanh -> batchnorm as tested", (6, 15), after_tanh(batch, 6)),
        ("tanh -> instancenorm(affine=true) as tested", (6, 17), after_tanh(nn.InstanceNorm1d, 6, affine=True)),
        ("tanh -> groupnorm(3) as tested", (6, 17), after_tanh(nn.GroupNorm, 3, 6)),
        ("tanh -> layernorm as tested", (6, 11), after_tanh(ChannelNorm, 6)),
        ("prelu(per_channel=true, start=0.1) as tested", (6, 15), nn.PReLU(6, init=0.1)),
        ("lrn(3, alpha=0.5, beta=0.75, k=2)", (7, 13), nn.LocalResponseNorm(3, 0.5, 0.75, 2)),
        ("upsample(3)", (5, 9), nn.Upsample(scale_factor=3)),
        ("upsample(2, mode=linear)", (5, 9), nn.Upsample(scale_factor=2, mode="linear")),
        ("upsample(size=17, mode=linear, align_corners=true)", (5, 7), nn.Upsample(17, mode="linear", align_corners=True)),
        ("pad([2, 3], mode=reflect)", (4, 9), nn.ReflectionPad1d((2, 3))),
        ("pad(2, mode=replicate)", (4, 9), nn.ReplicationPad1d(2)),
        ("pad([4, 1], mode=circular)", (4, 9), Formula(lambda x: F.pad(x, (4, 1), "circular"))),
        ("pad([1, 2], value=0.5)", (4, 9), nn.ConstantPad1d((1, 2), 0.5)),
        ("pad([1, 2], axis=channels)", (4, 9), Along(1, 1, 2)),
        ("pad([2, 1], axis=1, mode=reflect)", (4, 9), Along(1, 2, 1, "reflect")),
        ("pad([3, 2], axis=-1, mode=circular)", (4, 9), Along(2, 3, 2, "circular")),
        ("slice(1, 1, 5) -> slice(-1, 2, -3)", (6, 12), Formula(lambda x: x[:, 1:5, 2:-3])),
        ("glu", (8, 9), nn.GLU(1)),
        ("softmax -> crop([1, 2])", (5, 12), Formula(lambda x: x.softmax(1)[:, :, 1:-2])),
        ("crop(size=6)", (5, 11), Formula(lambda x: x[:, :, 2:8])),
        ("slice(channels, 1, 5) -> slice(length, -7, step=2)", (6, 12), Formula(lambda x: x[:, 1:5, -7::2])),
        ("channel_shuffle(3)", (12, 7), Formula(lambda x: x.unflatten(1, (3, 4)).transpose(1, 2).flatten(1, 2))),
        ("identity as x -> tanh as y\n  from x -> concat(y, axis=length)", (4, 9), Formula(lambda x: torch.cat([x, x.tanh()], 2))),
        ("identity as x -> tanh as y\n  from x -> concat(y)", (4, 9), Formula(lambda x: torch.cat([x, x.tanh()], 1))),
        (
            "split(axis=length) {\n  branch { tanh }\n  branch { sigmoid }\n}",
            (4, 10),
            Formula(lambda x: torch.cat([x[:, :, :5].tanh(), x[:, :, 5:].sigmoid()], 2)),
        ),
        (
            "identity as x\n  let y = x - mean(x, over=length) + 0.1 * sum(x, channels) * max(x, over=[channels, length])",
            (5, 14),
            Formula(lambda x: x - x.mean(2, True) + 0.1 * x.sum(1, True) * x.amax((1, 2), True)),
        ),
        ("identity as x -> global_avgpool -> sigmoid -> multiply(x)", (6, 13), Formula(lambda x: x.mean(2, True).sigmoid() * x)),
        ("residual { tanh }", (6, 13), Formula(lambda x: x + x.tanh())),
        ("tokens -> softmax -> signal", (6, 8), Formula(lambda x: x.softmax(1))),
        ("flatten -> signal(3)", (6, 8), Formula(lambda x: x.flatten(1).unflatten(1, (3, -1)))),
        ("reshape([4, 1, 12]) -> signal", (6, 8), Formula(lambda x: x.flatten(1).unflatten(1, (4, 12)))),
    ]


class OnLeft(nn.Module):
    """A convolution whose two sides are padded differently; its parameters are the module's."""

    def __init__(self, of, sides):
        super().__init__()
        self.weight, self.bias, self.groups, self.sides = of.weight, of.bias, of.groups, sides

    def forward(self, x):
        return F.conv1d(F.pad(x, self.sides), self.weight, self.bias, groups=self.groups)


class ChannelNorm(nn.LayerNorm):
    """Over the channels of each place."""

    def forward(self, x):
        return super().forward(x.mT).mT


class Unpool1d(nn.Module):
    def __init__(self, kernel):
        super().__init__()
        self.kernel = kernel

    def forward(self, x):
        pooled, places = F.max_pool1d(x, self.kernel, return_indices=True)
        return F.max_unpool1d(pooled, places, self.kernel, output_size=x.shape[-1:])


def signal_network(shape, layer):
    with torch.no_grad():
        features = layer(torch.zeros(BATCH, *shape))[0].numel()
    parts = {"first": nn.Conv1d(shape[0], shape[0], 1), "tested": layer, "flatten": nn.Flatten()}
    return ordered({**parts, "logits": nn.Linear(features, CLASSES)})


def signals():
    return [
        {"layer": text, **run(f"signal/{text}", signal_network(shape, layer), shape, CLASSES, rate=1e-2, trials=8)}
        for text, shape, layer in signal_cases()
    ]


def in_pieces(x):
    low = torch.where(x <= -0.2, x**2, torch.log((-x + 0.2).clamp(min=1e-9)))
    return torch.where(x > 0.1, torch.exp(x), low) * (x != 0)


def times_least(x):
    return x * x.amin((1, -1), True)


def centered(x):
    return x - x.mean(-1, True) + 0.1 * x.sum((1, 4), True)


def of_most(x):
    return x * x.amax((1, 3, 5), True)


def apart(x):
    y = torch.cat([x.tanh(), x], 2)
    return torch.cat([y[..., :3].relu(), y[..., 3:].sigmoid()], -1)


def attended(x):
    return (x.tanh() @ x.mT).softmax(-1) @ x


def of_mean(x):
    m = x.mean((1, 3), True)
    return x @ m.mT @ m


def around(x):
    return torch.cat([x[..., -2:, :], x, x[..., :1, :]], -2)


def outer(x):
    return x.sum((2, 3, 4), True) * x.sum((1, 5), True) + x


CLASSES = 5


def layer_network(shape, layer):
    with torch.no_grad():
        features = layer(torch.zeros(BATCH, *shape))[0].numel()
    parts = {"first": nn.Conv2d(shape[0], shape[0], 1), "tested": layer, "flatten": nn.Flatten()}
    return ordered({**parts, "logits": nn.Linear(features, CLASSES)})


def token_cases():
    """(layer as a spec has it, tokens of an example, different tokens, the same in PyTorch)."""
    return [
        ("embedding(7) as tested", (9,), 5, nn.Embedding(5, 7)),
        ("embedding(8, padding_index=2) as tested", (6,), 11, nn.Embedding(11, 8, padding_idx=2)),
        ("embedding(300) as tested", (), 3, nn.Embedding(3, 300)),
    ]


def token_network(shape, vocabulary, layer):
    with torch.no_grad():
        features = layer(torch.zeros(BATCH, *shape, dtype=torch.int64))[0].numel()
    return ordered({"tested": layer, "flatten": nn.Flatten(), "logits": nn.Linear(features, CLASSES)})


def token_case(text, shape, vocabulary, layer):
    network = token_network(shape, vocabulary, layer)
    settings = {"rate": 1e-2, "trials": 1, "vocabulary": vocabulary}
    return {"layer": text, **run(f"layer/{text}", network, shape, CLASSES, **settings)}


def layers():
    return [
        {"layer": text, **run(f"layer/{text}", layer_network(shape, layer), shape, CLASSES, rate=1e-2, trials=8)}
        for text, shape, layer in layer_cases()
    ] + [token_case(*case) for case in token_cases()]


# Losses and optimizers: a small network without edges, trained by PyTorch's own


class Recipe(nn.Module):
    """A convolution, tanh and one or two heads; all outputs by name."""

    def __init__(self, **heads):
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        for name, head in heads.items():
            self.add_module(name, head)

    def forward(self, x):
        features = torch.tanh(self.first(x))
        return {name: module(features) for name, module in self.named_children() if name != "first"}


def linear_head():
    return Recipe(out=Flat(4 * 36, CLASSES))


def two_heads():
    return Recipe(out=Flat(4 * 36, CLASSES), early=Flat(4 * 36, CLASSES))


def image_head():
    return Recipe(out=nn.Conv2d(4, 3, 3, padding=1))


def by_labels(head, weight=1.0):
    return lambda made, example: weight * F.cross_entropy(made[head], example["labels"])


def by_numbers(loss, target="numbers"):
    return lambda made, example: loss(made["out"], example[target])


def sgd_of(parameters):
    return torch.optim.SGD(parameters, lr=0.05, momentum=0.9)


def clipped_by_norm(parameters):
    nn.utils.clip_grad_norm_(parameters, 0.05)


def clipped_by_value(parameters):
    nn.utils.clip_grad_value_(parameters, 0.01)


def recipe_cases():
    """Loss and settings as a spec has them; the network, the loss and the optimizer in PyTorch."""
    numbers, image = "target wanted: f32[N, 5]", ""
    labels = "target label: u32[N] in 0..5"
    sgd_text = "optimizer = sgd(lr=0.05, momentum=0.9)"
    classes = ("cross_entropy(out, label)", labels)
    yield "mse(out, wanted)", numbers, sgd_text, linear_head, by_numbers(F.mse_loss), sgd_of, None
    yield "l1(out, wanted)", numbers, sgd_text, linear_head, by_numbers(F.l1_loss), sgd_of, None
    charbonnier = by_numbers(lambda a, b: torch.sqrt((a - b) ** 2 + 0.01).mean())
    yield "mean(sqrt((out - wanted)^2 + 0.01))", numbers, sgd_text, linear_head, charbonnier, sgd_of, None
    pinball = lambda a, b: torch.maximum(0.7 * (b - a), 0.3 * (a - b)).mean() + 0.5 * F.mse_loss(a, b)
    text = "mean(max(0.7 * (wanted - out), 0.3 * (out - wanted))) + 0.5 * mse(out, wanted)"
    yield text, numbers, sgd_text, linear_head, by_numbers(pinball), sgd_of, None
    bce = by_numbers(lambda out, wanted: F.binary_cross_entropy_with_logits(out, wanted), "shares")
    yield "bce_with_logits(out, wanted)", numbers, sgd_text, linear_head, bce, sgd_of, None
    weighted = by_numbers(
        lambda out, wanted: F.binary_cross_entropy_with_logits(
            out, wanted, pos_weight=torch.full((CLASSES,), 3.0, dtype=torch.float64)
        ),
        "shares",
    )
    yield "bce_with_logits(out, wanted, pos_weight=3)", numbers, sgd_text, linear_head, weighted, sgd_of, None
    from torchvision.ops import sigmoid_focal_loss

    for rule in ("", ", alpha=0.6, gamma=1.5", ", gamma=0"):
        options = {"alpha": 0.25, "gamma": 2, **eval(f"dict({rule[2:]})")}
        rare = by_numbers(partial(sigmoid_focal_loss, reduction="mean", **options), "shares")
        yield f"sigmoid_focal(out, wanted{rule})", numbers, sgd_text, linear_head, rare, sgd_of, None

    def focal(made, example):
        losses = F.cross_entropy(made["out"], example["labels"], reduction="none")
        return ((1 - torch.exp(-losses)) ** 1.5 * losses).mean()

    yield "focal(out, label, gamma=1.5)", labels, sgd_text, linear_head, focal, sgd_of, None
    both = lambda made, example: by_labels("out")(made, example) + by_labels("early", 0.3)(made, example)
    yield "cross_entropy(out, label) + 0.3 * cross_entropy(early, label)", labels, sgd_text, two_heads, both, sgd_of, None
    stopped = lambda made, _: F.mse_loss(made["out"], made["early"].detach())
    both = lambda made, example: by_labels("early")(made, example) + 0.7 * stopped(made, example)
    text = "cross_entropy(early, label) + 0.7 * mean((out - stop(early))^2)"
    yield text, labels, sgd_text, two_heads, both, sgd_of, None
    soft = lambda made, _: 16 * F.kl_div(
        F.log_softmax(made["out"] / 4, 1), F.log_softmax(made["early"].detach() / 4, 1), log_target=True, reduction="batchmean"
    )
    both = lambda made, example: by_labels("early")(made, example) + 3 * soft(made, example)
    text = "cross_entropy(early, label) + 3 * kl(out, early, temperature=4)"
    yield text, labels, sgd_text, two_heads, both, sgd_of, None
    apart = lambda made, _: ((made["out"] - made["early"]) ** 2).sum(1)
    hinge = lambda made, _: (2 - apart(made, _)).clamp(min=0).mean() + 0.1 * made["out"].mean()
    text = "mean(max(2 - sum((out - early)^2, over=channels), 0)) + 0.1 * mean(out)"
    yield text, image, sgd_text, two_heads, hinge, sgd_of, None
    yield "mse(out, image)", image, sgd_text, image_head, by_numbers(F.mse_loss, "images"), sgd_of, None
    pictures = "target wanted: f32[N, 3, 6, 6]"
    yield "2 * mse(out, wanted)", pictures, sgd_text, image_head, by_numbers(lambda a, b: 2 * F.mse_loss(a, b), "pictures"), sgd_of, None
    optimizers = {
        "adam(lr=0.01)": lambda p: torch.optim.Adam(p, lr=0.01),
        "adam(lr=0.01, beta1=0.8, beta2=0.95, eps=1e-3, weight_decay=0.1)": lambda p: torch.optim.Adam(
            p, lr=0.01, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1
        ),
        "adamw(lr=0.01, weight_decay=0.2)": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.2),
        "rmsprop(lr=0.005)": lambda p: torch.optim.RMSprop(p, lr=0.005),
        "rmsprop(lr=0.005, alpha=0.9, eps=1e-4, momentum=0.5, weight_decay=0.1)": lambda p: torch.optim.RMSprop(
            p, lr=0.005, alpha=0.9, eps=1e-4, momentum=0.5, weight_decay=0.1
        ),
        "adagrad(lr=0.02, eps=1e-4, weight_decay=0.1)": lambda p: torch.optim.Adagrad(
            p, lr=0.02, eps=1e-4, weight_decay=0.1
        ),
        "adadelta(lr=0.5, rho=0.8, eps=1e-3, weight_decay=0.1)": lambda p: torch.optim.Adadelta(
            p, lr=0.5, rho=0.8, eps=1e-3, weight_decay=0.1
        ),
        "lion(lr=0.005, beta1=0.8, beta2=0.95, weight_decay=0.1)": lambda p: Lion(p, 0.005, (0.8, 0.95), 0.1),
        **counting_optimizers(),
        "lamb(lr=0.01, eps=1e-4, weight_decay=0.1)": lambda p: Lamb(p, lr=0.01, eps=1e-4, weight_decay=0.1),
        "lamb(lr=0.01, eps=1e-4, weight_decay=0)": lambda p: Lamb(p, lr=0.01, eps=1e-4, weight_decay=0),
        "lars(lr=2, momentum=0.9, weight_decay=0.1, trust_coefficient=0.02)": lambda p: Lars(
            p, lr=2, momentum=0.9, weight_decay=0.1, trust=0.02
        ),
        "lars(lr=2, momentum=0.9, nesterov=true, weight_decay=0.1, trust_coefficient=0.02)": lambda p: Lars(
            p, lr=2, momentum=0.9, weight_decay=0.1, trust=0.02, nesterov=True
        ),
    }
    for text, make in optimizers.items():
        yield *classes, f"optimizer = {text}", linear_head, by_labels("out"), make, None
    yield *classes, f"{sgd_text}\n  clip_norm = 0.05", linear_head, by_labels("out"), sgd_of, clipped_by_norm
    yield *classes, f"{sgd_text}\n  clip_value = 0.01", linear_head, by_labels("out"), sgd_of, clipped_by_value
    adam = lambda p: torch.optim.Adam(p, lr=0.01)
    text = "optimizer = adam(lr=0.01)\n  clip_norm = 0.05"
    yield *classes, text, linear_head, by_labels("out"), adam, clipped_by_norm
    weights = [0.5, 1, 2, 4, 0.25]
    rules = {
        "label_smoothing=0.1": dict(label_smoothing=0.1),
        f"class_weights={weights}": dict(weight=torch.tensor(weights, dtype=torch.float64)),
        f"label_smoothing=0.2, class_weights={weights}": dict(
            label_smoothing=0.2, weight=torch.tensor(weights, dtype=torch.float64)
        ),
    }
    for text, rule in rules.items():
        loss = lambda made, example, rule=rule: F.cross_entropy(made["out"], example["labels"], **rule)
        yield f"cross_entropy(out, label, {text})", labels, sgd_text, linear_head, loss, sgd_of, None
    for text, rule in {"": {}, ", label_smoothing=0.1": dict(label_smoothing=0.1)}.items():
        yield f"cross_entropy(out, label{text})", f"{labels}  // mixed", sgd_text, linear_head, mixed(rule), sgd_of, None
    for text, make in counting_optimizers().items():
        settings = f"optimizer = {text}\n  clip_norm = 0.05\n  accumulate = 3"
        yield *classes, settings, linear_head, in_slices(3), make, clipped_by_norm
    lamb = lambda p: Lamb(p, lr=0.01, eps=1e-4, weight_decay=0.1)
    text = "optimizer = lamb(lr=0.01, eps=1e-4, weight_decay=0.1)\n  clip_norm = 0.05\n  accumulate = 3"
    yield *classes, text, linear_head, in_slices(3), lamb, clipped_by_norm
    groups = "lr_factors = [(first, 0.1), (*.bias, 2)]\n  no_decay = [*.bias]"
    grouped_sgd = lambda p: torch.optim.SGD(grouped(p, 0.05, 0.1), lr=0.05, momentum=0.9)
    text = f"optimizer = sgd(lr=0.05, momentum=0.9, weight_decay=0.1)\n  {groups}"
    yield *classes, text, linear_head, by_labels("out"), grouped_sgd, None
    grouped_adamw = lambda p: torch.optim.AdamW(grouped(p, 0.01, 0.2), lr=0.01)
    text = f"optimizer = adamw(lr=0.01, weight_decay=0.2)\n  {groups}"
    yield *classes, text, linear_head, by_labels("out"), grouped_adamw, None
    for text, make, clip in ((sgd_text, sgd_of, None), ("optimizer = adam(lr=0.01)\n  clip_norm = 0.05", adam, clipped_by_norm)):
        yield *classes, f"{text}\n  accumulate = 3", linear_head, in_slices(3), make, clip
    averaged_sgd = lambda p: Averaged(sgd_of(p), p, 0.9)
    yield *classes, f"{sgd_text}\n  average = ema(0.9)", linear_head, by_labels("out"), averaged_sgd, None
    every = lambda p: Averaged(sgd_of(p), p, 0.9, every=2)
    yield *classes, f"{sgd_text}\n  average = ema(0.9, every=2)", linear_head, by_labels("out"), every, None
    swa = lambda p: Stochastic(sgd_of(p), p, start=1, every=2)
    text = f"{sgd_text}\n  average = swa(start=1 steps, every=2 steps)"
    yield *classes, text, linear_head, by_labels("out"), swa, None
    thawing = "freeze = [first]\n  unfreeze = after(2 steps, [*.bias]) -> after(4 steps, [first])"
    for text, make in ((sgd_text, sgd_of), ("optimizer = adam(lr=0.01)", adam)):
        yield *classes, f"{text}\n  {thawing}", linear_head, by_labels("out"), lambda p, make=make: Thawing(p, make), None
    by_class = torch.tensor([1, 3, 2.5, 0.5, 2], dtype=torch.float64)
    weighted = by_numbers(partial(F.binary_cross_entropy_with_logits, pos_weight=by_class), "shares")
    text = "bce_with_logits(out, wanted, pos_weight=[1, 3, 2.5, 0.5, 2])"
    yield text, numbers, sgd_text, linear_head, weighted, sgd_of, None
    for text, target, make, loss in joined_losses():
        yield text, target, sgd_text, make, loss, sgd_of, None


def joined_losses():
    """Formulas of classes, and of sums over axes, as PyTorch's users write them."""
    labels, numbers = "target label: u32[N] in 0..5", "target wanted: f32[N, 5]"
    masks = "target mask: u32[N, 6, 6] in 0..3"
    logs = "(out - logsumexp(out, over=channels))"

    def focal(made, example):
        p, t = F.softmax(made["out"], 1), F.one_hot(example["labels"], CLASSES)
        return -(t * (1 - p) ** 2 * torch.log(p)).sum(1).mean()

    text = f"mean(-sum(one_hot(label) * (1 - exp{logs})^2 * {logs}, over=channels))"
    yield text, labels, linear_head, focal
    brier = lambda made, example: F.mse_loss(torch.sigmoid(made["out"]), F.one_hot(example["labels"], CLASSES).double())
    yield "mean((sigmoid(out) - one_hot(label))^2)", labels, linear_head, brier
    cosine = lambda made, example: (1 - F.cosine_similarity(made["out"], example["numbers"])).mean()
    text = "mean(1 - sum(out * wanted, over=channels) / sqrt(sum(out^2, over=channels) * sum(wanted^2, over=channels)))"
    yield text, numbers, linear_head, cosine

    def apart(made, example):
        square = (example["numbers"] * (made["out"] - made["early"]) ** 2).sum(1)
        return (2 - square).clamp(min=0).mean() + 0.3 * F.mse_loss(made["early"], example["numbers"])

    text = "mean(max(2 - sum(wanted * (out - early)^2, over=channels), 0)) + 0.3 * mse(early, wanted)"
    yield text, numbers, two_heads, apart

    def masked(made, example):
        return F.cross_entropy(made["out"], example["masks"], ignore_index=255)

    yield f"mean(-sum(one_hot(mask, ignore=255) * {logs}, over=channels))", masks, image_head, masked

    def dice(made, example):
        p = torch.sigmoid(made["out"])
        t = (example["masks"][:, None] == torch.arange(3)[:, None, None]).double()
        counted = t.sum(1, keepdim=True)
        both, either = (p * t).sum((2, 3)), (p * counted + t).sum((2, 3))
        return (1 - (2 * both + 1) / (either + 1)).mean() + 0.5 * masked(made, example)

    over = "over=[rows, columns]"
    p, t = "sigmoid(out)", "one_hot(mask)"
    either = f"sum({p} * sum({t}, over=channels) + {t}, {over})"
    text = f"mean(1 - (2 * sum({p} * {t}, {over}) + 1) / ({either} + 1)) + 0.5 * cross_entropy(out, mask, ignore=255)"
    yield text, masks, image_head, dice


def counting_optimizers():
    """Those whose steps follow from their number."""
    return {
        "nadam(lr=0.01, weight_decay=0.1, momentum_decay=0.1)": lambda p: Nadam(
            p, lr=0.01, weight_decay=0.1, momentum_decay=0.1
        ),
        "radam(lr=0.01, beta2=0.95, weight_decay=0.1)": lambda p: torch.optim.RAdam(
            p, lr=0.01, betas=(0.9, 0.95), weight_decay=0.1
        ),
    }


class Nadam(torch.optim.Optimizer):
    """torch.optim.NAdam of PyTorch 2: in 1.13, the product for the next step has a momentum twice."""

    def __init__(self, parameters, lr, weight_decay, momentum_decay, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(parameters, dict(lr=lr, decay=weight_decay, psi=momentum_decay, betas=betas, eps=eps))
        self.steps, self.product = 0, 1.0

    @torch.no_grad()
    def step(self):
        self.steps += 1
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            mu, following = (beta1 * (1 - 0.5 * 0.96 ** (t * group["psi"])) for t in (self.steps, self.steps + 1))
            self.product *= mu
            for weight in group["params"]:
                mean = self.state[weight].setdefault("mean", torch.zeros_like(weight))
                square = self.state[weight].setdefault("square", torch.zeros_like(weight))
                gradient = weight.grad + group["decay"] * weight
                mean.mul_(beta1).add_(gradient, alpha=1 - beta1)
                square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
                deviation = (square / (1 - beta2**self.steps)).sqrt() + group["eps"]
                weight.addcdiv_(gradient, deviation, value=-group["lr"] * (1 - mu) / (1 - self.product))
                ahead = -group["lr"] * following / (1 - self.product * following)
                weight.addcdiv_(mean, deviation, value=ahead)


class Lamb(torch.optim.Optimizer):
    """timm.optim.Lamb without its own clipping: parameters without decay are not scaled."""

    def __init__(self, parameters, lr, eps, weight_decay, betas=(0.9, 0.999)):
        super().__init__(parameters, dict(lr=lr, eps=eps, decay=weight_decay, betas=betas))
        self.steps = 0

    @torch.no_grad()
    def step(self):
        self.steps += 1
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for weight in group["params"]:
                mean = self.state[weight].setdefault("mean", torch.zeros_like(weight))
                square = self.state[weight].setdefault("square", torch.zeros_like(weight))
                mean.mul_(beta1).add_(weight.grad, alpha=1 - beta1)
                square.mul_(beta2).addcmul_(weight.grad, weight.grad, value=1 - beta2)
                deviation = square.sqrt() / (1 - beta2**self.steps) ** 0.5 + group["eps"]
                update = mean / (1 - beta1**self.steps) / deviation + group["decay"] * weight
                if group["decay"] != 0:
                    norm, length = weight.norm(2.0), update.norm(2.0)
                    update = update * (norm / length if norm > 0 and length > 0 else 1.0)
                weight -= group["lr"] * update


class Lars(torch.optim.Optimizer):
    """timm.optim.Lars: parameters without decay are not scaled."""

    def __init__(self, parameters, lr, momentum, weight_decay, trust, nesterov=False, eps=1e-8):
        settings = dict(lr=lr, momentum=momentum, decay=weight_decay, trust=trust, nesterov=nesterov, eps=eps)
        super().__init__(parameters, settings)

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for weight in group["params"]:
                gradient, decay = weight.grad, group["decay"]
                if decay != 0:
                    norm, slope = weight.norm(2.0), gradient.norm(2.0)
                    ratio = group["trust"] * norm / (slope + norm * decay + group["eps"])
                    ratio = ratio if norm > 0 and slope > 0 else 1.0
                    gradient = (gradient + decay * weight) * ratio
                velocity = self.state[weight].setdefault("velocity", torch.zeros_like(weight))
                velocity.mul_(group["momentum"]).add_(gradient)
                ahead = gradient + group["momentum"] * velocity if group["nesterov"] else velocity
                weight -= group["lr"] * ahead


class Lion(torch.optim.Optimizer):
    """Algorithm 2 of arXiv:2302.06675."""

    def __init__(self, parameters, lr, betas, weight_decay):
        super().__init__(parameters, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for weight in group["params"]:
                mean = self.state[weight].setdefault("mean", torch.zeros_like(weight))
                direction = torch.sign(beta1 * mean + (1 - beta1) * weight.grad)
                weight -= group["lr"] * (direction + group["weight_decay"] * weight)
                mean.copy_(beta2 * mean + (1 - beta2) * weight.grad)


class Averaged:
    """An optimizer whose weights are followed by PyTorch's average of them."""

    def __init__(self, optimizer, parameters, decay, every=1):
        self.steps, self.every = 0, every
        self.optimizer, self.parameters = optimizer, nn.ParameterList(parameters)
        follow = lambda kept, now, count: decay * kept + (1 - decay) * now
        self.average = torch.optim.swa_utils.AveragedModel(self.parameters, avg_fn=follow)
        # The first time, it copies.
        self.average.update_parameters(self.parameters)

    def zero_grad(self):
        self.optimizer.zero_grad()

    def step(self):
        self.optimizer.step()
        self.steps += 1
        if self.steps % self.every == 0:
            self.average.update_parameters(self.parameters)

    @property
    def weights(self):
        return list(self.average.module)


class Stochastic(Averaged):
    """PyTorch's AveragedModel with its equal weights, updated at the ends of intervals."""

    def __init__(self, optimizer, parameters, start, every):
        super().__init__(optimizer, parameters, 0)
        self.start, self.interval = start, every
        self.average = torch.optim.swa_utils.AveragedModel(self.parameters)

    def step(self):
        self.optimizer.step()
        self.steps += 1
        done = self.steps - self.start
        if done > 0 and done % self.interval == 0:
            self.average.update_parameters(self.parameters)


class Thawing:
    """The head first, then all biases, then all weights: another optimizer for each."""

    def __init__(self, parameters, make):
        first, first_bias, *head = parameters
        self.parameters, self.make, self.steps = parameters, make, 0
        self.phases = {0: head, 2: [first_bias, *head], 4: parameters}

    def zero_grad(self):
        for each in self.parameters:
            each.grad = None

    def step(self):
        if self.steps in self.phases:
            self.optimizer = self.make(self.phases[self.steps])
        self.optimizer.step()
        self.steps += 1


def grouped(parameters, rate, decay):
    """The groups of PyTorch for `first` a tenth as fast and biases twice as fast, these without decay."""
    first, first_bias, head, head_bias = parameters
    biases = {"params": [first_bias, head_bias], "lr": 2 * rate, "weight_decay": 0}
    return [{"params": [first], "lr": 0.1 * rate, "weight_decay": decay}, {"params": [head], "weight_decay": decay}, biases]


def in_slices(count):
    """The mean loss as the sum of its slices' shares."""

    def loss(made, example):
        labels = example["labels"]
        slices = zip(made["out"].chunk(count), labels.chunk(count))
        return sum(F.cross_entropy(out, label) * len(label) / len(labels) for out, label in slices)

    return loss


def mixed(rule):
    """The loss of images that are mixtures of two, each with its share."""

    def loss(made, example):
        first, second = (F.cross_entropy(made["out"], example[key], reduction="none", **rule) for key in ("labels", "partners"))
        shares = example["mixture"]
        return (shares * first + (1 - shares) * second).mean()

    return loss


def recipes():
    return [recipe(index, *case) for index, case in enumerate(recipe_cases())]


def masks_of(name, examples):
    """Classes of 6 x 6 pixels, a quarter of which have none."""
    labels = labels_of(name, examples * 36, 3)
    labels[1::4] = 255
    return labels.reshape(examples, 6, 6)


def recipe(index, loss_text, target, settings, make, loss_of, optimizer_of, clip):
    name = f"recipe/{index}"
    network = make().double()
    load_parameters(network, name)
    shape = (3, 3, 6, 6)
    example = {
        "images": images_of(f"{name}/images", shape),
        "labels": labels_of(f"{name}/labels", 3, CLASSES),
        "masks": masks_of(f"{name}/masks", 3),
        "partners": labels_of(f"{name}/partners", 3, CLASSES),
        "mixture": images_of(f"{name}/mixture", (3,)).abs(),
        "numbers": images_of(f"{name}/targets", (3, CLASSES)),
        "shares": images_of(f"{name}/targets", (3, CLASSES)).abs(),
        "pictures": images_of(f"{name}/targets", shape),
    }
    parameters = list(network.parameters())
    optimizer = optimizer_of(parameters)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(network(example["images"]), example)
        loss.backward()
        if clip:
            clip(parameters)
        losses.append(float(loss))
        optimizer.step()
    trained = zip(dict(network.named_parameters()), getattr(optimizer, "weights", parameters))
    trained = {key: value.detach() for key, value in trained}
    moved = {
        key: float((value - parameter(f"{name}/{key}", value.shape)).norm() / value.norm())
        for key, value in trained.items()
    }
    print(f"{loss_text} {settings!r}: losses {[round(x, 4) for x in losses]}, moved {max(moved.values()):.0e}")
    weights = {key: summary(value) for key, value in trained.items()}
    head = {"name": name, "loss": loss_text, "target": target, "settings": settings}
    return {**head, "losses": losses, "weights": weights, "moved": moved}


# Means over what the classes of the examples weigh, of all examples at once


def class_weights():
    """Losses and weights of a few steps on 18 examples, and the loss of an evaluation before them."""
    rare, other = [10, 1, 0.1], [1, 2, 3]
    weighted = f"cross_entropy(out, label, class_weights={rare})"
    both = f"{weighted} + 0.3 * cross_entropy(early, label, class_weights={other})"
    one = {"out": (1, dict(weight=rare))}
    smooth = {"out": (1, dict(weight=rare, label_smoothing=0.1))}
    two = {"out": (1, dict(weight=rare)), "early": (0.3, dict(weight=other))}
    uneven = {"out": (0.5, dict(weight=rare)), "early": (1, {})}
    cases = [
        (weighted, one, False),
        (f"cross_entropy(out, label, label_smoothing=0.1, class_weights={rare})", smooth, False),
        (both, two, False),
        (f"{weighted} / 2 + cross_entropy(early, label)", uneven, False),
        (weighted, one, True),
        (both, two, True),
    ]
    return [class_weights_case(*case) for case in cases]


def class_weights_case(text, terms, is_mixed):
    name, count, classes = "class weights", 18, 3
    network = Recipe(out=Flat(4 * 16, classes), early=Flat(4 * 16, classes))
    network.first = nn.Conv2d(2, 4, 3, padding=1)
    network = network.double()
    load_parameters(network, name)
    images = images_of(f"{name}/images", (count, 2, 4, 4))
    labels, partners = (labels_of(f"{name}/{kind}", count, classes) for kind in ("labels", "partners"))
    shares = images_of(f"{name}/shares", (count,)).abs()

    def loss_of(made, mixed):
        return sum(factor * mean_of(made[head], mixed, **rule) for head, (factor, rule) in terms.items())

    def mean_of(logits, mixed, weight=None, label_smoothing=0.0):
        weight = torch.tensor(weight or [1.0] * classes, dtype=torch.float64)
        rule = dict(weight=weight, label_smoothing=label_smoothing)
        if not mixed:
            return F.cross_entropy(logits, labels, **rule)
        each = lambda of: F.cross_entropy(logits, of, reduction="none", **rule) / weight[of].sum()
        return (shares * each(labels) + (1 - shares) * each(partners)).sum()

    with torch.no_grad():
        evaluation = float(loss_of(network(images), False))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5, momentum=0.9)
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(network(images), is_mixed)
        loss.backward()
        losses.append(float(loss))
        optimizer.step()
    print(f"{text} {is_mixed}: evaluation {evaluation:.5f}, losses {[round(x, 4) for x in losses]}")
    trained = {key: value.detach() for key, value in network.named_parameters() if value.grad is not None}
    weights = {key: summary(value) for key, value in trained.items()}
    return {"loss": text, "mixed": is_mixed, "evaluation": evaluation, "losses": losses, "weights": weights}


# Two inputs, a shared tower and two targets


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.tower = nn.ModuleDict({
            "conv1": nn.Conv2d(3, 6, 3, padding=1),
            "batchnorm1": nn.BatchNorm2d(6),
            "conv2": nn.Conv2d(6, 6, 3, padding=1),
            "linear1": nn.Linear(6 * 36, 8),
        })
        self.logits = nn.Linear(16, 3)
        self.moved = nn.Linear(16, 2)

    def apply_tower(self, x):
        tower = self.tower
        x = F.max_pool2d(F.relu(tower["batchnorm1"](tower["conv1"](x))), 2)
        x = F.relu(tower["conv2"](x) + x)
        return tower["linear1"](x.flatten(1))

    def forward(self, left, right):
        a, b = self.apply_tower(left), self.apply_tower(right)
        both = F.relu(torch.cat([b, a], 1))
        return self.logits(both), self.moved(both)


def siamese():
    """Losses, the first step's gradients, and weights and statistics after a few steps."""
    count = 4
    network = Siamese().double()
    load_parameters(network, "siamese")
    left, right = (images_of(f"siamese/{side}", (count, 3, 12, 12)) for side in ("left", "right"))
    kinds = labels_of("siamese/kind", count, 3)
    shifts = images_of("siamese/shift", (count, 2))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    losses, gradients, outputs = [], {}, {}
    for step in range(3):
        optimizer.zero_grad(set_to_none=True)
        logits, moved = network(left, right)
        loss = F.cross_entropy(logits, kinds) + 0.5 * F.mse_loss(moved, shifts)
        loss.backward()
        losses.append(float(loss))
        if step == 0:
            gradients = {name: summary(value.grad) for name, value in network.named_parameters()}
        optimizer.step()
    network.eval()
    with torch.no_grad():
        logits, moved = network(left, right)
    outputs = {"logits": summary(logits), "moved": summary(moved)}
    state = {name: summary(value) for name, value in network.state_dict().items() if "num_batches" not in name}
    print(f"siamese: losses {[round(x, 4) for x in losses]}")
    return {"losses": losses, "gradients": gradients, "state": state, "outputs": outputs}


# The mean of weights, and batch normalization measured for it


class Remeasured(nn.Module):
    """The network of test/parity/swa.test.ts. A convolution and its normalization are used twice."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 5, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(5)
        self.again = nn.ModuleDict({
            "conv2": nn.Conv2d(5, 5, 3, padding=1, bias=False),
            "bn2": nn.BatchNorm2d(5, momentum=0.3),
        })
        self.fc1 = nn.Linear(5 * 6, 7, bias=False)
        self.bn3 = nn.BatchNorm1d(7)
        self.logits = nn.Linear(7, 4)

    def forward(self, x):
        x = torch.tanh(self.bn1(self.conv1(x)))
        for _ in range(2):
            x = torch.tanh(self.again["bn2"](self.again["conv2"](x)))
        return self.logits(torch.tanh(self.bn3(self.fc1(F.avg_pool2d(x, 2).flatten(1)))))


def swa():
    """AveragedModel after two intervals, with update_bn over the batches."""
    counts, pixels = (6, 6, 3), (3, 6, 4)
    batches = [(images_of(f"swa/{i}", (n, *pixels)), labels_of(f"swa/labels{i}", n, 4)) for i, n in enumerate(counts)]
    network = Remeasured().double()
    load_parameters(network, "swa")
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
    mean = torch.optim.swa_utils.AveragedModel(network)
    for step in range(9):
        images, labels = batches[step % 3]
        optimizer.zero_grad()
        F.cross_entropy(network(images), labels).backward()
        optimizer.step()
        if step + 1 > 4 and (step + 1 - 4) % 2 == 0:
            mean.update_parameters(network)
    torch.optim.swa_utils.update_bn(batches, mean)
    mean.eval()
    with torch.no_grad():
        logits = mean(batches[0][0])
    state = {name: summary(value) for name, value in mean.module.state_dict().items() if "num_batches" not in name}
    return {"state": state, "logits": summary(logits)}


# A generator and a discriminator


def threefry(key, counter):
    """Threefry-2x32 with 20 rounds, as program/random.ts; pairs of arrays of u32."""
    keys = [np.uint32(key[0]), np.uint32(key[1])]
    keys.append(keys[0] ^ keys[1] ^ np.uint32(0x1BD11BDA))
    with np.errstate(over="ignore"):
        x, y = counter[0] + keys[0], counter[1] + keys[1]
        for place in range(20):
            turn = np.uint32((13, 15, 26, 6, 17, 29, 16, 24)[place % 8])
            x = x + y
            y = ((y << turn) | (y >> (np.uint32(32) - turn))) ^ x
            if place % 4 == 3:
                injection = (place + 1) // 4
                x = x + keys[injection % 3]
                y = y + keys[(injection + 1) % 3] + np.uint32(injection)
    return x, y


def noise_of(seed, stream, step, shape):
    """Normal noise of an input, as the device draws it in a step of training."""
    places = np.arange(math.prod(shape), dtype=np.uint32)
    x, y = threefry((seed, stream), (places, np.full_like(places, step)))
    u, v = (word.astype(np.float64) // 256 / 16777216 for word in (x, y))
    drawn = np.sqrt(-2 * np.log(1 - u)) * np.cos(6.2831853 * v)
    return torch.from_numpy(drawn).reshape(shape)


class Generator(nn.Module):
    """The networks of test/ports/gan.ts."""

    def __init__(self):
        super().__init__()
        self.linear1 = nn.Linear(6, 128, bias=False)
        self.batchnorm1 = nn.BatchNorm2d(8)
        self.conv_transpose1 = nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1)

    def forward(self, z):
        x = F.relu(self.batchnorm1(self.linear1(z).reshape(-1, 8, 4, 4)))
        return torch.tanh(self.conv_transpose1(x))


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, stride=2, padding=1, bias=False)
        self.batchnorm1 = nn.BatchNorm2d(8)
        self.linear1 = nn.Linear(128, 1)

    def forward(self, x):
        return self.linear1(F.leaky_relu(self.batchnorm1(self.conv1(x)), 0.2).flatten(1))


class Gan(nn.Module):
    def __init__(self):
        super().__init__()
        self.generator, self.discriminator = Generator(), Discriminator()


def gan():
    """Losses before each update, weights and statistics after three steps, and samples."""
    count = 8
    network = Gan().double()
    load_parameters(network, "gan")
    generator, discriminator = network.generator, network.discriminator
    images = images_of("gan/images", (count, 1, 8, 8))
    rules = [torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.5, 0.999)),
             torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.99))]
    losses = []
    for step in range(3):
        z = noise_of(3, 1, step, (count, 6))
        for rule, trained in zip(rules, (discriminator, generator)):
            for each in (generator, discriminator):
                each.batchnorm1.momentum = 0.1 if each is trained else 0.0
            rule.zero_grad(set_to_none=True)
            fake = discriminator(generator(z))
            if trained is discriminator:
                loss = F.softplus(fake).mean() + F.softplus(-discriminator(images)).mean()
            else:
                loss = F.softplus(-fake).mean()
            loss.backward()
            rule.step()
            losses.append(float(loss))
    network.eval()
    with torch.no_grad():
        sample = network.generator(images_of("gan/z", (count, 6)))
    state = {name: summary(value) for name, value in network.state_dict().items() if "num_batches" not in name}
    print(f"gan: losses {[round(x, 4) for x in losses]}")
    return {"losses": losses, "state": state, "sample": summary(sample)}


# Masks


class Masked(nn.Module):
    """The network of test/runtime/masks.test.ts."""

    def __init__(self, classes):
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.out = nn.Conv2d(4, classes, 1)

    def forward(self, x):
        return self.out(torch.tanh(self.first(x)))


def masks():
    """A class for each pixel: losses before each step, and metrics and weights after them."""
    examples, classes, size = 7, 5, (6, 9)
    images = images_of("masks/images", (examples, 2, *size))
    labels = labels_of("masks/labels", examples * size[0] * size[1], classes + 1)
    labels = labels.reshape(examples, *size)
    labels[labels == classes] = 255
    labels[3] = 255
    weights = [1.0, 2.5, 0.5, 1.0, 3.0]
    weight = torch.tensor(weights, dtype=torch.float64)
    rules = {
        "": {},
        ", label_smoothing=0.1": dict(label_smoothing=0.1),
        f", class_weights={weights}": dict(weight=weight),
        f", label_smoothing=0.2, class_weights={weights}": dict(label_smoothing=0.2, weight=weight),
    }
    def cross_entropy(logits, **rule):
        return F.cross_entropy(logits, labels, ignore_index=255, **rule)

    def focal(logits, gamma, weight=torch.ones(classes, dtype=torch.float64)):
        """The weighted mean of torchvision's (1 - p)^gamma * ce, with a softmax."""
        probability = logits.softmax(1).gather(1, labels.clamp(max=classes - 1)[:, None])[:, 0]
        losses = (1 - probability) ** gamma * F.cross_entropy(logits, labels, ignore_index=255, reduction="none", weight=weight)
        return losses.sum() / weight[labels[labels != 255]].sum()

    def dice(logits, smooth):
        """MONAI's MaskedDiceLoss with softmax and one-hot labels: a mean over examples and classes."""
        kept = (labels != 255)[:, None]
        wanted = F.one_hot(labels.clamp(max=classes - 1), classes).permute(0, 3, 1, 2) * kept
        predicted = logits.softmax(1) * kept
        both, either = ((each).sum((2, 3)) for each in (predicted * wanted, predicted + wanted))
        return (1 - (2 * both + smooth) / (either + smooth)).mean()

    made = []
    losses_of = {f"cross_entropy(out, mask{text}, ignore=255)": partial(cross_entropy, **rule) for text, rule in rules.items()}
    losses_of["focal(out, mask, ignore=255)"] = partial(focal, gamma=2)
    losses_of[f"focal(out, mask, gamma=1.5, class_weights={weights}, ignore=255)"] = partial(focal, gamma=1.5, weight=weight)
    losses_of["dice(out, mask, ignore=255)"] = partial(dice, smooth=1e-5)
    losses_of["cross_entropy(out, mask, ignore=255) + 0.5 * dice(out, mask, smooth=1, ignore=255)"] = (
        lambda logits: cross_entropy(logits) + 0.5 * dice(logits, smooth=1)
    )
    for text, loss_of in losses_of.items():
        network = Masked(classes).double()
        load_parameters(network, "masks")
        optimizer = torch.optim.SGD(network.parameters(), lr=0.5, momentum=0.9)
        losses = []
        for _ in range(3):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(network(images))
            loss.backward()
            losses.append(float(loss))
            optimizer.step()
        with torch.no_grad():
            logits = network(images)
            loss = float(loss_of(logits))
        kept = labels != 255
        predicted, wanted = logits.argmax(1)[kept], labels[kept]
        ious = [
            ((predicted == c) & (wanted == c)).sum() / ((predicted == c) | (wanted == c)).sum()
            for c in range(classes)
        ]
        state = {name: summary(value) for name, value in network.state_dict().items()}
        made.append(
            {
                "loss": text,
                "losses": losses,
                "evaluation": loss,
                "miou": float(sum(ious) / classes),
                "accuracy": float((predicted == wanted).double().mean()),
                "weights": state,
            }
        )
    return made


class Language(nn.Module):
    """The network of test/runtime/token-targets.test.ts."""

    def __init__(self, vocabulary, width, classes):
        super().__init__()
        self.rows = nn.Embedding(vocabulary, width)
        self.mixed = nn.MultiheadAttention(width, 2, batch_first=True)
        self.out = nn.Linear(width, classes)

    def forward(self, x):
        y = self.rows(x)
        mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        return self.out(y + self.mixed(y, y, y, need_weights=False, attn_mask=mask)[0])


def token_targets():
    """A class for each token: losses before each step, and metrics and weights after them."""
    return [*token_losses(255), *token_losses(2)]


def token_losses(ignore):
    """Where tokens with this label do not count, which may be one of the classes."""
    examples, vocabulary, classes, length = 7, 9, 5, 11
    words_of = labels_of("tokens/words", examples * length, vocabulary).reshape(examples, length)
    labels = labels_of("tokens/labels", examples * length, classes + 1).reshape(examples, length)
    labels[labels == classes] = ignore
    labels[3] = ignore
    kept = labels != ignore
    weights = [1.0, 2.5, 0.5, 1.0, 3.0]
    weight = torch.tensor(weights, dtype=torch.float64)

    def cross_entropy(logits, **rule):
        return F.cross_entropy(logits.transpose(1, 2), labels, ignore_index=ignore, **rule)

    def focal(logits, gamma):
        known = labels.clamp(max=classes - 1)
        probability = logits.softmax(2).gather(2, known[..., None])[..., 0]
        losses = F.cross_entropy(logits.transpose(1, 2), labels, ignore_index=ignore, reduction="none")
        return ((1 - probability) ** gamma * losses).sum() / kept.sum()

    def dice(logits, smooth):
        wanted = F.one_hot(labels.clamp(max=classes - 1), classes) * kept[..., None]
        predicted = logits.softmax(2) * kept[..., None]
        both, either = (each.sum(1) for each in (predicted * wanted, predicted + wanted))
        return (1 - (2 * both + smooth) / (either + smooth)).mean()

    def squares(logits):
        wanted = F.one_hot(labels.clamp(max=classes - 1), classes)
        return ((logits - wanted) ** 2).mean(2)[kept].mean()

    rules = {
        "": {},
        ", label_smoothing=0.1": dict(label_smoothing=0.1),
        f", class_weights={weights}": dict(weight=weight),
        f", label_smoothing=0.2, class_weights={weights}": dict(label_smoothing=0.2, weight=weight),
    }
    losses_of = {f"cross_entropy(out, next{text}, ignore={ignore})": partial(cross_entropy, **rule) for text, rule in rules.items()}
    losses_of[f"focal(out, next, ignore={ignore})"] = partial(focal, gamma=2)
    losses_of[f"dice(out, next, ignore={ignore})"] = partial(dice, smooth=1e-5)
    losses_of[f"cross_entropy(out, next, ignore={ignore}) + 0.5 * dice(out, next, smooth=1, ignore={ignore})"] = (
        lambda logits: cross_entropy(logits) + 0.5 * dice(logits, smooth=1)
    )
    losses_of[f"mean((out - one_hot(next, ignore={ignore}))^2)"] = squares
    made = []
    for text, loss_of in losses_of.items():
        network = Language(vocabulary, 8, classes).double()
        load_parameters(network, "tokens")
        optimizer = torch.optim.SGD(network.parameters(), lr=0.3, momentum=0.9)
        losses = []
        for _ in range(3):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(network(words_of))
            loss.backward()
            losses.append(float(loss))
            optimizer.step()
        with torch.no_grad():
            logits = network(words_of)
            loss = float(loss_of(logits))
            perplexity = float(torch.exp(cross_entropy(logits)))
        top = logits.topk(2).indices[kept] == labels[kept][:, None]
        top1, top2 = (float(top[:, :k].any(1).double().mean()) for k in (1, 2))
        state = {name: summary(value) for name, value in network.state_dict().items()}
        made.append(
            {
                "loss": text,
                "ignore": ignore,
                "losses": losses,
                "evaluation": loss,
                "accuracy": top1,
                "top2": top2,
                "perplexity": perplexity,
                "weights": state,
            }
        )
    return made


def boxes():
    """YOLO's loss of a grid of boxes: losses before each step, and weights after them."""
    examples, classes, most, (height, width) = 7, 3, 5, (4, 6)
    images = images_of("masks/images", (examples, 2, height, width))
    shares = uniform("boxes/shares", examples * most * 4, 1).reshape(examples, most, 4)
    shares = torch.from_numpy(np.abs(shares)).double()
    labels = labels_of("boxes/labels", examples * most, classes + 1).reshape(examples, most) - 1
    labels[3] = -1

    def loss_of(out, coord, noobj):
        """The grid of what is wanted is filled from the last box to the first, which stays."""
        wanted = torch.zeros(examples, height, width, 5, dtype=torch.float64)
        has_box = torch.zeros(examples, height, width, dtype=torch.bool)
        for n in range(examples):
            for b in reversed(range(most)):
                if labels[n, b] < 0:
                    continue
                x, y, w, h = shares[n, b]
                right, down = x * width, y * height
                row, column = int(down), int(right)
                box = [right - column, down - row, w, h, labels[n, b]]
                wanted[n, row, column] = torch.tensor(box, dtype=torch.float64)
                has_box[n, row, column] = True
        cells = out.permute(0, 2, 3, 1)
        object_loss = F.binary_cross_entropy_with_logits(cells[..., 4], has_box.double(), reduction="none")
        none = noobj * object_loss[~has_box].sum()
        given, wanted = cells[has_box], wanted[has_box]
        place = F.mse_loss(given[:, :2].sigmoid(), wanted[:, :2], reduction="sum")
        size = F.mse_loss(given[:, 2:4].sigmoid().sqrt(), wanted[:, 2:4].sqrt(), reduction="sum")
        kind = F.cross_entropy(given[:, 5:], wanted[:, 4].long(), reduction="sum")
        return (coord * (place + size) + object_loss[has_box].sum() + kind + none) / examples

    made = []
    for text, rule in (("", (5, 0.5)), (", coord=2, noobj=1.5", (2, 1.5))):
        network = Masked(5 + classes).double()
        load_parameters(network, "masks")
        optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9)
        losses = []
        for _ in range(3):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(network(images), *rule)
            loss.backward()
            losses.append(float(loss))
            optimizer.step()
        with torch.no_grad():
            loss = float(loss_of(network(images), *rule))
        weights = {name: summary(value) for name, value in network.state_dict().items()}
        made.append({"loss": f"yolo(out, boxes{text})", "losses": losses, "evaluation": loss, "weights": weights})
    return made


class Double(nn.Module):
    def __init__(self, inputs, width):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))))


class Up(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv_transpose1 = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.double1 = Double(2 * width, width)

    def forward(self, x, skip):
        return self.double1(torch.cat([self.conv_transpose1(x), skip], 1))


class UNet(nn.Module):
    """U-Net with padding (arXiv:1505.04597), by the names of specs/unet.net."""

    def __init__(self, classes, width):
        super().__init__()
        self.level1 = Double(3, width)
        self.level2 = Double(width, 2 * width)
        self.level3 = Double(2 * width, 4 * width)
        self.level4 = Double(4 * width, 8 * width)
        self.bottom = Double(8 * width, 16 * width)
        self.up4, self.up3, self.up2, self.up1 = (Up(scale * width) for scale in (8, 4, 2, 1))
        self.logits = nn.Conv2d(width, classes, 1)

    def forward(self, x):
        level1 = self.level1(x)
        level2 = self.level2(F.max_pool2d(level1, 2))
        level3 = self.level3(F.max_pool2d(level2, 2))
        level4 = self.level4(F.max_pool2d(level3, 2))
        x = self.bottom(F.max_pool2d(level4, 2))
        skips = (level4, level3, level2, level1)
        for up, skip in zip((self.up4, self.up3, self.up2, self.up1), skips):
            x = up(x, skip)
        return self.logits(x)


def unet():
    """Parameters of the whole U-Net, and logits of a narrow one."""
    parameters = sum(value.numel() for value in UNet(21, 64).parameters())
    network = UNet(5, 4).double()
    load_parameters(network, "unet")
    with torch.no_grad():
        logits = network(images_of("unet/images", (2, 3, 32, 48)))
    return {"parameters": parameters, "logits": summary(logits)}


class SegNet(nn.Module):
    """SegNet (arXiv:1511.00561) of two levels, by the names of test/parity/segnet.test.ts."""

    def __init__(self):
        super().__init__()
        self.down1, self.down2 = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 10, 3, padding=1)
        self.up2, self.up1 = nn.Conv2d(10, 6, 3, padding=1), nn.Conv2d(6, 5, 3, padding=1)

    def forward(self, x):
        x, places1 = F.max_pool2d(F.relu(self.down1(x)), 2, return_indices=True)
        x, places2 = F.max_pool2d(F.relu(self.down2(x)), 2, return_indices=True)
        x = F.relu(self.up2(F.max_unpool2d(x, places2, 2)))
        return self.up1(F.max_unpool2d(x, places1, 2))


def segnet():
    """Logits, a loss, and what one step of gradient descent makes of the weights."""
    network = SegNet().double()
    load_parameters(network, "segnet")
    images = images_of("segnet/images", (2, 3, 16, 12))
    labels = labels_of("segnet/labels", 2 * 16 * 12, 5).view(2, 16, 12)
    logits = network(images)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    with torch.no_grad():
        moved = {name: summary(value - 0.5 * value.grad) for name, value in network.named_parameters()}
    return {"logits": summary(logits.detach()), "loss": loss.item(), "weights": moved}


# What layers make of images, and Grad-CAM


class Seen(nn.Module):
    """The network of test/runtime/inside.test.ts, by the names of its layers there."""

    def __init__(self):
        super().__init__()
        self.stem = nn.ModuleDict(
            {
                "conv1": nn.Conv2d(3, 8, 3, padding=1, bias=False),
                "bn1": nn.BatchNorm2d(8),
                "relu1": nn.ReLU(),
                "pool1": nn.MaxPool2d(2),
            }
        )
        self.body = nn.ModuleDict({"conv2": nn.Conv2d(8, 8, 3, padding=1), "relu2": nn.ReLU()})
        self.head = nn.ModuleDict(
            {
                "conv3": nn.Conv2d(8, 10, 3),
                "relu3": nn.ReLU(),
                "flat": nn.Flatten(),
                "drop": nn.Dropout(0.5),
                "logits": nn.Linear(360, 5),
            }
        )

    def forward(self, x):
        for layer in self.stem.values():
            x = layer(x)
        y = x
        for layer in self.body.values():
            y = layer(y)
        x = x + y
        for layer in self.head.values():
            x = layer(x)
        return x


def grad_cam(values, gradient):
    """Equations 1 and 2 of Selvaraju et al., 2017, for one image."""
    weights = gradient.mean(dim=(1, 2), keepdim=True)
    return (weights * values).sum(dim=0).relu()


def seen_inside(network, images, names, classes):
    """Values by forward hooks, and maps of classes (None: the most probable) by layer."""
    kept = {}

    def keep(name):
        def hook(_, __, output):
            kept[name] = output
            if output.requires_grad:
                output.retain_grad()

        return hook

    modules = dict(network.named_modules())
    for name in names:
        modules[name].register_forward_hook(keep(name))
    network.eval()
    maps = {}
    for chosen in classes:
        network.zero_grad()
        logits = network(images)
        index = logits.argmax(dim=1) if chosen is None else torch.full((len(images),), chosen)
        logits.gather(1, index[:, None]).sum().backward()
        maps[str(chosen)] = {
            name: [summary(grad_cam(value[n].detach(), value.grad[n])) for n in range(len(images))]
            for name, value in kept.items()
            if value.dim() == 4
        }
    values = {name: summary(value.detach()) for name, value in kept.items()}
    return {"activations": values, "maps": maps, "top": logits.argmax(dim=1).tolist()}


def inside():
    network = Seen().double()
    load_parameters(network, "inside")
    names = [name for name, module in network.named_modules() if "." in name]
    return seen_inside(network, images_of("inside/images", (2, 3, 16, 16)), names, [None, 1])


def inside_torchvision():
    """ResNet-18: values with fused batch normalization, and maps over residual blocks."""
    model = torchvision_model("resnet18").double()
    fill("resnet18", model)
    # Not before: in float32, a few of the ReLUs and maxima between fall on the other side.
    names = ["layer2.0.conv1", "layer4.1.conv2", "layer4.1", "avgpool"]
    return seen_inside(model, images_of("resnet18/images", (1, 3, 224, 224)), names, [None, 7])


# torchvision's networks, whose logits the shipped specs must have


def torchvision_models():
    """Logits of two images, with weights keyed by their place in the order of the layers."""
    from torchvision import models

    makers = {
        "alexnet": models.alexnet,
        "vgg11": models.vgg11,
        "vgg16": models.vgg16,
        "vgg19": models.vgg19,
        "resnet18": models.resnet18,
        "resnet34": models.resnet34,
        "resnet50": models.resnet50,
        "squeezenet1_1": models.squeezenet1_1,
        "mobilenet_v2": models.mobilenet_v2,
        "densenet121": models.densenet121,
        "mobilenet_v3_small": models.mobilenet_v3_small,
        "shufflenet_v2_x1_0": models.shufflenet_v2_x1_0,
        "efficientnet_b0": models.efficientnet_b0,
        "googlenet": lambda weights: models.googlenet(weights=weights, init_weights=False),
    }
    return [torchvision_case(name, make(weights=None).double().eval()) for name, make in makers.items()]


def torchvision_transformers():
    """The same of networks of tokens."""
    from torchvision import models

    makers = {
        "vit_b_16": models.vit_b_16,
        "swin_t": models.swin_t,
        "convnext_tiny": models.convnext_tiny,
        "mlp_mixer": lambda weights: Mixer(),
    }
    return [torchvision_case(name, make(weights=None).double().eval()) for name, make in makers.items()]


class MixerLayer(nn.Module):
    """Two residual perceptrons: over the tokens of each channel, and over the channels of each token."""

    def __init__(self, tokens, width):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.tokens = perceptron(tokens, width // 2)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.channels = perceptron(width, 4 * width)

    def forward(self, x):
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.channels(self.norm2(x))


def perceptron(size, hidden):
    return nn.Sequential(nn.Linear(size, hidden), nn.GELU(), nn.Linear(hidden, size))


class Mixer(nn.Module):
    """MLP-Mixer-S/16 (Tolstikhin et al., arXiv:2105.01601), with timm's eps of layer normalization."""

    def __init__(self, width=512, depth=8, classes=1000):
        super().__init__()
        self.stem = Patches(3, width, 16, 16)
        self.blocks = nn.Sequential(*(MixerLayer(14 * 14, width) for _ in range(depth)))
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        return self.head(self.norm(self.blocks(self.stem(x))).mean(1))


def torchvision_segmentation():
    """The same of a class for each pixel, of one image."""
    sizes = {"fcn_resnet50": 96, "deeplabv3_resnet50": 312}
    return [{**torchvision_case(name, torchvision_model(name).double(), (1, 3, size, size)), "size": size} for name, size in sizes.items()]


def torchvision_case(name, model, shape=(BATCH, 3, 224, 224)):
    tensors = fill(name, model)
    with torch.no_grad():
        logits = model(images_of(f"{name}/images", shape))
    # Networks of pixels have a second output, for training.
    logits = logits["out"] if isinstance(logits, dict) else logits
    count = sum(value.numel() for value in model.parameters())
    print(f"{name}: {count} parameters, logits {logits.norm():.3g}", flush=True)
    return {"name": name, "parameters": count, "tensors": tensors, "logits": summary(logits)}


def fill(name, model):
    """Weights keyed by their place in the spec's order. Returns how many tensors there are."""
    tensors = [item for item in model.state_dict().items() if not item[0].endswith(COUNTS)]
    tensors = in_order_of_use(tensors)
    # GoogLeNet's early classifiers are at the end of the spec.
    tensors.sort(key=lambda item: item[0].startswith("aux"))
    with torch.no_grad():
        for index, (key, value) in enumerate(tensors):
            is_scale = key.endswith("layer_scale")
            # Class tokens and positions of transformers have an axis for the batch.
            shape = value.shape[:1] if is_scale else value.shape[1:] if value.dim() == 3 else value.shape
            kind = "weight" if is_scale else key.split(".")[-1]
            values = parameter(f"{name}/{index}.{kind}", shape)
            value.copy_(values.reshape(value.shape))
    return len(tensors)


# Integers, not weights.
COUNTS = ("num_batches_tracked", "relative_position_index")


def in_order_of_use(tensors):
    """ConvNeXt's scales and Swin's reductions are defined first in their blocks, and used last."""
    result, late, block = [], [], None
    for key, value in tensors:
        if block is not None and not key.startswith(block):
            result, late, block = result + late, [], None
        found = re.fullmatch(r"(features\.\d+\.(?:\d+\.)?)(layer_scale|reduction\.weight)", key)
        if found:
            late, block = [(key, value)], found[1]
        else:
            result.append((key, value))
    return result + late


def torchvision_model(name):
    from torchvision import models

    if "_resnet" in name:
        make = getattr(models.segmentation, name)
        return make(weights=None, weights_backbone=None, aux_loss=True).eval()
    options = {"init_weights": False} if name == "googlenet" else {}
    return getattr(models, name)(weights=None, **options).eval()


def torchvision_names():
    """Names of the layers that have weights, in torchvision's order; of shipped specs and their kin."""
    kin = "swin_t vgg13 vgg11_bn vgg13_bn vgg16_bn vgg19_bn resnet101 resnet152 squeezenet1_0 densenet169 densenet201 fcn_resnet50 deeplabv3_resnet50"
    cases = json.loads((HERE / "expected" / "torchvision.json").read_text())
    names = sorted([case["name"] for case in cases] + kin.split())
    layers = {name: [key.rpartition(".")[0] for key in torchvision_model(name).state_dict()] for name in names}
    return {name: " ".join(dict.fromkeys(found)) for name, found in layers.items()}


def save_torchvision(name, path):
    """Writes a state_dict, as users of torchvision save it, with the weights of the case of that name."""
    model = torchvision_model(name)
    fill(name, model)
    torch.save(model.state_dict(), path)


SPECIAL = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 2.5, -2.5, 1e-15, -1e-15, 1e15, -1e15, 100, -100, 17, -17]
SECOND = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1, -1, 0.5, -2, -2.5, 3]


def special_cases():
    """Functions of formulas and activations, as test/kernels/special-values.test.ts names them."""
    half = torch.tensor(0.5, dtype=torch.float32)
    of_one = {
        "exp(x)": torch.exp,
        "expm1(x)": torch.expm1,
        "log(x)": torch.log,
        "sqrt(x)": torch.sqrt,
        "abs(x)": torch.abs,
        "normal_cdf(x)": torch.special.ndtr,
        "positive(x)": lambda x: (x > 0).float(),
        "isnan(x)": lambda x: x.isnan().float(),
        **{f"x ^ {power:g}": (lambda x, power=power: x**power) for power in (1.5, -1.5, 0.5, 3, -3, 17, 0.7)},
        "2 ^ x": lambda x: 2**x,
        "0.5 ^ x": lambda x: 0.5**x,
        "1 / x": lambda x: 1 / x,
        "relu": F.relu,
        "leaky_relu": F.leaky_relu,
        "leaky_relu(0.2)": lambda x: F.leaky_relu(x, 0.2),
        "relu6": F.relu6,
        "elu": F.elu,
        "elu(0.5)": lambda x: F.elu(x, 0.5),
        "selu": F.selu,
        "celu(0.5)": lambda x: F.celu(x, 0.5),
        "gelu": F.gelu,
        "gelu(approximate=tanh)": lambda x: F.gelu(x, approximate="tanh"),
        "silu": F.silu,
        "mish": F.mish,
        "hardswish": F.hardswish,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "softplus": F.softplus,
        "softplus(2)": lambda x: F.softplus(x, 2),
        "softplus(2, threshold=1)": lambda x: F.softplus(x, 2, 1),
        "softsign": F.softsign,
        # F.softshrink makes 0 of NaN; netc keeps it.
        "softshrink(0.3)": lambda x: torch.where(x.isnan(), x, F.softshrink(x, 0.3)),
        "hardshrink(0.3)": lambda x: F.hardshrink(x, 0.3),
        "threshold(0.1, -2)": lambda x: F.threshold(x, 0.1, -2),
        "logsigmoid": F.logsigmoid,
        "hardsigmoid": F.hardsigmoid,
        "hardsigmoid(slope=0.2)": lambda x: (0.2 * x + 0.5).clamp(0, 1),
        "hardsigmoid(slope=0.25, offset=0.4)": lambda x: (0.25 * x + 0.4).clamp(0, 1),
        "stop": torch.Tensor.detach,
        "clip(-1, max=1)": lambda x: x.clamp(-1, 1),
        "clip(max=0.5)": lambda x: x.clamp(max=0.5),
        "clip(min=-0.5)": lambda x: x.clamp(min=-0.5),
    }
    of_two = {
        "pow(x, y)": torch.pow,
        "min(x, y)": torch.minimum,
        "max(x, y)": torch.maximum,
        "where(x, y, 0.5)": lambda x, y: torch.where(x > 0, y, half),
        "clamp(x, y, 0.5)": lambda x, y: x.clamp(y, half),
        "x + y": torch.add,
        "x - y": torch.sub,
        "x * y": torch.mul,
        "x / y": torch.div,
    }
    return of_one, of_two


def special_values():
    """Of each function its values, and its slopes by x and y, in float32; x varies fastest."""
    of_one, of_two = special_cases()
    x = torch.tensor(SPECIAL, dtype=torch.float32)
    grid = torch.meshgrid(torch.tensor(SECOND, dtype=torch.float32), x, indexing="ij")
    pairs = (grid[1].flatten(), grid[0].flatten())
    cases = {name: (f, (x,)) for name, f in of_one.items()} | {name: (f, pairs) for name, f in of_two.items()}
    return {name: special_case(*case) for name, case in cases.items()}


def special_case(function, operands):
    operands = [each.clone().requires_grad_() for each in operands]
    values = function(*operands)
    slopes = [None] * len(operands)
    if values.requires_grad:
        slopes = torch.autograd.grad(values.sum(), operands, allow_unused=True)
    of_none = torch.zeros_like(values)
    return [" ".join(f"{value:.6g}" for value in (of_none if row is None else row).tolist()) for row in (values, *slopes)]


if __name__ == "__main__":
    makers = {**NETWORKS, "layers": layers, "signals": signals, "recipes": recipes, "class-weights": class_weights, "siamese": siamese, "swa": swa, "gan": gan, "masks": masks, "token-targets": token_targets, "boxes": boxes, "unet": unet, "segnet": segnet, "inside": inside, "inside-resnet18": inside_torchvision, "torchvision": torchvision_models, "torchvision-transformers": torchvision_transformers, "torchvision-segmentation": torchvision_segmentation, "torchvision-names": torchvision_names, "special-values": special_values}
    if sys.argv[1:2] == ["save"]:
        save_torchvision(*sys.argv[2:])
        sys.exit()
    for chosen in sys.argv[1:] or makers:
        write(chosen, makers[chosen]())
