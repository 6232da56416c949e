"""
Models for test/interchange/onnx.test.ts: `make_onnx.py FOLDER` writes NAME.onnx and NAME.input.f32; run_onnx.mjs then
writes NAME.expected.f32 with onnxruntime. Needs torch 1.13 and onnx 1.12.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torchvision.models.vision_transformer import VisionTransformer

rng = np.random.default_rng(7)


def weights(*shape):
    return (rng.normal(size=shape) * np.sqrt(2 / max(1, np.prod(shape[1:])))).astype(np.float32)


class LeNet(nn.Module):
    """Ceil pooling, groups, a batch normalization that the exporter folds, and another one behind a pool."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True),
            nn.Conv2d(8, 12, 3, stride=2, groups=4), nn.GELU(), nn.AvgPool2d(2, ceil_mode=True), nn.BatchNorm2d(12),
        )
        self.norm = nn.LayerNorm(108)
        self.classifier = nn.Sequential(nn.Linear(108, 20), nn.Hardswish(), nn.Dropout(0.3), nn.Linear(20, 10))

    def forward(self, x):
        return self.classifier(self.norm(torch.flatten(self.features(x), 1)))


def lenet(path):
    torch.manual_seed(3)
    network = LeNet().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
    batch = {0: "batch"}
    torch.onnx.export(network, torch.zeros(2, 1, 25, 25), path, opset_version=13, input_names=["image"],
                      output_names=["logits"], dynamic_axes={"image": batch, "logits": batch})


def constant(name, values):
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(np.asarray(values), name))


