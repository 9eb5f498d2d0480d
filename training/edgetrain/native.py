"""The operators of operators.py as C kernels with gradients, through ctypes (CPU only).

The library is built on first use with the C compiler into training/build/ and rebuilt when its sources change.
"""
import ctypes
import os
import subprocess
import tempfile

import torch
import torch.nn.functional as F

from .operators import NORMALISE_EPS, PEAK_SHARPNESS

_HERE = os.path.dirname(os.path.abspath(__file__))
_SOURCES = [os.path.join(_HERE, name) for name in ("kernels.c", "convolve.c")]
_LIBRARY = os.path.join(os.path.dirname(_HERE), "build", "libedgetrain.so")
_lib = None


def library():
    """The loaded library; builds it if it is missing or older than its sources."""
    global _lib
    if _lib is None:
        if not os.path.exists(_LIBRARY) or \
                os.path.getmtime(_LIBRARY) < max(map(os.path.getmtime, _SOURCES)):
            os.makedirs(os.path.dirname(_LIBRARY), exist_ok=True)
            with tempfile.TemporaryDirectory(dir=os.path.dirname(_LIBRARY)) as tmp:
                made = os.path.join(tmp, "lib.so")
                units = [os.path.join(tmp, os.path.basename(s) + ".o") for s in _SOURCES]
                cc = os.environ.get("CC", "cc")
                # linked without -ffast-math: its start-up code would change the rounding mode of the whole process
                for source, unit in zip(_SOURCES, units):
                    subprocess.run([cc, "-c", "-O3", "-march=native", "-ffast-math", "-std=gnu11", "-Wall", "-Wextra",
                                    "-fPIC", "-o", unit, source], check=True)
                subprocess.run([cc, "-shared", "-o", made, *units, "-lmvec", "-lm"], check=True)
                os.replace(made, _LIBRARY)
        _lib = ctypes.CDLL(_LIBRARY)
    return _lib


def _call(name, *args):
    """Tensors go as pointers, ints as int, floats as float, (int,) as size_t, None as NULL."""
    kinds = {torch.Tensor: lambda a: ctypes.c_void_p(a.data_ptr()), int: ctypes.c_int,
             float: ctypes.c_float, tuple: lambda a: ctypes.c_size_t(a[0]),
             type(None): lambda a: ctypes.c_void_p(0)}
    if getattr(library(), name)(*[kinds[type(a)](a) for a in args]) and name.startswith("edge_conv"):
        raise MemoryError(name)


def _last(x):
    """Detached float32 in channels-last order."""
    return x.detach().float().contiguous(memory_format=torch.channels_last)


def _planar(x):
    return x.detach().float().contiguous()


def _empty(n, c, h, w):
    return torch.empty((n, c, h, w), memory_format=torch.channels_last)


def _zeros(n, c, h, w):
    return _empty(n, c, h, w).zero_()


class _Conv(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, stride):
        x, weight = _last(x), _last(weight)
        (n, c, h, w), (o, _, side, _) = x.shape, weight.shape
        out = _empty(n, o, (h - 1) // stride + 1, (w - 1) // stride + 1)
        _call("edge_conv", x, weight, bias.detach(), out, n, h, w, c, o, side, stride)
        ctx.save_for_backward(x, weight)
        ctx.stride = stride
        return out

    @staticmethod
    def backward(ctx, g):
        x, weight = ctx.saved_tensors
        (n, c, h, w), (o, _, side, _), g = x.shape, weight.shape, _last(g)
        gx = gw = gbias = None
        if ctx.needs_input_grad[0]:
            gx = _empty(n, c, h, w)
            _call("edge_conv_back_input", g, weight, gx, n, h, w, c, o, side, ctx.stride)
        if ctx.needs_input_grad[1]:
            gw, gbias = _empty(o, c, side, side), torch.empty(o)
            _call("edge_conv_back_weight", x, g, gw, gbias, n, h, w, c, o, side, ctx.stride)
        return gx, gw, gbias, None


def _autocast():
    """Whether convolutions run in bfloat16; torch renamed the question in 2.4."""
    try:
        return torch.is_autocast_enabled("cpu")
    except TypeError:
        return torch.is_autocast_cpu_enabled()


def conv2d(x, weight, bias, stride):
    """operators.conv2d; under autocast torch's, which is faster where the processor has bfloat16 instructions."""
    if _autocast():
        return F.conv2d(x, weight, bias, stride, weight.shape[2] // 2)
    return _Conv.apply(x, weight, bias, stride)


class _Warp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, flow):
        ctx.dtype, (n, c, h, w) = x.dtype, x.shape
        x, flow, out = _last(x), _last(flow), _empty(n, c, h, w)
        _call("edge_warp", x, flow, out, n, h, w, c)
        ctx.save_for_backward(x, flow)
        return out.to(ctx.dtype)

    @staticmethod
    def backward(ctx, g):
        x, flow = ctx.saved_tensors
        n, c, h, w = x.shape
        gx = _zeros(n, c, h, w) if ctx.needs_input_grad[0] else None
        gflow = _empty(n, 2, h, w)
        _call("edge_warp_back", _last(g), x, flow, gx, gflow, n, h, w, c)
        return None if gx is None else gx.to(ctx.dtype), gflow


class _AWarp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, flow, sharp):
        if x.shape[1] != 3:
            raise ValueError("awarp takes pictures of three channels")
        x, flow, sharp = _planar(x), _planar(flow), _planar(sharp)
        n, _, h, w = x.shape
        out = torch.empty_like(x)
        _call("edge_awarp", x, flow, sharp, out, n, h, w)
        ctx.save_for_backward(x, flow, sharp)
        return out

    @staticmethod
    def backward(ctx, g):
        x, flow, sharp = ctx.saved_tensors
        n, _, h, w = x.shape
        gflow, gsharp = torch.empty_like(flow), torch.empty_like(sharp)
        _call("edge_awarp_back", _planar(g), x, flow, sharp, gflow, gsharp, n, h, w)
        return None, gflow, gsharp


