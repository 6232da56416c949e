"""Writes photograph.jpg, a picture with a photograph's gradients, grain and edges, and what Pillow and torchvision make of it; then
`npx prettier --write test/data/photograph`.

    /usr/bin/python3 test/data/photograph/make.py

The profile embedded in it says that red is green: who applies profiles is found out.
"""
import json
from pathlib import Path

import numpy
from PIL import Image, ImageCms
from torchvision import transforms

here = Path(__file__).parent
random = numpy.random.default_rng(7)
y, x = numpy.mgrid[0:113, 0:150].astype(float)
planes = [
    120 + 90 * numpy.sin(x / 19) * numpy.cos(y / 23),
    128 + 100 * numpy.cos((x + 2 * y) / 31),
    200 - y - 60 * ((x - 80) ** 2 + (y - 50) ** 2 < 900),
]
pixels = numpy.stack(planes, axis=-1)
pixels[20:60:7, 10:70] = [250, 240, 20]
pixels += random.normal(0, 6, pixels.shape)
picture = Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8))

profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
red, green = profile.index(b"rXYZ", 128), profile.index(b"gXYZ", 128)
profile[red : red + 1], profile[green : green + 1] = b"g", b"r"
picture.save(here / "photograph.jpg", quality=70, subsampling="4:2:0", icc_profile=bytes(profile))

image = Image.open(here / "photograph.jpg").convert("RGB")


def values(result):
    return numpy.asarray(result).reshape(-1)[::41].tolist()


box = (31, 17, 31 + 84, 17 + 61)
expected = {
    "decoded": values(image),
    "resize(64) -> center_crop(56)": values(
        transforms.CenterCrop(56)(transforms.Resize(64)(image))
    ),
    "resize(160)": values(transforms.Resize(160)(image)),
    "cropped, then 48x48": values(image.crop(box).resize((48, 48), Image.BILINEAR)),
}
(here / "pillow.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
