"""Writes expected.json: what torchvision's transforms make of small images of many sizes, those
smaller than a crop among them; then `npx prettier --write test/data/torchvision`.

    /usr/bin/python3 test/data/torchvision/make.py

Images are those of test/data/pattern.ts. Bytes are written in hexadecimal, floats with 5 digits.
"""
import json
from pathlib import Path

import numpy
import torch
from PIL import Image
from torchvision import transforms
from torchvision.transforms import functional

random = numpy.random.default_rng(24)


def pattern(width, height, channels):
    y, x, channel = numpy.mgrid[0:height, 0:width, 0:channels]
    return ((x * 37 + y * 91 + channel * 53 + ((x * y * 7) % 101)) % 256).astype(numpy.uint8)


def picture(width, height, channels):
    pixels = pattern(width, height, channels)
    return Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)


def hexadecimal(images):
    return b"".join(numpy.asarray(image).tobytes() for image in images).hex()


cases = []


def add(transform, width, height, channels, **expected):
    cases.append({**transform, "width": width, "height": height, "channels": channels, **expected})


def add_bytes(transform, module, width, height, channels=1):
    image = module(picture(width, height, channels))
    images = image if isinstance(image, tuple) else (image,)
    add(transform, width, height, channels, bytes=hexadecimal(images))


def add_floats(transform, change, width, height):
    image = functional.to_tensor(picture(width, height, 3))
    values = change(image).permute(1, 2, 0).reshape(-1)[::5]
    floats = [round(value, 5) for value in values.tolist()]
    add(transform, width, height, 3, floats=floats)


def number(low, high):
    return int(random.integers(low, high + 1))


# Deficits and rests of all kinds modulo 4, on either axis.
for size in (4, 5, 6, 7):
    for width in range(1, size + 6, 2):
        height = number(1, size + 5)
        crop = {"kind": "center_crop", "size": size}
        add_bytes(crop, transforms.CenterCrop(size), width, height)
        add_bytes(crop, transforms.CenterCrop(size), height, width)
for size in (1, 2, 3):
    for free in range(4):
        width, height = size + free, size + number(0, 3)
        crop = {"kind": "ten_crop", "size": size}
        add_bytes(crop, transforms.TenCrop(size), width, height)
for _ in range(16):
    width, height, size = number(1, 12), number(1, 12), number(1, 9)
    resize = {"kind": "resize", "size": size}
    if max(width, height) * size < 10 * min(width, height):
        add_bytes(resize, transforms.Resize(size), width, height)
for width, height, size in ((7, 5, (3, 8)), (5, 9, (4, 4)), (12, 4, (6, 6)), (3, 3, (2, 7))):
    resize = {"kind": "resize", "size": size}
    add_bytes(resize, transforms.Resize(size), width, height)
for _ in range(6):
    width, height, size = number(1, 8), number(1, 8), number(2, 6)
    # No rectangle of ten times the image fits: what remains is the largest central one.
    ratio = (1.0, 1.0) if number(0, 1) else (1.5, 2.0)
    crop = {"kind": "random_resized_crop", "size": size, "scale": (10, 10), "ratio": ratio}
    module = transforms.RandomResizedCrop(size, scale=(10, 10), ratio=ratio)
    add_bytes(crop, module, width, height)
for kind, module in (
    ("hflip", transforms.RandomHorizontalFlip(1)),
    ("vflip", transforms.RandomVerticalFlip(1)),
):
    add_bytes({"kind": kind, "probability": 1}, module, 5, 3, 3)
    add_bytes({"kind": kind, "probability": 1}, module, 4, 1, 3)

mean, std = [0.4, 0.5, 0.6], [0.2, 0.3, 0.4]
add_floats(
    {"kind": "normalize", "mean": mean, "std": std},
    lambda image: functional.normalize(image, mean, std),
    5,
    3,
)
adjust = {
    "brightness": functional.adjust_brightness,
    "contrast": functional.adjust_contrast,
    "saturation": functional.adjust_saturation,
    "hue": functional.adjust_hue,
}
for _ in range(3):
    for part, change in adjust.items():
        factor = round(float(random.uniform(-0.5, 0.5) if part == "hue" else random.uniform(0, 2)), 3)
        one = {name: (0, 0) if name == "hue" else (1, 1) for name in adjust}
        jitter = {"kind": "color_jitter", **one, part: (factor, factor)}
        width, height = number(1, 7), number(1, 7)
        add_floats(jitter, lambda image: change(image, factor), width, height)

STILL = {"translate": (0, 0), "scale": (1, 1), "shear": (0, 0)}
for _ in range(8):
    width, height = number(3, 14), number(3, 14)
    angle = round(float(random.uniform(-180, 180)), 3)
    size, slant = round(float(random.uniform(0.6, 1.6)), 3), round(float(random.uniform(-30, 30)), 3)
    turned = {"kind": "affine", **STILL, "degrees": (-angle, -angle)}
    # Of tensors: PIL's images are turned in fixed point.
    add_floats(turned, lambda image: functional.rotate(image, angle), width, height)
    slanted = {"scale": (size, size), "shear": (slant, slant), "degrees": (angle, angle)}
    change = lambda image: functional.affine(image, angle, [0, 0], size, [slant, 0])
    add_floats({"kind": "affine", **STILL, **slanted}, change, width, height)

path = Path(__file__).parent / "expected.json"
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
