"""Trains a small network on folders of images and saves its weights as PyTorch does.

    python3 pretrain.py PHOTOS OUT.pth --classes airplane,bird,cat [--per-class N] [--epochs N]

PHOTOS has a folder for each class. Needs torch, numpy and Pillow.
"""

import argparse
import pathlib

import numpy
import torch
from PIL import Image
from torch import nn

MEAN = torch.tensor([0.4914, 0.4822, 0.4465]).view(3, 1, 1)
STD = torch.tensor([0.2470, 0.2435, 0.2616]).view(3, 1, 1)


def network(classes: int) -> nn.Module:
    """The network of network.net."""

    def unit(inputs: int, outputs: int) -> list[nn.Module]:
        convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]

    def stage(inputs: int, outputs: int) -> list[nn.Module]:
        return [*unit(inputs, outputs), *unit(outputs, outputs), nn.MaxPool2d(2)]

    features = nn.Sequential(*stage(3, 32), *stage(32, 64), *stage(64, 128))
    classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, classes))
    model = nn.Sequential()
    model.add_module("features", features)
    model.add_module("classifier", classifier)
    return model


def read(path: pathlib.Path) -> torch.Tensor:
    pixels = torch.from_numpy(numpy.array(Image.open(path).convert("RGB")))
    return (pixels.permute(2, 0, 1) / 255 - MEAN) / STD


def load(root: pathlib.Path, classes: list[str], per_class: int):
    paths = [sorted((root / name).iterdir())[:per_class] for name in classes]
    images = torch.stack([read(path) for group in paths for path in group])
    labels = [index for index, group in enumerate(paths) for _ in group]
    return images, torch.tensor(labels)


def train(model: nn.Module, images: torch.Tensor, labels: torch.Tensor, epochs: int) -> None:
    steps = epochs * -(-len(images) // 128)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=steps)
    for epoch in range(epochs):
        right, losses = 0, []
        for batch in torch.randperm(len(images)).split(128):
            flipped = images[batch].flip(3) if torch.rand(()) < 0.5 else images[batch]
            logits = model(flipped)
            loss = nn.functional.cross_entropy(logits, labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            right += (logits.argmax(1) == labels[batch]).sum().item()
            losses.append(loss.item())
        share = 100 * right / len(images)
        print(f"epoch {epoch + 1}: loss {sum(losses) / len(losses):.4f}, top1 {share:.1f}%")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("photos", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--classes", required=True)
    parser.add_argument("--per-class", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=6)
    given = parser.parse_args()
    torch.manual_seed(1)
    classes = given.classes.split(",")
    images, labels = load(given.photos, classes, given.per_class)
    model = network(len(classes))
    print(f"PyTorch {torch.__version__} trains on {len(images)} images of {len(classes)} classes")
    train(model, images, labels, given.epochs)
    torch.save({"epochs": given.epochs, "state_dict": model.state_dict()}, given.out)


main()
