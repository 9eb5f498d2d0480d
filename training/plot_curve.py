#!/usr/bin/env python3
"""Plot validation over training as PNG: plot_curve.py OUT.png LOG.jsonl[:LABEL] ... [--line NAME=PSNR ...].

Several logs given as one comma-separated argument are one run, one after the other. Needs OpenCV only.
"""
import argparse
import json

import cv2
import numpy as np

COLOURS = [(180, 90, 20), (30, 110, 230), (60, 150, 40), (150, 40, 150), (20, 160, 190)]     # BGR
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 900, 480, 80, 60, 40, 20
FONT = cv2.FONT_HERSHEY_SIMPLEX


def points(paths, by):
    """Steps or minutes of training (summed over the logs) and PSNR of each validation."""
    out, offset = [], 0.0
    for path in paths.split(","):
        done = 0.0
        with open(path) as f:
            for line in f:
                entry = json.loads(line)
                done = entry.get({"steps": "step"}.get(by, by), done)
                if entry["kind"] == "val":
                    out.append((offset + done, entry["psnr"]))
        offset += done
    return out


def ticks(low, high, count):
    step = 10 ** np.floor(np.log10((high - low) / count))
    step *= min((k for k in (1, 2, 5, 10)), key=lambda k: abs((high - low) / (k * step) - count))
    return np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step


def draw(curves, lines, unit):
    """curves: (label, points); lines: (label, PSNR) drawn across. -> BGR picture."""
    x_high = max(x for _, c in curves for x, _ in c) * 1.02 + 1e-3
    values = [y for _, c in curves for _, y in c] + [y for _, y in lines]
    margin = 0.08 * (max(values) - min(values)) + 0.01
    low, high = min(values) - margin, max(values) + margin
    picture = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)

    def at(x, y):
        return (int(LEFT + x / x_high * (WIDTH - LEFT - RIGHT)),
                int(HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - BOTTOM - TOP)))

    def text(s, p, scale=0.45, colour=(40, 40, 40)):
        cv2.putText(picture, s, p, FONT, scale, colour, 1, cv2.LINE_AA)

    for y in ticks(low, high, 6):
        cv2.line(picture, at(0, y), at(x_high, y), (225, 225, 225), 1)
        text(f"{y:.2f}", (at(0, y)[0] - 55, at(0, y)[1] + 5))
    for x in ticks(0, x_high, 8):
        cv2.line(picture, at(x, low), at(x, high), (238, 238, 238), 1)
        text(f"{x:g}", (at(x, low)[0] - 8, HEIGHT - BOTTOM + 20))
    text(f"{unit} of training", (WIDTH // 2 - 70, HEIGHT - 15))
    text("PSNR of the 40 validation triplets, dB", (LEFT, 24), 0.5)
    for label, y in lines:
        cv2.line(picture, at(0, y), at(x_high, y), (120, 120, 120), 1, cv2.LINE_AA)
        text(f"{label} {y:.2f}", (at(x_high, y)[0] - 170, at(0, y)[1] - 5), 0.42, (110, 110, 110))
    for i, (label, curve) in enumerate(curves):
        colour, path = COLOURS[i % len(COLOURS)], [at(*p) for p in curve]
        cv2.polylines(picture, [np.array(path, np.int32)], False, colour, 2, cv2.LINE_AA)
        for p in path:
            cv2.circle(picture, p, 3, colour, -1, cv2.LINE_AA)
        text(label, (LEFT + 12 + 180 * i, TOP + 14), 0.48, colour)
    return picture


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("log", nargs="+")
    parser.add_argument("--line", action="append", default=[], metavar="NAME=PSNR")
    parser.add_argument("--by", choices=["steps", "minutes"], default="steps")
    a = parser.parse_args()
    curves = []
    for item in a.log:
        path, _, name = item.partition(":")
        curves.append((name or path, points(path, a.by)))
    lines = [(n, float(v)) for n, v in (x.split("=") for x in a.line)]
    cv2.imwrite(a.out, draw(curves, lines, a.by))


if __name__ == "__main__":
    main()
