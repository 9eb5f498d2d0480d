#!/usr/bin/env python3
"""Makes the pictures of the model card: make.py DAIN [WORK_FOLDER]

Two frames of the demo clip, six drawn scenes and the demo clip by night, through `dain eval --save`; needs NumPy, Pillow
and ffmpeg.
"""
import os
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image, ImageDraw, ImageFont

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


def occlusion(back, x, y, t):
    """A near pillar goes right by 20 pixels, a farther ball behind it left by 24."""
    ball = texture(3, (30, 40, 110), (120, 180, 250))[:HEIGHT, 100 + round(24 * t):100 + round(24 * t) + WIDTH]
    picture = paste(back, ball, soft(np.hypot(x - 190 + 24 * t, y - 90) - 44))
    pillar = texture(4, (90, 60, 30), (220, 180, 120))[:HEIGHT, 150 - round(20 * t):150 - round(20 * t) + WIDTH]
    return paste(picture, pillar, soft(np.abs(x - 120 - 20 * t) - 22))


def text(back, t):
    """Credits that scroll by 12 pixels over the background, and a caption that stands still."""
    layer = Image.new("L", (WIDTH, HEIGHT), 0)
    draw, font = ImageDraw.Draw(layer), ImageFont.load_default()
    for line, words in enumerate(["Directed by nobody", "Camera: a program", "Sound: none", "No animal was drawn",
                                  "Made of 320 x 192 pixels", "The end"]):
        draw.text((90, 50 + 26 * line - round(12 * t)), words, 255, font)
    draw.text((8, HEIGHT - 14), "CAPTION 12:34:56", 255, font)
    return paste(back * 0.5, np.full_like(back, 245), np.asarray(layer) / 255)


def animation(x, y, t):
    """Flat colours and outlines; a figure moves by 40 pixels and up by 24, its arm swings by 60 degrees."""
    picture = np.where((y > 140)[..., None], (90.0, 160, 70), (140.0, 200, 240)) * np.ones((HEIGHT, WIDTH, 1))
    cx, cy, angle = 120 + 40 * t, 104 - 24 * t, np.radians(30 + 60 * t)
    along = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
    across = np.abs((y - cy) * np.cos(angle) - (x - cx) * np.sin(angle))
    arm = np.maximum(across - 7, np.abs(along - 35) - 30)
    head = np.hypot(x - cx, y - cy + 46) - 20
    body = np.maximum(np.abs(x - cx) - 18, np.abs(y - cy) - 30)
    for shape, colour in ((body, (200, 50, 60)), (head, (250, 215, 170)), (arm, (60, 80, 190))):
        picture = paste(picture, np.zeros_like(picture) + 20, soft(shape - 2))
        picture = paste(picture, np.zeros_like(picture) + colour, soft(shape))
    return picture


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
    if kind == "occlusion":
        return occlusion(back, x, y, t)
    if kind == "text":
        return text(back, t)
    if kind == "animation":
        return animation(x, y, t)
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
    kinds = ["large-motion", "thin-structure", "rotation", "occlusion", "text", "animation"]
    for kind in kinds:
        for k in range(3):
            write(f"{work}/scenes/{kind}/im{k + 1}.png", scene(kind, k / 2))
    subprocess.run([dain, "eval", f"{work}/scenes", "--vs", "blend", "--save", f"{work}/drawn"], check=True)
    subprocess.run([dain, "eval", os.path.join(HERE, "../../assets/demo.mp4"), "--vs", "blend", "--save",
                    f"{work}/demo"], check=True)
    night = f"{work}/night.mkv"  # a sixth of the light, with the grain of a small sensor
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", os.path.join(HERE, "../../assets/demo.mp4"), "-an", "-vf",
                    "lutyuv=y='16+(val-16)*0.3':u='128+(val-128)*0.5':v='128+(val-128)*0.5',"
                    "noise=alls=14:allf=t:all_seed=1", "-frames:v", "61", "-c:v", "ffv1", night], check=True)
    subprocess.run([dain, "eval", night, "--vs", "blend", "--save", f"{work}/night"], check=True)
    strips = [(f"drawn/{kind}", kind) for kind in kinds]
    strips += [("demo/frame 55", "fast-turn"), ("demo/frame 53", "uneven-motion"),
               ("night/frame 41", "night")]
    for strip, name in strips:
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", f"{work}/{strip}-strip.png", "-vf", "scale=1280:-1",
                        "-q:v", "5", f"{HERE}/{name}.jpg"], check=True)


if __name__ == "__main__":
    main()
