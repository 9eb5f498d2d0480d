"""A checkpoint of the original network with defined random values: a fixture, not a useful model.

The same values as tests/golden/dain_checkpoint.c makes, by the same rule: MT19937 seeded from the name,
only exact operations after it.
"""
import hashlib
import math

import numpy as np

DIGEST = "693dd4017f4dff499eddad5b7fcd0b16f5d2ba1c854a4e9464fb87bb891b9d65"
ZERO_MEAN = {"depthNet.0.weight": 3.0, "ctxNet.block1.0.weight": 2.0, "flownets.conv1a.0.weight": 3.0,
             "initScaleNets_filter.0.weight": 3.0}
GAINS = ((".predict_flow6", 1.0), (".predict_flow", 0.5), (".dc_conv7", 0.5), ("initScaleNets_filter1.2", 0.05),
         ("initScaleNets_filter2.2", 0.05), ("rectifyNet.block5", 0.05), ("rectifyNet.block1", 0.5),
         ("depthNet.4.weight", 0.25), ("flownets.conv6_0.0.weight", 3.0), (".conv2.weight", 0.5))


def gain(name):
    if name in ZERO_MEAN:
        return ZERO_MEAN[name]
    return next((g for part, g in GAINS if part in name), 1.0)


def bias(name, v):
    v = 0.05 * v
    if name in ("initScaleNets_filter1.2.bias", "initScaleNets_filter2.2.bias"):
        v = np.where(np.isin(np.arange(v.size), (5, 6, 9, 10)), 0.7, 0.1) + 0.2 * v
    flow = any(part in name for part in (".predict_flow", ".dc_conv7", ".deconv"))
    return 0.2 * v if flow else v


def weight(name, shape, v):
    if ".deconv" in name:
        tent = np.array([0.25, 0.75, 0.75, 0.25])
        base = np.eye(shape[0])[:, :, None, None] * np.outer(tent, tent)
        return base.ravel() + 0.02 * v
    taps = shape[2] * shape[3]
    fan = shape[0] * taps / 4.0 if ".upfeat" in name else shape[1] * taps
    v = v * (gain(name) * math.sqrt(6.0 / fan))
    if name in ZERO_MEAN:
        rows = v.reshape(shape[0], -1)
        for row in rows:
            row -= 0.9 * (math.fsum(row.tolist()) / row.size)
    return v


def values(name, shape):
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "little")
    v = 2.0 * np.random.RandomState(seed).random_sample(int(np.prod(shape))) - 1.0
    if name.endswith("running_mean"):
        v = 0.2 * v
    elif name.endswith("running_var"):
        v = 1.0 + 0.5 * v
    elif name == "depthNet.1.weight":
        v = 1.0 + 0.2 * v
    elif name == "depthNet.4.bias":
        v = np.full_like(v, -0.5)
    elif name.endswith("bias"):
        v = bias(name, v)
    else:
        v = weight(name, shape, v)
    return v.astype(np.float32).reshape(shape)


def make(table):
    tensors = {}
    with open(table) as f:
        next(f)
        for line in f:
            name, shape, kind, _ = line.split("\t")
            if kind == "int64":
                tensors[name] = np.array(1000, np.int64)
            else:
                tensors[name] = values(name, tuple(map(int, shape.split("x"))))
    return tensors


def digest(tensors):
    h = hashlib.sha256()
    for name in sorted(tensors, key=str.encode):
        if tensors[name].dtype == np.float32:
            h.update(name.encode() + tensors[name].tobytes())
    return h.hexdigest()
