"""Writes augment.json: magnitudes and operations of torchvision's RandAugment, TrivialAugmentWide and
AugMix, its perspective, Gaussian blur and bicubic resizing, on small images of bytes; then
`npx prettier --write test/data/torchvision`.

    /usr/bin/python3 test/data/torchvision/make_augment.py

Images are those of test/data/pattern.ts, in hexadecimal.
"""
import json
from pathlib import Path

import numpy
import torch
from PIL import Image
from torchvision import transforms
from torchvision.transforms import autoaugment, functional

NAMES = {
    "Identity": "identity", "ShearX": "shear_x", "ShearY": "shear_y", "TranslateX": "translate_x",
    "TranslateY": "translate_y", "Rotate": "rotate", "Brightness": "brightness", "Color": "color",
    "Contrast": "contrast", "Sharpness": "sharpness", "Posterize": "posterize", "Solarize": "solarize",
    "AutoContrast": "autocontrast", "Equalize": "equalize",
}


def pattern(width, height, channels):
    y, x, channel = numpy.mgrid[0:height, 0:width, 0:channels]
    return ((x * 37 + y * 91 + channel * 53 + ((x * y * 7) % 101)) % 256).astype(numpy.uint8)


def tensor(width, height, channels):
    return torch.from_numpy(pattern(width, height, channels)).permute(2, 0, 1).contiguous()


def hexadecimal(image):
    return image.permute(1, 2, 0).contiguous().numpy().tobytes().hex()


def table(space, indices):
    return {
        NAMES[name]: [float(magnitudes[index]) if magnitudes.ndim > 0 else 0.0 for index in indices]
        for name, (magnitudes, _) in space.items()
    }


size = (30, 50)
tables = {
    "rand_augment": table(autoaugment.RandAugment()._augmentation_space(31, size), range(31)),
    "trivial_augment": table(autoaugment.TrivialAugmentWide()._augmentation_space(31), range(31)),
    "aug_mix": table(autoaugment.AugMix()._augmentation_space(10, size), range(10)),
}

operations = []
SHAPES = ((9, 7, 3), (16, 12, 3), (13, 17, 1))
for name, key in NAMES.items():
    magnitudes, signed = autoaugment.RandAugment()._augmentation_space(31, (12, 16))[name]
    chosen = [float(magnitudes[index]) for index in (3, 9, 28)] if magnitudes.ndim > 0 else [0.0]
    for magnitude in [*chosen, *([-each for each in chosen] if signed else [])]:
        for width, height, channels in SHAPES:
            for mode in ("nearest", "bilinear"):
                moves = key.startswith(("shear", "translate", "rotate"))
                if mode == "bilinear" and not moves:
                    continue
                image = autoaugment._apply_op(
                    tensor(width, height, channels), name, magnitude,
                    interpolation=functional.InterpolationMode(mode), fill=None,
                )
                operations.append(dict(
                    name=key, magnitude=magnitude, width=width, height=height, channels=channels,
                    mode=mode, bytes=hexadecimal(image),
                ))

random = numpy.random.default_rng(7)
perspectives = []
for width, height, channels in SHAPES:
    for _ in range(3):
        x, y = [int(random.integers(0, width // 4 + 1)) for _ in range(4)], [int(random.integers(0, height // 4 + 1)) for _ in range(4)]
        ends = [[x[0], y[0]], [width - 1 - x[1], y[1]], [width - 1 - x[2], height - 1 - y[2]], [x[3], height - 1 - y[3]]]
        starts = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
        image = functional.perspective(
            tensor(width, height, channels), starts, ends, functional.InterpolationMode.BILINEAR, [0.0] * channels
        )
        perspectives.append(dict(ends=ends, width=width, height=height, channels=channels, bytes=hexadecimal(image)))

blurs = []
for width, height, channels in SHAPES:
    for kernel, sigma in (((3, 3), 0.7), ((5, 3), 1.6), ((7, 5), 2.5)):
        # torchvision takes the width first.
        image = functional.gaussian_blur(tensor(width, height, channels), kernel[::-1], [sigma, sigma])
        blurs.append(dict(kernel=kernel, sigma=sigma, width=width, height=height, channels=channels, bytes=hexadecimal(image)))

resizes = []
for width, height, channels in SHAPES:
    for to in ((5, 4), (20, 31), (7, 30)):
        pixels = pattern(width, height, channels)
        picture = Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)
        image = transforms.Resize(to, functional.InterpolationMode.BICUBIC)(picture)
        resizes.append(dict(size=to, width=width, height=height, channels=channels, bytes=numpy.asarray(image).tobytes().hex()))

content = dict(tables=tables, operations=operations, perspectives=perspectives, blurs=blurs, resizes=resizes)
(Path(__file__).parent / "augment.json").write_text(json.dumps(content))
