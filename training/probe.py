#!/usr/bin/env python3
"""Where a network's error lies: what it would score with other motion in the place of its own.

    probe.py ROOT weights.safetensors

ROOT as for evaluate.py. Prints mean PSNR and IE of: the network, DIS flow with warping, the mean of both, the better of
both in each 16x16 window (knowing the truth); of the network with DIS flows as its pair flow, with the mean of both flows,
with its pair flow polished at 1/4 (once) and 1/2 (three times), and with flows at 1/8 that DIS found from the true middle
frame. Then end-point errors of flows projected to t against those, in full-size pixels.
"""
import argparse

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from edgetrain import metrics, native
from edgetrain.clips import labels
from edgetrain.losses import pooled
from edgetrain.network import STRIDE, luma_half
from evaluate import load

PRESET = "medium"


def enlarged(picture):
    h, w = picture.shape[:2]
    return cv2.copyMakeBorder(picture, 0, -h % STRIDE, 0, -w % STRIDE, cv2.BORDER_REPLICATE)


def dis_flows(first, truth, last):
    """DIS flows 01, 10, t0, t1 at 1/8 in pixels of that level (4,2,h,w), and their confidence (4,1,h,w)."""
    flow, sure = labels(np.stack([enlarged(p) for p in (first, truth, last)]), True, PRESET)
    flow, sure = torch.from_numpy(flow).permute(0, 3, 1, 2), torch.from_numpy(sure)[:, None]
    weighted, confidence = pooled(flow, sure, 2)
    return F.avg_pool2d(flow, 2) / 8, weighted / 8, confidence


def polished(net, flow, lumas, divisor, window, steps):
    """The pair flow after polish steps at 1/divisor of the size, back at 1/8."""
    times = 8 // divisor
    y = F.avg_pool2d(lumas, divisor // 2)
    for _ in range(times.bit_length() - 1):
        flow = 2 * net.ops.up2(flow)
    still, t = torch.zeros_like(flow), torch.zeros(1, 1, 1, 1)
    for _ in range(steps):
        flow = net._polish_step(torch.cat([still, flow], 1), y, y.flip(0), t, window)[:, 2:]
    return F.avg_pool2d(flow, times) / times


def variants(net, first, last, flows):
    """name -> (pair flow or None, flows at t or None): what takes the place of the network's own."""
    own = net.pair_flow
    i0, i1 = (metrics.tensor(enlarged(p)) for p in (first, last))
    lumas = torch.cat([luma_half(i0), luma_half(i1)])

    def pair(change):
        def flow(fa, fb):
            r = own(fa, fb)
            return r[0], r[1], change(r[2]), r[3]
        return flow

    yield "network", None, None
    yield "pair flow of DIS", pair(lambda f: flows[:2]), None
    yield "mean of both pair flows", pair(lambda f: (f + flows[:2]) / 2), None
    yield "pair flow polished at 1/4, window 5, once", pair(lambda f: polished(net, f, lumas, 4, 5, 1)), None
    yield "pair flow polished at 1/2, window 9, 3 times", pair(lambda f: polished(net, f, lumas, 2, 9, 3)), None
    yield "flows at t from the true middle frame", None, (flows[2:3], flows[3:4])


def end_point(flow, truth, sure):
    return float(((8 * (flow - truth)).norm(dim=1, keepdim=True) * sure).sum() / sure.sum())


@torch.no_grad()
def probe(net, first, truth, last):
    """-> dict of (PSNR, IE) and dict of end-point errors."""
    flows, labelled, sure = dis_flows(first, truth, last)
    scores, own_pair, own_project = {}, net.pair_flow, net.project
    for name, pair, at_t in variants(net, first, last, flows):
        net.pair_flow = pair or own_pair
        if at_t:
            net.project = lambda *a, at_t=at_t: (*at_t, *own_project(*a)[2:])
        out = metrics.network(net, first, last)
        if name == "network":
            picture = out
        scores[name] = metrics.psnr(out, truth), metrics.error(out, truth)
        net.pair_flow, net.project = own_pair, own_project
    dis = metrics.dis(first, last)
    a, b = (np.square(p.astype(float) - truth).mean(2) for p in (picture, dis))
    best = np.where((cv2.blur(a, (16, 16)) < cv2.blur(b, (16, 16)))[..., None], picture, dis)
    for name, p in (("DIS and warping", dis), ("the better in 16x16, knowing the truth", best),
                    ("mean of both pictures", (picture.astype(float) + dis) / 2)):
        scores[name] = metrics.psnr(p, truth), metrics.error(p, truth)
    half = torch.full((1, 1, 1, 1), 0.5)
    r = net(*(metrics.tensor(enlarged(p)) for p in (first, last)), half, "pair")
    w = r["importance"]
    thrown = torch.cat(net.project(flows[:1], flows[1:2], w[:1], w[1:], half)[:2])
    return scores, {name: end_point(f, labelled[2:], sure[2:])
                    for name, f in (("network", r["projected"]), ("DIS", thrown))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root")
    parser.add_argument("weights")
    a = parser.parse_args()
    torch.set_num_threads(1)
    net = load(a.weights, native)
    rows = [probe(net, *(metrics.read(p) for p in paths)) for _, *paths in metrics.triplets(a.root)]
    if not rows:
        raise SystemExit(f"no triplets in {a.root}")
    for name in rows[0][0]:
        print("%-46s %.3f / %.3f" % (name, *np.mean([scores[name] for scores, _ in rows], 0)))
    for name in rows[0][1]:
        print("end-point error, projected pair flow of %-7s %.3f" % (name, np.mean([e[name] for _, e in rows])))


if __name__ == "__main__":
    main()
