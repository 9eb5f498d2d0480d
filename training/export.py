#!/usr/bin/env python3
"""Write the averaged weights of a checkpoint as safetensors: export.py CHECKPOINT OUT [--f32] [KEY=VALUE ...]."""
import argparse

import torch

from edgetrain import safetensors
from edgetrain.network import STRIDE, Z_MAX, Edge, cost
from edgetrain.operators import NORMALISE_EPS, PEAK_SHARPNESS


def metadata(net, steps):
    """What a reader of the file checks and shows; all values become strings."""
    return {"format": "edge", "version": 2, "layout": "OIHW", "activation": "leaky_relu 0.1", "stride": STRIDE,
            "zmax": Z_MAX, "beta": PEAK_SHARPNESS, "norm_eps": f"{NORMALISE_EPS:g}".replace("0.0001", "1e-4"),
            "mac_per_pixel": round(cost(net)), "steps": steps}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("out")
    parser.add_argument("--f32", action="store_true", help="store float32 (default float16)")
    parser.add_argument("meta", nargs="*", metavar="KEY=VALUE", help="more metadata")
    a = parser.parse_args()
    saved = torch.load(a.checkpoint, map_location="cpu")
    net = Edge.from_tensors(saved["ema"])
    meta = metadata(net, saved["step"])
    meta["name"] = saved["config"]["name"]
    meta.update(m.split("=", 1) for m in a.meta)
    store = torch.float32 if a.f32 else torch.float16
    safetensors.write(a.out, {k: v.to(store) for k, v in net.state_dict().items()}, meta)


if __name__ == "__main__":
    main()
