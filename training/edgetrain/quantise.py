"""Simulated int8 convolutions for quantisation-aware fine-tuning.

Weights: signed 8 bit, symmetric, one scale per output channel. Inputs: unsigned 8 bit with a zero point, one range
per layer, tracked as a moving average of the batch extremes. Biases, sums and everything between the convolutions
stay float. The gradient passes straight through rounding and is cut where a value was clipped. The result is
written as ordinary float weights: the program that deploys them calibrates its own ranges.
"""
import torch

from .network import Conv

MOMENTUM = 0.02


def _round(x):
    return x + (x.round() - x).detach()


def weights(w):
    """-127..127 per output channel, as float values on the grid."""
    scale = w.detach().abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-8) / 127
    return _round((w / scale).clamp(-127, 127)) * scale


def activations(x, low, high):
    """0..255 over [low, high]; zero is exact, as padding needs it."""
    scale = ((high - low) / 255).clamp(min=1e-8)
    zero = (-low / scale).round()
    return (_round((x / scale + zero).clamp(0, 255)) - zero) * scale


class QuantConv(Conv):
    """A convolution that computes with quantised weights and inputs. Buffers low, high: its input's range."""

    def observe(self, x):
        low, high = x.min().clamp(max=0), x.max().clamp(min=0)
        if not bool(self.seen):
            self.low.copy_(low)
            self.high.copy_(high)
            self.seen.fill_(True)
        else:
            self.low.lerp_(low, MOMENTUM)
            self.high.lerp_(high, MOMENTUM)

    def forward(self, x):
        x = x.float()
        if self.training:
            with torch.no_grad():
                self.observe(x.detach())
        return self.ops.conv2d(activations(x, self.low, self.high), weights(self.weight), self.bias, self.stride[0])


def enable(net, skip=()):
    """Turn every convolution of a network, but those named, into a QuantConv; parameters stay the same objects."""
    for name in net.widths:
        conv = getattr(net, name)
        if name in skip or isinstance(conv, QuantConv):
            continue
        conv.__class__ = QuantConv
        device = conv.weight.device
        conv.register_buffer("low", torch.zeros((), device=device))
        conv.register_buffer("high", torch.zeros((), device=device))
        conv.register_buffer("seen", torch.zeros((), dtype=torch.bool, device=device))
    return net


def copy_ranges(source, target):
    """Give the ranges of one quantised network to another (buffers only)."""
    own = dict(target.named_buffers())
    with torch.no_grad():
        for name, value in source.named_buffers():
            own[name].copy_(value)
