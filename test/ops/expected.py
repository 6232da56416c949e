#!/usr/bin/python3
"""Makes test/fixtures/ops.json with PyTorch (Debian's python3-torch): what each primitive's reference is compared with.

    /usr/bin/python3 test/ops/expected.py

Inputs come from the hash of test/oracle/values.ts under the case's name, so that only results are stored.
"""

import json
import math
import pathlib
import sys

import torch
from torch.nn import functional as F

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "oracle"))
from make_expected import uniform  # noqa: E402


def tensor(name, shape):
    values = torch.from_numpy(uniform(name, math.prod(shape), 1)).to(torch.float64)
    return values.reshape(shape).requires_grad_()


def numbers(values):
    return [float(f"{value:.10g}") for value in values.detach().reshape(-1).tolist()]


def pad(x, padding, value=0.0):
    top, bottom, left, right = padding
    return F.pad(x, (left, right, top, bottom), value=value)


def backward(name, y):
    """Gradients of the inputs for an output gradient of hashed values."""
    y.backward(tensor(f"{name}.dy", tuple(y.shape)).detach())


def convolution(name, x, w, stride=(1, 1), padding=(0, 0, 0, 0), dilation=(1, 1), groups=1):
    case = dict(name=name, x=x, w=w, stride=stride, padding=padding, dilation=dilation, groups=groups)
    image, weight = tensor(f"{name}.x", x), tensor(f"{name}.w", w)
    y = F.conv2d(pad(image, padding), weight, None, stride, 0, dilation, groups)
    backward(name, y)
    return dict(case, y=numbers(y), dx=numbers(image.grad), dw=numbers(weight.grad))


def max_pool(name, x, kernel, stride, padding, like):
    """`like` is how PyTorch says the same."""
    image = tensor(f"{name}.x", x)
    y = F.max_pool2d(image, kernel, stride, **like)
    backward(name, y)
    return dict(name=name, x=x, kernel=kernel, stride=stride, padding=padding, y=numbers(y), dx=numbers(image.grad))


def average_pool(name, x, attributes, compute):
    image = tensor(f"{name}.x", x)
    y = compute(image)
    backward(name, y)
    return dict(name=name, x=x, attributes=attributes, y=numbers(y), dx=numbers(image.grad))


def sliding(kernel, stride, padding, count, overhang=(0, 0)):
    sides = dict(zip(("top", "bottom", "left", "right"), padding))
    return dict(
        windows="sliding", kernel=kernel, stride=stride, padding=sides, countPadding=count,
        overhang=dict(bottom=overhang[0], right=overhang[1]),
    )


def normalization(name, x, size, alpha, beta, k):
    image = tensor(f"{name}.x", x)
    y = F.local_response_norm(image, size, alpha, beta, k)
    backward(name, y)
    return dict(name=name, x=x, size=size, alpha=alpha, beta=beta, k=k, y=numbers(y), dx=numbers(image.grad))


def cross_entropy(name, shape, labels, smoothing, weights=None, partners=None, shares=None):
    """Losses of each example whose plain mean is PyTorch's own (weighted) mean; of mixed images by both labels."""
    logits = tensor(f"{name}.x", shape)
    weight = torch.tensor(weights, dtype=torch.float64) if weights else None

    def losses_of(labels):
        target = torch.tensor(labels)
        rule = dict(weight=weight, label_smoothing=smoothing)
        losses = F.cross_entropy(logits, target, reduction="none", **rule)
        losses = losses * (len(labels) / weight[target].sum() if weights else 1)
        assert torch.allclose(losses.mean(), F.cross_entropy(logits, target, **rule))
        return losses

    losses = losses_of(labels)
    if partners:
        share = torch.tensor(shares, dtype=torch.float64)
        losses = share * losses + (1 - share) * losses_of(partners)
    losses.mean().backward()
    case = dict(name=name, x=shape, labels=labels, smoothing=smoothing, y=numbers(losses), dx=numbers(logits.grad))
    if weights:
        case["classWeights"] = weights
    if partners:
        case.update(partners=partners, shares=shares)
    return case


def softmax(name, shape):
    logits = tensor(f"{name}.x", shape)
    y = torch.softmax(logits, 1)
    backward(name, y)
    return dict(name=name, x=shape, y=numbers(y), dx=numbers(logits.grad))


def accuracy(name, shape, labels, k):
    top = tensor(f"{name}.x", shape).topk(k, 1).indices
    hits = (top == torch.tensor(labels)[:, None]).any(1)
    return dict(name=name, x=shape, labels=labels, k=k, y=numbers(hits.to(torch.float64)))


RATES = [0.1, 0.1, 0.02, 0.02]
DECAY = 0.05


def sgd(name, momentum, nesterov):
    """A few steps whose rate changes on the way, so that the conventions part."""
    weight = tensor(f"{name}.w", (6,))
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=momentum, weight_decay=DECAY, nesterov=nesterov)
    for step, rate in enumerate(RATES):
        optimizer.param_groups[0]["lr"] = rate
        weight.grad = tensor(f"{name}.dw{step}", (6,)).detach()
        optimizer.step()
    return dict(
        name=name, convention="pytorch", momentum=momentum, nesterov=nesterov, decay=DECAY, rates=RATES, w=numbers(weight)
    )