class _Corr(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, b, r):
        ctx.dtype, ctx.r, (n, c, h, w) = a.dtype, r, a.shape
        saved = []
        for x in (a, b):
            y, scale = _empty(n, c, h, w), torch.empty(n * h * w)
            _call("edge_normalise", _last(x), y, scale, (n * h * w,), c, NORMALISE_EPS)
            saved += [y, scale]
        out = _empty(n, (2 * r + 1) ** 2, h, w)
        _call("edge_corr", saved[0], saved[2], out, n, h, w, c, r)
        ctx.save_for_backward(*saved)
        return out

    @staticmethod
    def backward(ctx, g):
        a, a_scale, b, b_scale = ctx.saved_tensors
        n, c, h, w = a.shape
        ga, gb = _zeros(n, c, h, w), _zeros(n, c, h, w)
        _call("edge_corr_back", _last(g), a, b, ga, gb, n, h, w, c, ctx.r)
        out = []
        for gy, y, scale in ((ga, a, a_scale), (gb, b, b_scale)):
            gx = _empty(n, c, h, w)
            _call("edge_normalise_back", gy, y, scale, gx, (n * h * w,), c)
            out.append(gx.to(ctx.dtype))
        return out[0], out[1], None


class _Peak(torch.autograd.Function):
    @staticmethod
    def forward(ctx, c, r):
        ctx.dtype, ctx.r, (n, k, h, w) = c.dtype, r, c.shape
        weight, out = _empty(n, k, h, w), _empty(n, 2, h, w)
        _call("edge_peak", _last(c), weight, out, (n * h * w,), r, PEAK_SHARPNESS)
        ctx.save_for_backward(weight, out)
        return out

    @staticmethod
    def backward(ctx, g):
        weight, out = ctx.saved_tensors
        n, k, h, w = weight.shape
        gc = _empty(n, k, h, w)
        _call("edge_peak_back", _last(g), weight, out, gc, (n * h * w,), ctx.r, PEAK_SHARPNESS)
        return gc.to(ctx.dtype), None


class _Splat(torch.autograd.Function):
    @staticmethod
    def forward(ctx, value, flow):
        n, c, h, w = value.shape
        value, flow, out = _last(value), _last(flow), _zeros(n, c, h, w)
        _call("edge_splat", value, flow, out, n, h, w, c)
        ctx.save_for_backward(value, flow)
        return out

    @staticmethod
    def backward(ctx, g):
        value, flow = ctx.saved_tensors
        n, c, h, w = value.shape
        gv, gflow = _zeros(n, c, h, w), _empty(n, 2, h, w)
        _call("edge_splat_back", _last(g), value, flow, gv, gflow, n, h, w, c)
        return gv, gflow


class _Up2(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.dtype, ctx.size = x.dtype, x.shape
        n, c, h, w = x.shape
        out = _empty(n, c, 2 * h, 2 * w)
        _call("edge_up2", _last(x), out, n, h, w, c)
        return out.to(ctx.dtype)

    @staticmethod
    def backward(ctx, g):
        n, c, h, w = ctx.size
        gx = _zeros(n, c, h, w)
        _call("edge_up2_back", _last(g), gx, n, h, w, c)
        return gx.to(ctx.dtype)


class _Census(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, b):
        a, b = _planar(a) * 255, _planar(b) * 255
        n, _, h, w = a.shape
        grad, loss = torch.empty_like(a), torch.empty(n)
        _call("edge_census", a, b, grad, loss, n, h, w)
        ctx.save_for_backward(grad)
        return loss

    @staticmethod
    def backward(ctx, g):
        grad, = ctx.saved_tensors
        return grad * (255 * g.view(-1, 1, 1, 1)), None


warp = _Warp.apply
awarp = _AWarp.apply
corr = _Corr.apply
peak = _Peak.apply
splat = _Splat.apply
up2 = _Up2.apply
census = _Census.apply
