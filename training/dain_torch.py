#!/usr/bin/env python3
"""The original network, DAIN, in torch: for golden tests, as a yardstick in benchmarks, for fine-tuning.

    dain_torch.py WEIGHTS IM0 IM1 OUT [--times 0.25,0.5,0.75] [--pad original|minimal]
    dain_torch.py WEIGHTS --bench 640x480 [--times ...] [--threads 2] [--runs 1]

WEIGHTS is a safetensors file with the published names (what `dain convert best.pth` writes).  Parameter
names are the published ones, so that state_dict() is a checkpoint.  Operators that frameworks lack are
written with torch's indexing; gradients flow through all of them except where a flow is rounded down.
Tensors are NCHW, pictures RGB in 0..1, flows (x right, y down) in pixels.
"""
import argparse
import os
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from edgetrain import safetensors  # noqa: E402

FLOW_UNIT = 20.0  # pixels per unit of the flow network's output


# ---- operators

def pixel_grid(like):
    h, w = like.shape[-2:]
    y = torch.arange(h, dtype=like.dtype, device=like.device).view(h, 1).expand(h, w)
    x = torch.arange(w, dtype=like.dtype, device=like.device).view(1, w).expand(h, w)
    return x, y


def correlation(a, b, radius=4):
    """Mean over channels of a(p) * b(p + d), one channel for each d, rows of d slowest."""
    h, w = a.shape[-2:]
    b = F.pad(b, [radius] * 4)
    span = 2 * radius + 1
    costs = [(a * b[:, :, dy:dy + h, dx:dx + w]).mean(1) for dy in range(span) for dx in range(span)]
    return torch.stack(costs, 1)


def pwc_warp(feature, flow):
    """Bilinear backward warp; 0 where less than 0.9999 of the weight is inside."""
    h, w = feature.shape[-2:]
    x, y = pixel_grid(flow)
    gx = 2.0 * (x + flow[:, 0]) / max(w - 1, 1) - 1.0
    gy = 2.0 * (y + flow[:, 1]) / max(h - 1, 1) - 1.0
    grid = torch.stack((gx, gy), -1)
    # align_corners: what the published weights were trained with
    warped = F.grid_sample(feature, grid, align_corners=True)
    inside = F.grid_sample(torch.ones_like(feature[:, :1]), grid, align_corners=True)
    return warped * (inside >= 0.9999).to(feature.dtype)


def nearest_valid(valid, axis, backwards):
    """For every pixel the index along an axis of the nearest valid pixel before (after) it, -1 if none."""
    n = valid.shape[axis]
    shape = [1] * valid.dim()
    shape[axis] = n
    index = torch.arange(n, device=valid.device).view(shape).expand(valid.shape)
    if backwards:
        mirrored = torch.where(valid, n - 1 - index, -torch.ones_like(index)).flip(axis)
        last = mirrored.cummax(axis)[0].flip(axis)
        return torch.where(last >= 0, n - 1 - last, last)
    return torch.where(valid, index, -torch.ones_like(index)).cummax(axis)[0]


def fill_holes(flow, count):
    """Pixels without a count get the mean of the nearest ones with it on the left, right, above, below."""
    b, _, h, w = flow.shape
    valid = count[:, 0] > 0
    total, found = torch.zeros_like(flow), torch.zeros_like(count)
    rows = torch.arange(h, device=flow.device).view(1, h, 1)
    columns = torch.arange(w, device=flow.device).view(1, 1, w)
    plane = flow.flatten(2)
    for axis in (2, 1):
        for backwards in (False, True):
            near = nearest_valid(valid, axis, backwards)
            at = near.clamp(min=0)
            index = rows * w + at if axis == 2 else at * w + columns
            value = plane.gather(2, index.view(b, 1, h * w).expand(-1, 2, -1)).view_as(flow)
            hit = (near >= 0).to(flow.dtype).unsqueeze(1)
            total = total + value * hit
            found = found + hit
    filled = total / found.clamp(min=1)
    return torch.where(valid.unsqueeze(1), flow, filled)