def save(path, nodes, shape, opset, initializers=(), outputs=("y",), ir=6):
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    graph = helper.make_graph(nodes, "by-hand", [image], ends, list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    onnx.save(model, path)


def gate(path):
    """SAME_UPPER at stride 2, a gate of HardSigmoid(0.2), Clip with inputs, an average without its padding."""
    node = helper.make_node
    nodes = [
        constant("w1", weights(6, 3, 3, 3)), constant("b1", weights(6)), constant("w2", weights(6, 6, 1, 1)),
        constant("low", np.float32(-0.5)), constant("high", np.float32(1.5)), constant("w3", weights(6, 5)),
        constant("b3", weights(5)), constant("flat", np.asarray([-1, 6], np.int64)),
        node("Conv", ["x", "w1", "b1"], ["c1"], auto_pad="SAME_UPPER", strides=[2, 2], kernel_shape=[3, 3]),
        node("GlobalAveragePool", ["c1"], ["g1"]),
        node("Conv", ["g1", "w2"], ["g2"], kernel_shape=[1, 1]),
        node("HardSigmoid", ["g2"], ["g3"], alpha=0.2, beta=0.5),
        node("Mul", ["c1", "g3"], ["m1"]),
        node("Clip", ["m1", "low", "high"], ["k1"]),
        node("AveragePool", ["k1"], ["p1"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        node("GlobalAveragePool", ["p1"], ["p2"]),
        node("Reshape", ["p2", "flat"], ["f1"]),
        node("MatMul", ["f1", "w3"], ["l1"]),
        node("Add", ["l1", "b3"], ["y"]),
    ]
    save(path, nodes, ["N", 3, 20, 17], 11)


def channels_last(path):
    """A mean subtracted before a padded convolution, Pad before a pool, a Transpose before the Reshape, softmax of opset 9."""
    node = helper.make_node
    halves = numpy_helper.from_array(weights(8, 4, 3, 3).astype(np.float16), "w16")
    tensors = [numpy_helper.from_array(value, name) for name, value in [
        ("mean", np.asarray([[[0.4]], [[0.5]], [[0.6]], [[-0.2]]], np.float32)), ("w", weights(32, 7)), ("c", weights(7)),
        ("scale", np.full(8, 1.3, np.float32)), ("shift", weights(8)), ("m", weights(8)),
        ("v", np.full(8, 0.7, np.float32)), ("first", np.asarray([0], np.int64)), ("rest", np.asarray([-1], np.int64)),
    ]] + [halves]
    nodes = [
        node("Sub", ["x", "mean"], ["s"]),
        node("Cast", ["w16"], ["w32"], to=1),
        node("Identity", ["w32"], ["wi"]),
        node("Conv", ["s", "wi"], ["c1"], kernel_shape=[3, 3], auto_pad="SAME_LOWER", strides=[2, 2]),
        node("BatchNormalization", ["c1", "scale", "shift", "m", "v"], ["n1"], epsilon=1e-3),
        node("Clip", ["n1"], ["r1"], min=0.0, max=6.0),
        node("Pad", ["r1"], ["d1"], pads=[0, 0, 0, 0, 0, 0, 1, 1], mode="constant", value=0.0),
        node("MaxPool", ["d1"], ["p1"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Transpose", ["p1"], ["t1"], perm=[0, 2, 3, 1]),
        node("Shape", ["t1"], ["size"]),
        node("Gather", ["size", "first"], ["count"]),
        node("Concat", ["count", "rest"], ["wanted"], axis=0),
        node("Reshape", ["t1", "wanted"], ["f1"]),
        node("Gemm", ["f1", "w", "c"], ["l1"], alpha=0.5, beta=2.0),
        node("Softmax", ["l1"], ["y"]),
    ]
    save(path, nodes, ["N", 4, 7, 6], 9, tensors)


def randomized(net):
    for name, parameter in net.named_parameters():
        around = 1 if ("ln" in name or "norm" in name) and name.endswith("weight") else 0
        parameter.data = torch.randn_like(parameter) * 0.3 + around
    return net.eval()


def torchvision_vit(path):
    """Attention of nn.MultiheadAttention, whose nodes have the tokens before the batch."""
    torch.manual_seed(5)
    net = VisionTransformer(image_size=8, patch_size=4, num_layers=2, num_heads=3, hidden_dim=12, mlp_dim=16, num_classes=5)
    torch.onnx.export(randomized(net), torch.zeros(1, 3, 8, 8), path, opset_version=16, input_names=["image"])


class Attention(nn.Module):
    """As timm has it, with a causal mask of 7 tokens."""

    def __init__(self, channels, heads):
        super().__init__()
        self.heads, self.scale = heads, (channels // heads) ** -0.5
        self.qkv, self.proj = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels, bias=False)
        self.register_buffer("mask", torch.full((7, 7), float("-inf")).triu(1))

    def forward(self, x):
        batch, tokens, channels = x.shape
        parts = self.qkv(x).reshape(batch, tokens, 3, self.heads, channels // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
        scores = (q @ k.transpose(-2, -1)) * self.scale + self.mask
        return self.proj((scores.softmax(dim=-1) @ v).transpose(1, 2).reshape(batch, tokens, channels))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(8), nn.LayerNorm(8)
        self.attn = Attention(8, 2)
        self.mlp = nn.Sequential(nn.Linear(8, 10), nn.GELU(), nn.Linear(10, 8))
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return self.head((x + self.mlp(self.norm2(x))).mean(1))


def timm_attention(path):
    torch.manual_seed(6)
    open_batch = {"tokens": {0: "N"}, "logits": {0: "N"}}
    names = {"input_names": ["tokens"], "output_names": ["logits"], "dynamic_axes": open_batch}
    torch.onnx.export(randomized(Transformer()), torch.zeros(1, 7, 8), path, opset_version=14, **names)


MAKERS = {
    "lenet-pytorch": (lenet, [2, 1, 25, 25]),
    "gate-by-hand": (gate, [2, 3, 20, 17]),
    "channels-last": (channels_last, [2, 4, 7, 6]),
    "torchvision-vit": (torchvision_vit, [1, 3, 8, 8]),
    "timm-attention": (timm_attention, [1, 7, 8]),
}

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    cases = []
    for name, (make, shape) in MAKERS.items():
        make(str(folder / f"{name}.onnx"))
        rng.normal(size=shape).astype(np.float32).tofile(folder / f"{name}.input.f32")
        cases.append({"name": name, "input": shape, "tolerance": 1e-5})
    (folder / "cases.json").write_text(json.dumps(cases, indent=2) + "\n")
