"""Masks as Pillow writes them, and the labels that it reads: python3 make.py"""

import json
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
WIDTH, HEIGHT = 13, 9


def palette_image(bits):
    image = Image.new("P", (WIDTH, HEIGHT))
    colors = [channel for index in range(2**bits) for channel in (255 - index, 7 * index % 256, 3)]
    image.putpalette(colors)
    image.putdata([(x * x + 3 * y) % 2**bits for y in range(HEIGHT) for x in range(WIDTH)])
    return image


def gray_image():
    image = Image.new("L", (WIDTH, HEIGHT))
    image.putdata([(5 * x + 11 * y) % 256 for y in range(HEIGHT) for x in range(WIDTH)])
    return image


expected = {}
made = {f"palette{bits}": (palette_image(bits), bits) for bits in (1, 2, 4, 8)}
made["gray8"] = (gray_image(), 8)
for name, (image, bits) in made.items():
    path = HERE / f"{name}.png"
    image.save(path, bits=bits) if image.mode == "P" else image.save(path)
    expected[name] = list(Image.open(path).getdata())
(HERE / "pillow.json").write_text(json.dumps(expected) + "\n")  # then: prettier --write