def flow_projection(flow, weight):
    """Splats minus the flow to the four pixels around its target, each with the full weight; the mean."""
    b, _, h, w = flow.shape
    x, y = pixel_grid(flow)
    x2, y2 = x + flow[:, 0], y + flow[:, 1]
    accepted = (x2 >= 0) & (y2 >= 0) & (x2 <= w - 1) & (y2 <= h - 1)
    out = []
    for n in range(b):
        take = accepted[n]
        left, top = x2[n][take].long(), y2[n][take].long()
        right, bottom = (left + 1).clamp(max=w - 1), (top + 1).clamp(max=h - 1)
        k = weight[n, 0][take]
        values = torch.stack((-(k * flow[n, 0][take]), -(k * flow[n, 1][take]), k))
        total = torch.zeros(3, h * w, dtype=flow.dtype, device=flow.device)
        for row in (top, bottom):
            for column in (left, right):
                total = total.index_add(1, row * w + column, values)
        out.append(total.view(3, h, w))
    total = torch.stack(out)
    count = total[:, 2:]
    mean = total[:, :2] / torch.where(count > 0, count, torch.ones_like(count))
    return fill_holes(mean, count)


def filter_interpolation(image, flow, kernel):
    """Adaptive 4x4 warp: each quadrant of the kernel is scaled by its bilinear factor."""
    b, c, h, w = image.shape
    x, y = pixel_grid(flow)
    fx, fy = flow[:, 0], flow[:, 1]
    x2, y2 = x + fx, y + fy
    valid = ((x2 >= 0) & (y2 >= 0) & (x2 <= w - 1) & (y2 <= h - 1)
             & (fx.abs() < w / 2) & (fy.abs() < h / 2))
    x2, y2 = torch.where(valid, x2, torch.zeros_like(x2)), torch.where(valid, y2, torch.zeros_like(y2))
    left, top = x2.long(), y2.long()
    across, down = x2 - left, y2 - top
    plane = image.flatten(2)
    out = torch.zeros_like(image)
    for j in range(4):
        row = (top + j - 1).clamp(0, h - 1)
        vertical = down if j > 1 else 1 - down
        for i in range(4):
            column = (left + i - 1).clamp(0, w - 1)
            factor = kernel[:, 4 * j + i] * vertical * (across if i > 1 else 1 - across)
            index = (row * w + column).view(b, 1, h * w).expand(-1, c, -1)
            out = out + plane.gather(2, index).view_as(image) * factor.unsqueeze(1)
    return torch.where(valid.unsqueeze(1), out, image)


# ---- networks; the names of modules give the published names of parameters

