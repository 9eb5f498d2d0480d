"""The `edge` network, version 2, in torch. Tensor names and meaning: docs/ specification.

Widths are read from a weight file where one is given, so that a pruned network is the same class:
`Edge.from_tensors(tensors)`. Times t are (N,1,1,1) in (0,1); pictures are (N,3,H,W) in [0,1].
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from . import operators

STRIDE = 32                 # pictures are padded to multiples of this
Z_MAX = 4.0                 # bound of log inverse depth and of the splatting importance
RADIUS = {"flo5": 4, "flo4": 4, "flo3": 3, "ref8": 3, "ref4": 2}
HEADS = ("depz", "flo5f", "flo4f", "flo3f", "ref8f", "ref4f", "ref2o")

# name: output channels of version 2; heads are fixed by what they mean
WIDTHS = {
    "enc1a": 16, "enc1b": 16, "enc2a": 32, "enc2b": 32, "enc3a": 48, "enc3b": 48,
    "enc4a": 64, "enc4b": 64, "enc5a": 96, "enc5b": 96,
    "dep5": 32, "dep4": 32, "dep3a": 32, "dep3b": 32, "depz": 1,
    "flo5a": 96, "flo5b": 64, "flo5f": 2, "flo5h": 32,
    "flo4a": 96, "flo4b": 64, "flo4f": 2, "flo4h": 32, "flo3a": 64, "flo3b": 64, "flo3f": 3,
    "ref8a": 64, "ref8b": 64, "ref8c": 64, "ref8f": 4, "ref8h": 32,
    "ref4a": 64, "ref4b": 64, "ref4c": 64, "ref4f": 4, "ref4h": 24,
    "ref2a": 32, "ref2b": 32, "ref2o": 24,
}


def _inputs(w):
    """Input channels of every layer, given the output channels w."""
    side = {k: (2 * r + 1) ** 2 for k, r in RADIUS.items()}
    return {
        "enc1a": 3, "enc1b": w["enc1a"], "enc2a": w["enc1b"], "enc2b": w["enc2a"],
        "enc3a": w["enc2b"], "enc3b": w["enc3a"], "enc4a": w["enc3b"], "enc4b": w["enc4a"],
        "enc5a": w["enc4b"], "enc5b": w["enc5a"],
        "dep5": w["enc5b"], "dep4": w["dep5"] + w["enc4b"], "dep3a": w["dep4"] + w["enc3b"],
        "dep3b": w["dep3a"], "depz": w["dep3b"],
        "flo5a": side["flo5"] + w["enc5b"] + 2, "flo5b": w["flo5a"], "flo5f": w["flo5b"],
        "flo5h": w["flo5b"],
        "flo4a": side["flo4"] + w["enc4b"] + w["flo5h"] + 2, "flo4b": w["flo4a"],
        "flo4f": w["flo4b"], "flo4h": w["flo4b"],
        "flo3a": side["flo3"] + w["enc3b"] + w["flo4h"] + 2, "flo3b": w["flo3a"],
        "flo3f": w["flo3a"],
        "ref8a": 2 * w["enc3b"] + side["ref8"] + 7, "ref8b": w["ref8a"], "ref8c": w["ref8b"],
        "ref8f": w["ref8a"], "ref8h": w["ref8a"],
        "ref4a": 2 * w["enc2b"] + side["ref4"] + w["ref8h"] + 4, "ref4b": w["ref4a"],
        "ref4c": w["ref4b"], "ref4f": w["ref4a"], "ref4h": w["ref4a"],
        "ref2a": 2 * w["enc1b"] + w["ref4h"] + 4, "ref2b": w["ref2a"], "ref2o": w["ref2a"],
    }


def act(x):
    return F.leaky_relu(x, 0.1, inplace=True)


def luma_half(picture):
    """BT.601 luma, mean of 2x2 pixels."""
    k = picture.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return F.avg_pool2d((picture * k).sum(1, keepdim=True), 2)


def box(x, side):
    """Mean over a side x side window; outside counts as zero."""
    return F.avg_pool2d(x, side, 1, side // 2, count_include_pad=True)


def join(dtype, *parts):
    """Concatenate along channels in one type: flows are float32, features may be bfloat16."""
    return torch.cat([p if p.dtype == dtype else p.to(dtype) for p in parts], 1)


class Conv(nn.Conv2d):
    """A convolution computed by the operators of its network, which are set beside it."""
    ops = operators

    def forward(self, x):
        return self.ops.conv2d(x, self.weight, self.bias, self.stride[0])


class Edge(nn.Module):
    def __init__(self, widths=None, ops=operators):
        super().__init__()
        self.ops = ops
        self.widths = dict(WIDTHS, **(widths or {}))
        inputs = _inputs(self.widths)
        for name, out in self.widths.items():
            stride = 2 if name[:3] == "enc" and name[-1] == "a" else 1
            side = 1 if name[-1] == "h" else 3
            conv = Conv(inputs[name], out, side, stride, side // 2)
            conv.ops = ops
            gain = 6 if name == "enc1a" else 0.02 if name in HEADS else 0.7 if side == 1 else 1
            nn.init.kaiming_normal_(conv.weight, a=0.1)
            conv.weight.data.mul_(gain)
            nn.init.zeros_(conv.bias)
            setattr(self, name, conv)

    @classmethod
    def from_tensors(cls, tensors, ops=operators):
        """The network of a weight file, whatever its widths."""
        widths = {n: tensors[n + ".weight"].shape[0] for n in WIDTHS}
        net = cls(widths, ops)
        net.load_state_dict({k: v.float() for k, v in tensors.items()})
        return net

    # ---- once per frame ----
    def encode(self, picture):
        """-> features at 1/2, 1/4, 1/8, 1/16, 1/32."""
        x, out = picture - 0.5, []
        for level in "12345":
            x = act(getattr(self, f"enc{level}a")(x))
            x = act(getattr(self, f"enc{level}b")(x))
            out.append(x)
        return out

    def depth(self, feat):
        """Log inverse depth (larger is nearer), (N,1,H/8,W/8)."""
        up = self.ops.up2
        x = act(self.dep5(feat[4]))
        x = act(self.dep4(torch.cat([up(x), feat[3]], 1)))
        x = act(self.dep3a(torch.cat([up(x), feat[2]], 1)))
        return self.depz(act(self.dep3b(x))).float().clamp(-Z_MAX, Z_MAX)

    # ---- once per ordered pair ----
    def pair_flow(self, fa, fb):
        """-> flows a to b at 1/32, 1/16, 1/8 and the visibility of a's pixels in b."""
        op, up = self.ops, self.ops.up2
        dtype = fa[4].dtype
        c = op.corr(fa[4], fb[4], 4)
        f = op.peak(c, 4)
        x = act(self.flo5b(act(self.flo5a(join(dtype, c, fa[4], f)))))
        f32 = f + self.flo5f(x).float()
        h = up(self.flo5h(x))

        f = 2 * up(f32)
        c = op.corr(fa[3], op.warp(fb[3], f), 4)
        f = f + op.peak(c, 4)
        x = act(self.flo4b(act(self.flo4a(join(dtype, c, fa[3], h, 2 * f)))))
        f16 = f + self.flo4f(x).float()
        h = up(self.flo4h(x))

        f = 2 * up(f16)
        c = op.corr(fa[2], op.warp(fb[2], f), 3)
        f = f + op.peak(c, 3)
        x = act(self.flo3a(join(dtype, c, fa[2], h, f)))
        x = act(x + self.flo3b(x))
        y = self.flo3f(x).float()
        return f32, f16, f + y[:, :2], y[:, 2:]

    # ---- once per time ----
    def project(self, f01, f10, w0, w1, t):
        """Importance-weighted projection of the pair flows to t: F_t0, F_t1, coverage 0, 1."""
        def throw(through, w, flow):
            e = w.exp()
            s = self.ops.splat(torch.cat([through * e, e, torch.ones_like(e)], 1), flow)
            return s[:, 0:2], s[:, 2:3], s[:, 3:4].clamp(max=1)

        n0, d0, c0 = throw(f01, w0, t * f01)
        n1, d1, c1 = throw(-f10, w1, (1 - t) * f10)
        v0, v1 = n0 / (d0 + 1e-6), n1 / (d1 + 1e-6)
        far = box(n0 + n1, 9) / (box(d0 + d1, 9) + 1e-6)
        m0 = c0 * v0 + (1 - c0) * (c1 * v1 + (1 - c1) * far)
        m1 = c1 * v1 + (1 - c1) * (c0 * v0 + (1 - c0) * far)
        return -t * m0, (1 - t) * m1, c0, c1

    @torch.no_grad()
    def _polish_step(self, f, y0, y1, t, window=5):
        """One Lucas-Kanade step: the motion through each pixel moves so that both lumas agree."""
        a, b = self.ops.warp(y0, f[:, :2]), self.ops.warp(y1, f[:, 2:])
        g, d = F.pad(t * a + (1 - t) * b, (1, 1, 1, 1), mode="replicate"), b - a
        gx = (g[:, :, 1:-1, 2:] - g[:, :, 1:-1, :-2]) * 0.5
        gy = (g[:, :, 2:, 1:-1] - g[:, :, :-2, 1:-1]) * 0.5
        e = 4 / 255
        k = e / (e + d.abs())
        kx, ky = k * gx, k * gy
        sums = box(torch.cat([kx * gx, kx * gy, ky * gy, kx * d, ky * d], 1), window)
        xx, xy, yy, xd, yd = sums.split(1, 1)
        xx, yy = xx + 1e-4, yy + 1e-4
        r = 1 / (xx * yy - xy * xy)
        move = torch.cat([(xy * yd - yy * xd) * r, (xy * xd - xx * yd) * r], 1).clamp(-1, 1)
        return torch.cat([f[:, :2] - t * move, f[:, 2:] + (1 - t) * move], 1)

    def polish(self, f, y0, y1, t):
        """Two steps; the gradient passes straight through."""
        g = f.detach()
        for _ in range(2):
            g = self._polish_step(g, y0, y1, t)
        return f + (g - f.detach())

    def refine(self, i0, i1, fa, fb, flow_t, c0, c1, t):
        op, up, dtype = self.ops, self.ops.up2, fa[0].dtype

        def warped(level, f):
            return op.warp(fa[level], f[:, :2]), op.warp(fb[level], f[:, 2:])

        f = flow_t
        a, b = warped(2, f)
        plane = t.expand(-1, 1, *f.shape[2:])
        x = act(self.ref8a(join(dtype, a, b, op.corr(a, b, 3), f, c0, c1, plane)))
        x = act(x + self.ref8c(act(self.ref8b(x))))
        f8 = f + self.ref8f(x).float()
        h = up(self.ref8h(x))

        f = 2 * up(f8)
        a, b = warped(1, f)
        x = act(self.ref4a(join(dtype, a, b, op.corr(a, b, 2), h, 0.5 * f)))
        x = act(x + self.ref4c(act(self.ref4b(x))))
        f4 = f + self.ref4f(x).float()
        h = up(self.ref4h(x))

        f = 2 * up(f4)
        a, b = warped(0, f)
        x = act(self.ref2a(join(dtype, a, b, h, 0.25 * f)))
        x = act(x + self.ref2b(x))
        y = self.ref2o(x).float()
        f2 = self.polish(f + y[:, :4], luma_half(i0), luma_half(i1), t)
        return (f8, f4, f2), F.pixel_shuffle(y[:, 4:], 2)

    def compose(self, i0, i1, f2, s, t):
        f = 2 * self.ops.up2(f2)
        sharp = torch.sigmoid(s[:, 4:5])
        w0 = self.ops.awarp(i0, f[:, :2], sharp)
        w1 = self.ops.awarp(i1, f[:, 2:], sharp)
        mask = torch.sigmoid(s[:, :1] + torch.log((1 - t) / t))
        merged = mask * w0 + (1 - mask) * w1
        return {"out": merged + s[:, 1:4], "merged": merged, "mask": mask, "w0": w0, "w1": w1,
                "sharp": sharp}

    def forward(self, i0, i1, t, parts="all"):
        """Dict of everything a loss needs; `out` is not clamped. parts="flow" stops after the pair flow, "pair" after
        its projection to t."""
        n = i0.shape[0]
        feat = self.encode(torch.cat([i0, i1]))
        z = self.depth(feat)
        swapped = [torch.cat([x[n:], x[:n]]) for x in feat]
        pair = self.pair_flow(feat, swapped)
        w = (z + pair[3]).clamp(-Z_MAX, Z_MAX)
        result = {"depth": z, "pair": pair, "importance": w}
        if parts == "flow":
            return result
        ft0, ft1, c0, c1 = self.project(pair[2][:n], pair[2][n:], w[:n], w[n:], t)
        result["projected"] = torch.cat([ft0, ft1])
        if parts == "pair":
            return result
        fa, fb = [x[:n] for x in feat], [x[n:] for x in feat]
        flows, s = self.refine(i0, i1, fa, fb, torch.cat([ft0, ft1], 1), c0, c1, t)
        result.update(self.compose(i0, i1, flows[2], s, t), flows=flows)
        return result

    @torch.no_grad()
    def interpolate(self, i0, i1, t=0.5):
        """Any size: pad by replication, run, crop, clamp to [0,1]."""
        n, _, h, w = i0.shape
        pad = (0, -w % STRIDE, 0, -h % STRIDE)
        i0, i1 = (F.pad(x, pad, mode="replicate") for x in (i0, i1))
        time = torch.full((n, 1, 1, 1), float(t), device=i0.device)
        return self(i0, i1, time)["out"][:, :, :h, :w].clamp(0, 1)


def cost(net):
    """Multiply-adds per output pixel at 2x: every frame encoded once, one pair, one time."""
    level = {"enc1": 2, "enc2": 4, "enc3": 8, "enc4": 16, "enc5": 32, "dep5": 32, "dep4": 16,
             "dep3": 8, "depz": 8, "flo5": 32, "flo4": 16, "flo3": 8, "ref8": 8, "ref4": 4, "ref2": 2}
    total = 0.0
    for name in net.widths:
        both = 2 if name.startswith("flo") else 1
        total += both * getattr(net, name).weight.numel() / level[name[:4]] ** 2
    feature = {"flo5": "enc5b", "flo4": "enc4b", "flo3": "enc3b", "ref8": "enc3b", "ref4": "enc2b"}
    for stage, r in RADIUS.items():
        both = 2 if stage.startswith("flo") else 1
        total += both * (2 * r + 1) ** 2 * net.widths[feature[stage]] / level[stage] ** 2
    return total
