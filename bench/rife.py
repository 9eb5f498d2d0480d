"""The layers of RIFE 4.25-lite with random weights, for its speed only.

Written from what is published about the network: five blocks of 192, 128, 96, 64 and 24 channels that work at 1/32, 1/16,
1/8, 1/4 and 1/1 of the picture's size, each adding to the flow of the ones before; encoders of four channels for both frames;
pictures padded to multiples of 128. The encoder of a frame runs once, as in the players that use it.
"""
import torch
import torch.nn.functional as F
from torch import nn

WIDTHS = (192, 128, 96, 64, 24)
SCALES = (32, 16, 8, 4, 1)
ALIGN = 128
CODES, KEPT = 4, 8  # channels of an encoded frame, and of what one block tells the next


def leaky():
    return nn.LeakyReLU(0.2)


class Encoder(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(3, 16, 3, 2, 1), leaky(), nn.Conv2d(16, 16, 3, 1, 1), leaky(),
                         nn.Conv2d(16, 16, 3, 1, 1), leaky(), nn.ConvTranspose2d(16, CODES, 4, 2, 1))


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, 1, 1)
        self.gain = nn.Parameter(torch.ones(1, width, 1, 1))
        self.act = leaky()

    def forward(self, x):
        return self.act(self.conv(x) * self.gain + x)


def resize(x, factor):
    return x if factor == 1 else F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


class Block(nn.Module):
    """Flow (4 channels), mask (1) and features for the next block."""
    def __init__(self, inputs, width, scale):
        super().__init__()
        self.scale = float(scale)
        self.down = nn.Sequential(nn.Conv2d(inputs, width // 2, 3, 2, 1), leaky(), nn.Conv2d(width // 2, width, 3, 2, 1),
                                  leaky())
        self.body = nn.Sequential(*[Residual(width) for _ in range(8)])
        self.up = nn.Sequential(nn.ConvTranspose2d(width, 4 * (5 + KEPT), 4, 2, 1), nn.PixelShuffle(2))

    def forward(self, x, flow):
        x = resize(x, 1 / self.scale)
        if flow is not None:
            x = torch.cat((x, resize(flow, 1 / self.scale) / self.scale), 1)
        y = resize(self.up(self.body(self.down(x))), self.scale)
        return y[:, :4] * self.scale, y[:, 4:5], y[:, 5:]


class Rife(nn.Module):
    def __init__(self, width, height):
        super().__init__()
        self.encoder = Encoder()
        first, later = 7 + 2 * CODES, 8 + 2 * CODES + KEPT + 4
        self.blocks = nn.ModuleList(Block(later if i else first, w, s) for i, (w, s) in enumerate(zip(WIDTHS, SCALES)))
        y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
        self.register_buffer("place", torch.stack((x, y))[None])
        self.register_buffer("unit", torch.tensor([2 / (width - 1), 2 / (height - 1)]).view(1, 2, 1, 1))

    def warp(self, x, flow):
        grid = (self.place + flow * self.unit).permute(0, 2, 3, 1)
        return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=True)

    def forward(self, frame0, frame1, code0, t):
        """The picture at t and the code of frame1; code0 is that of frame0."""
        code1 = self.encoder(frame1)
        time = t.view(1, 1, 1, 1) + torch.zeros_like(frame0[:, :1])
        flow = mask = kept = None
        a, b = frame0, frame1
        for block in self.blocks:
            if flow is None:
                flow, mask, kept = block(torch.cat((a, b, code0, code1, time), 1), None)
            else:
                coded = self.warp(code0, flow[:, :2]), self.warp(code1, flow[:, 2:])
                step, mask, kept = block(torch.cat((a, b, *coded, time, mask, kept), 1), flow)
                flow = flow + step
            a, b = self.warp(frame0, flow[:, :2]), self.warp(frame1, flow[:, 2:])
        share = torch.sigmoid(mask)
        return a * share + b * (1 - share), code1


def padded(width, height):
    return width + -width % ALIGN, height + -height % ALIGN


def build(width, height):
    """For padded sizes. Small random weights: flows of a few pixels, as a trained network makes them."""
    torch.manual_seed(1)
    net = Rife(width, height).eval()
    for block in net.blocks:
        block.up[0].weight.data *= 0.1
    return net


def export(width, height, path):
    net = build(width, height)
    frame, code = torch.rand(1, 3, height, width), torch.rand(1, CODES, height, width)
    torch.onnx.export(net, (frame, frame, code, torch.tensor([0.5])), str(path), opset_version=16,
                      input_names=["frame0", "frame1", "code0", "t"], output_names=["frame", "code1"])