def conv(ci, co, k=3, stride=1, dilation=1, bias=True):
    return nn.Conv2d(ci, co, k, stride, dilation * (k - 1) // 2, dilation, bias=bias)


def leaky(ci, co, stride=1, dilation=1):
    return nn.Sequential(conv(ci, co, 3, stride, dilation), nn.LeakyReLU(0.1))


class Inception(nn.ModuleList):
    """Four branches side by side: 1x1, and three of 1x1 then k x k."""

    def __init__(self, ci, co, mid, sizes):
        def normed(a, b, k):
            return [conv(a, b, k), nn.BatchNorm2d(b, affine=False), nn.ReLU()]
        branches = [nn.Sequential(*normed(ci, co // 4, 1))]
        branches += [nn.Sequential(*normed(ci, mid, 1), *normed(mid, co // 4, k)) for k in sizes]
        super().__init__(branches)

    def forward(self, x):
        return torch.cat([branch(x) for branch in self], 1)


class Sum(nn.ModuleList):
    def forward(self, x):
        return self[0](x) + self[1](x)


class Double(nn.Module):
    def forward(self, x):
        return F.interpolate(x, scale_factor=2, mode="nearest")


def depth_net():
    """An hourglass; each level is the sum of a path at its resolution and one at half of it."""
    small, large = (3, 5, 7), (3, 7, 11)
    def a(): return Inception(128, 128, 32, small)
    def c(): return Inception(256, 256, 32, small)
    def d(): return Inception(256, 256, 64, large)
    level4 = Sum([nn.Sequential(c(), c()), nn.Sequential(nn.AvgPool2d(2), c(), c(), c(), Double())])
    level3 = Sum([nn.Sequential(c(), d()),
                  nn.Sequential(nn.AvgPool2d(2), c(), c(), nn.Sequential(level4), c(), d(), Double())])
    level2 = Sum([nn.Sequential(nn.MaxPool2d(2), a(), Inception(128, 256, 32, small), nn.Sequential(level3),
                                c(), Inception(256, 128, 32, small), Double()),
                  nn.Sequential(a(), Inception(128, 128, 64, large))])
    level1 = Sum([nn.Sequential(nn.MaxPool2d(2), a(), a(), nn.Sequential(level2),
                                Inception(128, 128, 64, small), Inception(128, 64, 32, large), Double()),
                  nn.Sequential(Inception(128, 64, 64, large))])
    return nn.Sequential(conv(3, 128, 7), nn.BatchNorm2d(128), nn.ReLU(), nn.Sequential(level1),
                         conv(64, 1))


class Residual(nn.Module):
    def __init__(self, width, dilation=1):
        super().__init__()
        self.conv1 = conv(width, width, dilation=dilation, bias=False)
        self.conv2 = conv(width, width, bias=False)

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))) + x)


class ContextNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.block1 = nn.Sequential(conv(3, 64, 7, bias=False), nn.ReLU())
        self.block2, self.block3 = Residual(64, 4), Residual(64, 8)

    def forward(self, image):
        a = self.block1(image)
        b = self.block2(a)
        return torch.cat((image, a, b, self.block3(b)), 1)


class RectifyNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.block1 = nn.Sequential(conv(437, 128, 7), nn.ReLU())
        self.block2, self.block3, self.block4 = Residual(128), Residual(128), Residual(128)
        self.block5 = nn.Sequential(conv(128, 3))

    def forward(self, x):
        return self.block5(self.block4(self.block3(self.block2(self.block1(x)))))


class FlowNet(nn.Module):
    """PWC-Net; units of 20 pixels at a quarter of the size."""
    widths = {1: 16, 2: 32, 3: 64, 4: 96, 5: 128, 6: 196}
    dense = (128, 128, 96, 64, 32)

    def __init__(self):
        super().__init__()
        before = 3
        for level, width in self.widths.items():
            for i, name in enumerate(self.pyramid_names(level)):
                setattr(self, name, leaky(before if i == 0 else width, width, 2 if i == 0 else 1))
            before = width
        for level in range(6, 1, -1):
            ci = 81 + (self.widths[level] + 4 if level < 6 else 0)
            for i, co in enumerate(self.dense):
                setattr(self, "conv%d_%d" % (level, i), leaky(ci, co))
                ci += co
            setattr(self, "predict_flow%d" % level, conv(ci, 2))
            # The published checkpoint has deconv2 too, which nothing uses.
            setattr(self, "deconv%d" % level, nn.ConvTranspose2d(2, 2, 4, 2, 1))
            if level > 2:
                setattr(self, "upfeat%d" % level, nn.ConvTranspose2d(ci, 2, 4, 2, 1))
        for i, (co, dilation) in enumerate(((128, 1), (128, 2), (128, 4), (96, 8), (64, 16), (32, 1))):
            setattr(self, "dc_conv%d" % (i + 1), leaky(ci, co, dilation=dilation))
            ci = co
        self.dc_conv7 = conv(ci, 2)

    @staticmethod
    def pyramid_names(level):
        return ["conv6aa", "conv6a", "conv6b"] if level == 6 else ["conv%d%s" % (level, s) for s in ("a", "aa", "b")]

    def pyramid(self, image):
        features, x = {}, image
        for level in self.widths:
            for name in self.pyramid_names(level):
                x = getattr(self, name)(x)
            features[level] = x
        return features

    def decode(self, a, b):
        """Flow from the frame of pyramid a to that of b."""
        flow = feature = None
        for level in range(6, 1, -1):
            target = b[level] if flow is None else pwc_warp(b[level], flow * (FLOW_UNIT / 2 ** level))
            x = F.leaky_relu(correlation(a[level], target), 0.1)
            if flow is not None:
                x = torch.cat((x, a[level], flow, feature), 1)
            for i in range(len(self.dense)):
                x = torch.cat((getattr(self, "conv%d_%d" % (level, i))(x), x), 1)
            predicted = getattr(self, "predict_flow%d" % level)(x)
            if level > 2:
                flow = getattr(self, "deconv%d" % level)(predicted)
                feature = getattr(self, "upfeat%d" % level)(x)
        for i in range(1, 7):
            x = getattr(self, "dc_conv%d" % i)(x)
        return predicted + self.dc_conv7(x)


class FilterTrunk(nn.Sequential):
    """The indices are those of the published list; skips are added after each upsampling."""
    down = {2: (16, 32), 5: (32, 64), 8: (64, 128), 11: (128, 256), 14: (256, 512)}
    up = {20: (512, 256), 23: (256, 128), 26: (128, 64), 29: (64, 32), 32: (32, 16)}

    def __init__(self):
        super().__init__()
        for i, (ci, co) in {0: (6, 16), **self.down, 17: (512, 512), **self.up}.items():
            self.add_module(str(i), conv(ci, co))

    def layer(self, i, x):
        return F.relu(self._modules[str(i)](x))

    def forward(self, x):
        skips = []
        x = self.layer(0, x)
        for i in self.down:
            x = self.layer(i, x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.layer(17, x)
        for i in self.up:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = self.layer(i, x + skips.pop())
        return x


class Dain(nn.Module):
    def __init__(self):
        super().__init__()
        self.initScaleNets_filter = FilterTrunk()
        self.initScaleNets_filter1 = nn.Sequential(conv(16, 16), nn.ReLU(), conv(16, 16))
        self.initScaleNets_filter2 = nn.Sequential(conv(16, 16), nn.ReLU(), conv(16, 16))
        self.ctxNet, self.flownets = ContextNet(), FlowNet()
        self.rectifyNet, self.depthNet = RectifyNet(), depth_net()

    def frame(self, image):
        """What depends on one picture: log depth, context features with it, pyramid."""
        depth = self.depthNet(image)
        return dict(image=image, depth=depth, context=torch.cat((self.ctxNet(image), depth), 1),
                    pyramid=self.flownets.pyramid(image))

    def pair(self, a, b):
        """What depends on two: flows in both directions and the kernels of both."""
        trunk = self.initScaleNets_filter(torch.cat((a["image"], b["image"]), 1))
        return dict(flow=(self.flownets.decode(a["pyramid"], b["pyramid"]),
                          self.flownets.decode(b["pyramid"], a["pyramid"])),
                    kernel=(self.initScaleNets_filter1(trunk), self.initScaleNets_filter2(trunk)))

    def at(self, a, b, pair, t):
        """The new picture, unclamped, and what it was made from."""
        frames, shares = (a, b), (t, 1.0 - t)
        projected, warped, context = [], [], []
        for k in range(2):
            flow = F.interpolate(FLOW_UNIT * pair["flow"][k] * shares[k], scale_factor=4, mode="bilinear",
                                 align_corners=False)
            weight = 1e-6 + 1.0 / torch.exp(frames[k]["depth"])
            projected.append(flow_projection(flow, weight))
            kernel = pair["kernel"][k]
            warped.append(filter_interpolation(frames[k]["image"], projected[k], kernel))
            context.append(filter_interpolation(frames[k]["context"], projected[k], kernel))
        blend = (1.0 - t) * warped[0] + t * warped[1]
        wide = torch.cat((blend, *warped, *projected, *pair["kernel"], *context), 1)
        return dict(output=self.rectifyNet(wide) + blend, blend=blend, projected=projected, warped=warped)

    def forward(self, image0, image1, times=(0.5,)):
        a, b = self.frame(image0), self.frame(image1)
        pair = self.pair(a, b)
        return [self.at(a, b, pair, t)["output"] for t in times]


def load(path):
    """The network with the weights of a safetensors file, ready for inference."""
    net = Dain()
    tensors = safetensors.read(path)[0]
    own = net.state_dict()
    state = {k: torch.as_tensor(tensors[k]).to(v.dtype) for k, v in own.items() if k in tensors}
    missing = [k for k in own if k not in state and not k.endswith("num_batches_tracked")
               and not k.startswith("flownets.deconv2.")]
    if missing:
        raise SystemExit("%s: tensor %s is missing (and %d more)" % (path, missing[0], len(missing) - 1))
    net.load_state_dict(state, strict=False)
    return net.eval()


# ---- pictures

def padding(size, original):
    """Pixels before and after, for one axis."""
    if not original:
        return 0, -size % 64
    if size % 128 == 0:
        return 32, 32
    total = (size // 128 + 1) * 128 - size
    return total // 2, total - total // 2


def interpolate_pictures(net, image0, image1, times, original=True):
    """uint8 arrays [H, W, 3] in, a list of such arrays out."""
    h, w = image0.shape[:2]
    (top, bottom), (left, right) = padding(h, original), padding(w, original)
    def tensor(u8):
        x = torch.from_numpy(u8).permute(2, 0, 1)[None].float() / 255
        return F.pad(x, (left, right, top, bottom), mode="replicate")
    with torch.no_grad():
        outputs = net(tensor(image0), tensor(image1), times)
    cropped = [o[0, :, top:top + h, left:left + w].clamp(0, 1) * 255 for o in outputs]
    return [o.round().byte().permute(1, 2, 0).numpy() for o in cropped]


def bench(net, width, height, times, runs, original):
    (top, bottom), (left, right) = padding(height, original), padding(width, original)
    shape = (1, 3, height + top + bottom, width + left + right)
    pictures = [torch.rand(shape, generator=torch.Generator().manual_seed(i)) for i in range(2)]
    with torch.no_grad():
        for _ in range(runs):
            # Wall time, and processor time for machines that other programs use too.
            clock = [(time.perf_counter(), time.process_time())]
            def tick(): clock.append((time.perf_counter(), time.process_time()))
            a, b = net.frame(pictures[0]), net.frame(pictures[1])
            tick()
            pair = net.pair(a, b)
            tick()
            for t in times:
                net.at(a, b, pair, t)
            tick()
            wall, cpu = ([y[i] - x[i] for x, y in zip(clock, clock[1:])] for i in range(2))
            print("%dx%d padded %dx%d: wall (cpu) seconds: two frames %.2f (%.2f), pair %.2f (%.2f), "
                  "%d times %.2f (%.2f), all %.2f (%.2f); peak %d MiB"
                  % (width, height, shape[3], shape[2], wall[0], cpu[0], wall[1], cpu[1], len(times), wall[2], cpu[2],
                     sum(wall), sum(cpu), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights")
    parser.add_argument("pictures", nargs="*", metavar="IM0 IM1 OUT")
    parser.add_argument("--times", default="0.5", help="comma-separated, between 0 and 1")
    parser.add_argument("--pad", choices=("original", "minimal"), default="original")
    parser.add_argument("--bench", metavar="WxH", help="random pictures of this size, time per stage")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    args = parser.parse_args()
    times = [float(t) for t in args.times.split(",")]
    if args.threads:
        torch.set_num_threads(args.threads)
    net = load(args.weights)
    if args.bench:
        width, height = map(int, args.bench.split("x"))
        bench(net, width, height, times, args.runs, args.pad == "original")
        return
    if len(args.pictures) != 3:
        parser.error("two pictures and an output are needed")
    import cv2
    inputs = [cv2.imread(p)[:, :, ::-1].copy() for p in args.pictures[:2]]
    stem, suffix = os.path.splitext(args.pictures[2])
    for t, picture in zip(times, interpolate_pictures(net, *inputs, times, args.pad == "original")):
        name = args.pictures[2] if len(times) == 1 else "%s_%g%s" % (stem, t, suffix)
        cv2.imwrite(name, picture[:, :, ::-1])


if __name__ == "__main__":
    main()