def caffe_sgd(name, momentum, nesterov):
    """Caffe's solvers, from their documentation: V' = m V - lr g, W' = W + V', or W + (1 + m) V' - m V with nesterov."""
    weight = tensor(f"{name}.w", (6,)).detach().clone()
    velocity = torch.zeros_like(weight)
    for step, rate in enumerate(RATES):
        gradient = tensor(f"{name}.dw{step}", (6,)).detach() + DECAY * weight
        following = momentum * velocity - rate * gradient
        weight += (1 + momentum) * following - momentum * velocity if nesterov else following
        velocity = following
    return dict(
        name=name, convention="caffe", momentum=momentum, nesterov=nesterov, decay=DECAY, rates=RATES, w=numbers(weight)
    )


EXPECTED = dict(
    convolution=[
        convolution("conv plain", (2, 3, 5, 6), (4, 3, 3, 2)),
        convolution("conv stride", (1, 2, 8, 7), (3, 2, 3, 3), stride=(3, 2)),
        convolution("conv sides", (1, 2, 5, 4), (2, 2, 3, 3), stride=(2, 1), padding=(0, 2, 1, 0)),
        convolution("conv dilation", (1, 2, 8, 8), (2, 2, 3, 3), padding=(1, 1, 2, 2), dilation=(2, 3)),
        convolution("conv groups", (2, 4, 4, 4), (6, 2, 3, 3), padding=(1, 1, 1, 1), groups=2),
        convolution("conv depthwise", (1, 3, 4, 4), (3, 1, 2, 2), groups=3),
        convolution("conv pixel", (3, 5, 1, 1), (4, 5, 1, 1)),
        convolution("conv image", (2, 2, 3, 3), (4, 2, 3, 3)),
    ],
    maxPool=[
        max_pool("max floor", (2, 2, 6, 7), (3, 3), (2, 2), (0, 0, 0, 0), {}),
        max_pool("max padded", (1, 2, 5, 5), (3, 3), (2, 2), (1, 1, 1, 1), dict(padding=1)),
        max_pool("max ceil", (1, 2, 6, 6), (3, 3), (2, 2), (0, 1, 0, 1), dict(ceil_mode=True)),
        max_pool("max sides", (1, 1, 4, 5), (2, 3), (2, 1), (0, 0, 1, 1), dict(padding=(0, 1))),
    ],
    averagePool=[
        average_pool("average", (2, 2, 6, 6), sliding((2, 3), (2, 3), (0, 0, 0, 0), True), lambda x: F.avg_pool2d(x, (2, 3))),
        average_pool(
            "average padded", (1, 2, 5, 5), sliding((3, 3), (2, 2), (1, 1, 1, 1), True),
            lambda x: F.avg_pool2d(x, 3, 2, 1),
        ),
        average_pool(
            "average inside", (1, 2, 5, 5), sliding((3, 3), (2, 2), (1, 1, 1, 1), False),
            lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
        ),
        average_pool(
            "average ceil", (1, 2, 6, 6), sliding((3, 3), (2, 2), (1, 2, 1, 2), True, (1, 1)),
            lambda x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True),
        ),
        average_pool(
            "average adaptive", (1, 2, 7, 5), dict(windows="adaptive", outputSize=(3, 2)),
            lambda x: F.adaptive_avg_pool2d(x, (3, 2)),
        ),
    ],
    normalization=[
        normalization("lrn 5", (2, 7, 2, 2), 5, 0.5, 0.75, 2.0),
        normalization("lrn 4", (1, 6, 1, 2), 4, 0.9, 0.5, 1.0),
    ],
    crossEntropy=[
        cross_entropy("entropy", (3, 5), [0, 4, 2], 0.0),
        cross_entropy("entropy smooth", (3, 5), [1, 1, 3], 0.1),
        cross_entropy("entropy weighted", (3, 5), [1, 1, 3], 0.0, [0.5, 1, 2, 4, 0.25]),
        cross_entropy("entropy weighted and smooth", (3, 5), [1, 0, 3], 0.2, [0.5, 1, 2, 4, 0.25]),
        cross_entropy("entropy mixed", (3, 5), [1, 0, 3], 0.1, None, [2, 0, 4], [0.75, 1, 0.25]),
        cross_entropy("entropy mixed and weighted", (3, 5), [1, 0, 3], 0.1, [0.5, 1, 2, 4, 0.25], [2, 0, 4], [0.75, 1, 0.25]),
    ],
    softmax=[softmax("softmax rows", (3, 5)), softmax("softmax pixels", (2, 3, 2, 2))],
    accuracy=[accuracy("top 1", (6, 4), [0, 1, 2, 3, 0, 1], 1), accuracy("top 2", (6, 4), [0, 1, 2, 3, 0, 1], 2)],
    update=[
        sgd("plain", 0.0, False),
        sgd("momentum", 0.9, False),
        sgd("nesterov", 0.9, True),
        caffe_sgd("caffe", 0.9, False),
        caffe_sgd("caffe nesterov", 0.9, True),
    ],
)

(HERE.parent / "fixtures" / "ops.json").write_text(json.dumps(EXPECTED) + "\n")
