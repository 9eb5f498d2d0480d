#!/usr/bin/env python3
"""PSNR, SSIM and IE of weights and baselines, per sequence, as a table (and JSON).

    evaluate.py ROOT new.safetensors old.safetensors dis blend
    evaluate.py ROOT new.safetensors rife:FOLDER rife-flow:FOLDER      (edgetrain/peers.py says what FOLDER is)

ROOT is a Middlebury tree (input/, gt/), a UCF101 tree (N/frame0..2.png) or a tree of im1..im3.png. Output is rounded
to 8 bits. PSNR and IE (mean absolute difference in levels) are over RGB; SSIM has a Gaussian window of sigma 1.5.
"""
import argparse
import json
import os

import cv2
import numpy as np
import torch

from edgetrain import metrics, native, operators, peers, safetensors
from edgetrain.network import Edge


def load(path, ops, device="cpu"):
    """A network from a weight file or the averaged weights of a checkpoint."""
    tensors = safetensors.read(path)[0] if path.endswith(".safetensors") else \
        torch.load(path, map_location="cpu")["ema"]
    return Edge.from_tensors(tensors, ops).eval().to(device, memory_format=torch.channels_last)


def method(name, ops, device):
    if name in ("blend", "dis"):
        return getattr(metrics, name)
    if name.startswith(("rife:", "rife-flow:")):
        kind, folder = name.split(":", 1)
        return peers.rife(folder, whole=kind == "rife")
    net = load(name, ops, device)
    return lambda a, b: metrics.network(net, a, b)


def label(name):
    return name.split(":")[0] if ":" in name else os.path.splitext(os.path.basename(name))[0]


def table(names, rows):
    """Markdown: one line per sequence, PSNR / SSIM / IE per method, means last."""
    lines = ["| sequence | " + " | ".join(label(n) for n in names) + " |", "|---" * (len(names) + 1) + "|"]
    mean = np.mean([scores for _, scores in rows], 0)
    for name, scores in rows + [(f"**mean of {len(rows)}**", mean)]:
        lines.append(f"| {name} | " + " | ".join("%.2f / %.4f / %.3f" % tuple(s) for s in scores) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root")
    parser.add_argument("method", nargs="+", help="weights (.safetensors, checkpoint .pt), `dis`, `blend`, rife:FOLDER or rife-flow:FOLDER")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--ops", choices=["native", "torch"], help="default: native on the CPU")
    parser.add_argument("--json", help="write scores here as well")
    parser.add_argument("--save", help="write every output as PNG into this folder")
    a = parser.parse_args()
    ops = operators if (a.ops or ("native" if a.device == "cpu" else "torch")) == "torch" else native
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    run, rows = [method(m, ops, a.device) for m in a.method], []
    sequences = metrics.triplets(a.root)
    if not sequences:
        raise SystemExit(f"no triplets in {a.root}")
    for name, *paths in sequences:
        first, truth, last = (metrics.read(p) for p in paths)
        outs = [f(first, last) for f in run]
        rows.append((name, [(metrics.psnr(o, truth), metrics.ssim(o, truth), metrics.error(o, truth)) for o in outs]))
        if a.save:
            os.makedirs(a.save, exist_ok=True)
            for m, o in zip(a.method, outs):
                cv2.imwrite(os.path.join(a.save, f"{name.replace('/', '_')}-{label(m)}.png"), o[:, :, ::-1])
    print(table(a.method, rows))
    if a.json:
        with open(a.json, "w") as f:
            json.dump({"methods": a.method, "rows": rows}, f, indent=1, default=float)


if __name__ == "__main__":
    main()
