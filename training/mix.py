#!/usr/bin/env python3
"""Weights between two networks, the share chosen on the validation set.

    mix.py OLD.safetensors NEW OUT.safetensors --val DIR [--share 0.25 0.5 0.75 1]

Computes (1 - share) * OLD + share * NEW for each share, validates each, and writes the best. A short fine-tuning
often gains more half-way than at its end. NEW is a weight file or a checkpoint (its averaged weights).
"""
import argparse

import numpy as np
import torch

from edgetrain import metrics, native, safetensors
from edgetrain.network import Edge
from export import metadata


def load(path):
    """-> tensors in float32, steps, name."""
    if path.endswith(".safetensors"):
        tensors, meta = safetensors.read(path)
        return {k: v.float() for k, v in tensors.items()}, int(meta.get("steps", 0)), meta.get("name", "")
    saved = torch.load(path, map_location="cpu")
    return saved["ema"], saved["step"], saved["config"]["name"]


def mixed(old, new, share):
    return {k: (old[k] + share * (new[k] - old[k])).half() for k in old}


def score(tensors, sequences):
    net = Edge.from_tensors(tensors, native).eval().to(memory_format=torch.channels_last)
    rows = []
    for first, truth, last in sequences:
        out = metrics.network(net, first, last)
        rows.append((metrics.psnr(out, truth), metrics.error(out, truth)))
    return np.mean(rows, 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("out")
    parser.add_argument("--val", required=True)
    parser.add_argument("--share", type=float, nargs="+", default=[0.25, 0.5, 0.75, 1.0])
    a = parser.parse_args()
    torch.set_num_threads(1)
    old, new, steps, name = load(a.old)[0], *load(a.new)
    sequences = [[metrics.read(p) for p in paths] for _, *paths in metrics.triplets(a.val)]
    results = {s: score(mixed(old, new, s), sequences) for s in a.share}
    for s, (psnr, error) in results.items():
        print(f"share {s:.2f}: {psnr:.3f} dB, {error:.3f}", flush=True)
    best = max(results, key=lambda s: results[s][0])
    tensors = mixed(old, new, best)
    meta = dict(metadata(Edge.from_tensors(tensors), steps), name=name, share=best)
    safetensors.write(a.out, tensors, meta)
    print(f"share {best:.2f} written to {a.out}")


if __name__ == "__main__":
    main()
