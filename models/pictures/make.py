#!/usr/bin/env python3
"""Makes the pictures of the model card: make.py DAIN [WORK_FOLDER]

Two frames of the demo clip and three drawn scenes, through `dain eval --save`; needs NumPy and ffmpeg.
"""
import os
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
WIDTH, HEIGHT = 320, 192


def texture(seed, low, high):
    """Smooth noise of several sizes between two colours, twice as large as the picture."""
    rng = np.random.default_rng(seed)
    field = np.zeros((2 * HEIGHT, 2 * WIDTH))
    for cell in (4, 8, 16, 32, 64):
        coarse = rng.standard_normal((2 * HEIGHT // cell + 2, 2 * WIDTH // cell + 2))
        y, x = np.arange(2 * HEIGHT) / cell, np.arange(2 * WIDTH) / cell
        rows = np.array([np.interp(y, np.arange(coarse.shape[0]), c) for c in coarse.T]).T
        field += cell ** 0.5 * np.array([np.interp(x, np.arange(coarse.shape[1]), r) for r in rows])
    field = (field - field.min()) / np.ptp(field)
    return np.asarray(low) + field[..., None] * (np.asarray(high) - np.asarray(low))


def paste(picture, layer, mask):
    """mask: 0 .. 1 per pixel."""
    return picture * (1 - mask[..., None]) + layer * mask[..., None]


def soft(distance):
    """Coverage of a pixel whose centre is so far outside a shape."""
    return np.clip(0.5 - distance, 0, 1)


def scene(kind, t):
    """A frame at t = 0 .. 1: a slowly moving background with something in front."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    shift = round(4 * t)
    back = texture(1, (30, 60, 40), (170, 190, 140))[40:40 + HEIGHT, 60 - shift:60 - shift + WIDTH]
    if kind == "large-motion":  # 100 pixels
        centre = 110 + 100 * t
        ball = texture(2, (120, 30, 20), (250, 190, 90))[:HEIGHT, 200 - round(100 * t):200 - round(100 * t) + WIDTH]
        return paste(back, ball, soft(np.hypot(x - centre, y - 96) - 34))
    if kind == "thin-structure":  # bars 3 pixels wide, 24 pixels of motion against the background
        place = x - 24 * t
        return paste(back, np.full_like(back, 235), soft(np.abs((place - 0.15 * y) % 71 - 35.5) - 1.5))
    angle = np.radians(-15 + 30 * t)  # rotation: a wheel with five spokes, by 30 degrees
    radius, turn = np.hypot(x - 160, y - 96), np.arctan2(y - 96, x - 160) - angle
    spoke = radius * np.abs(np.sin((turn * 5 / 2 + np.pi) % np.pi - np.pi / 2)) * 2 / 5
    wheel = np.maximum(soft(np.maximum(spoke - 5, radius - 70)), soft(np.abs(radius - 70) - 6))
    return paste(back, np.full_like(back, (200, 60, 40)), wheel)


def write(path, picture):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    rgb = np.clip(np.floor(picture + 0.5), 0, 255).astype(np.uint8)
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}",
                    "-i", "-", path], input=rgb.tobytes(), check=True)


def main():
    dain = os.path.abspath(sys.argv[1])
    work = sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp()
    kinds = ["large-motion", "thin-structure", "rotation"]
    for kind in kinds:
        for k in range(3):
            write(f"{work}/scenes/{kind}/im{k + 1}.png", scene(kind, k / 2))
    subprocess.run([dain, "eval", f"{work}/scenes", "--vs", "blend", "--save", f"{work}/drawn"], check=True)
    subprocess.run([dain, "eval", os.path.join(HERE, "../../assets/demo.mp4"), "--vs", "blend", "--save",
                    f"{work}/demo"], check=True)
    strips = [(f"drawn/{kind}", kind) for kind in kinds]
    strips += [("demo/frame 55", "fast-turn"), ("demo/frame 53", "uneven-motion")]
    for strip, name in strips:
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", f"{work}/{strip}-strip.png", "-vf", "scale=1280:-1",
                        "-q:v", "5", f"{HERE}/{name}.jpg"], check=True)


if __name__ == "__main__":
    main()
