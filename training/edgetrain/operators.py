"""The network's operators in plain torch: their definition, and what runs on a GPU.

Flow fields are (N,2,H,W), channel 0 = x, 1 = y, in pixels of their own level. Every function works on any device
and is differentiable. `native.py` has the same functions as C kernels for the CPU.
"""
import torch
import torch.nn.functional as F

PEAK_SHARPNESS = 16.0       # factor of the correlations inside the soft arg-max
NORMALISE_EPS = 1e-4


def _positions(flow):
    """Absolute sampling positions x, y of a flow field, unclamped: two (N,H,W)."""
    h, w = flow.shape[2:]
    x = torch.arange(w, dtype=flow.dtype, device=flow.device).view(1, 1, w)
    y = torch.arange(h, dtype=flow.dtype, device=flow.device).view(1, h, 1)
    return x + flow[:, 0], y + flow[:, 1]


def _grid(flow):
    """Clamped positions in grid_sample's coordinates, -1..1 between the outer pixel centres."""
    h, w = flow.shape[2:]
    x, y = _positions(flow)
    return torch.stack([x.clamp(0, w - 1) * (2 / max(w - 1, 1)) - 1,
                        y.clamp(0, h - 1) * (2 / max(h - 1, 1)) - 1], 3)


def conv2d(x, weight, bias, stride):
    """Convolution, zero padding of half of the kernel's (odd) side."""
    return F.conv2d(x, weight, bias, stride, weight.shape[2] // 2)


def warp(x, flow):
    """Backward bilinear warp: out(p) = x(clamp(p + flow(p)))."""
    out = F.grid_sample(x.float(), _grid(flow.float()), "bilinear", "border", True)
    return out.to(x.dtype)


def awarp(x, flow, sharp):
    """Backward warp whose kernel is (1 - sharp) bilinear + sharp bicubic (Keys, A = -0.75).

    x gets no gradient (it is a source picture); sharp is (N,1,H,W) in [0,1]."""
    grid, x = _grid(flow.float()), x.detach().float()
    soft = F.grid_sample(x, grid, "bilinear", "border", True)
    hard = F.grid_sample(x, grid, "bicubic", "border", True)
    return soft + sharp * (hard - soft)


def normalise(x):
    """Zero mean and unit variance over the channels of each pixel."""
    x = x.float()
    x = x - x.mean(1, keepdim=True)
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + NORMALISE_EPS)


def corr(a, b, r):
    """Mean product of normalised features of a(p), b(p + d), |dx|,|dy| <= r, zero outside.

    Channel (dy + r)(2r + 1) + dx + r."""
    h, w = a.shape[2:]
    a, b = normalise(a), F.pad(normalise(b), (r, r, r, r))
    side = 2 * r + 1
    out = [(a * b[:, :, j:j + h, i:i + w]).mean(1) for j in range(side) for i in range(side)]
    return torch.stack(out, 1)


def peak(c, r):
    """Soft arg-max of a correlation volume: (N,2,H,W) displacement in level pixels."""
    weight = torch.softmax(c.float() * PEAK_SHARPNESS, 1)
    d = torch.arange(-r, r + 1, dtype=weight.dtype, device=c.device)
    dx, dy = d.repeat(2 * r + 1), d.repeat_interleave(2 * r + 1)
    return torch.einsum("nkhw,kd->ndhw", weight, torch.stack([dx, dy], 1))


def splat(value, flow):
    """Forward bilinear splat: each pixel adds its value to the four pixels around p + flow(p);
    what falls outside is dropped."""
    n, c, h, w = value.shape
    x, y = (p.clamp(-1e6, 1e6) for p in _positions(flow))
    left, top = x.floor(), y.floor()
    ax, ay = x - left, y - top
    out = value.new_zeros(n, c, h * w)
    for j, wy in ((0, 1 - ay), (1, ay)):
        for i, wx in ((0, 1 - ax), (1, ax)):
            tx, ty = left + i, top + j
            inside = (tx >= 0) & (tx < w) & (ty >= 0) & (ty < h)
            index = (ty.clamp(0, h - 1) * w + tx.clamp(0, w - 1)).long().view(n, 1, h * w)
            part = value * (wx * wy * inside).unsqueeze(1)
            out = out.scatter_add(2, index.expand(n, c, h * w), part.reshape(n, c, h * w))
    return out.view(n, c, h, w)


def up2(x):
    """Bilinear upsampling by 2, half-pixel centres, replicate border."""
    return F.interpolate(x.float(), scale_factor=2, mode="bilinear",
                         align_corners=False).to(x.dtype)


def census(a, b):
    """Ternary census distance of two grey pictures (N,1,H,W) in [0,1], 7x7 window, per sample.

    Mean over inner pixels and their 48 neighbours of d^2 / (0.1 + d^2), d the difference of the
    soft signs s(v) = v / sqrt(0.81 + v^2) of the neighbours' contrast v in 8-bit levels."""
    h, w = a.shape[2:]

    def signs(x):
        x = x.float() * 255
        centre = x[:, :, 3:h - 3, 3:w - 3]
        near = [x[:, :, j:j + h - 6, i:i + w - 6] - centre
                for j in range(7) for i in range(7) if (i, j) != (3, 3)]
        near = torch.cat(near, 1)
        return near * torch.rsqrt(0.81 + near.square())

    d = (signs(a) - signs(b)).square()
    return (d / (0.1 + d)).mean((1, 2, 3))
