"""The original network in torch against golden data of the published program."""
import os

import numpy as np
import pytest
import torch

import dain_checkpoint
import dain_torch
from edgetrain import safetensors

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "golden", "dain")


def golden(name):
    return safetensors.read(os.path.join(GOLDEN, name + ".safetensors"))[0]


def cases(name):
    found = {}
    for key, tensor in golden(name).items():
        case, part = key.split("/")
        found.setdefault(case, {})[part] = tensor
    return found.values()


def near(got, want, tolerance):
    finite = torch.isfinite(want)
    assert finite.any()
    assert (got - want)[finite].abs().max().item() <= tolerance


def near_mostly(got, want, median, far):
    """The network jumps where a flow crosses an integer."""
    d = (got - want).abs().flatten()
    assert d.median().item() <= median
    assert (d > far).double().mean().item() <= 0.003


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    tensors = dain_checkpoint.make(os.path.join(GOLDEN, "state_dict.tsv"))
    assert dain_checkpoint.digest(tensors) == dain_checkpoint.DIGEST
    path = tmp_path_factory.mktemp("weights") / "dain.safetensors"
    safetensors.write(path, {k: torch.from_numpy(v.copy()) for k, v in tensors.items()}, {"format": "dain"})
    return dain_torch.load(path)


@pytest.fixture(scope="module")
def pictures():
    images = golden("images_128")
    return [images[k][None].float() / 255 for k in ("im0_u8", "im1_u8")]


@pytest.fixture(scope="module")
def parts(net, pictures):
    with torch.no_grad():
        a, b = (net.frame(p) for p in pictures)
        return a, b, net.pair(a, b)


def test_correlation():
    for c in cases("op_correlation"):
        near(dain_torch.correlation(c["a"], c["b"]), c["out"], 1e-6)


def test_warp_of_the_flow_network():
    for c in cases("op_pwc_warp"):
        near(dain_torch.pwc_warp(c["x"], c["flow"]), c["out"], 1e-5)


def test_projections():
    for c in cases("op_flow_projection"):
        near(dain_torch.flow_projection(c["flow"], torch.ones_like(c["flow"][:, :1])), c["out"], 1e-5)
    for c in cases("op_depth_flow_projection"):
        near(dain_torch.flow_projection(c["flow"], c["weight"]), c["out"], 1e-5)


def test_adaptive_warp():
    for c in cases("op_filter_interpolation"):
        near(dain_torch.filter_interpolation(c["image"], c["flow"], c["kernel"]), c["out"], 2e-6)


def test_depth(parts):
    g = golden("net_depth_128")
    near(parts[0]["depth"], g["out"], 1e-4)
    near(parts[1]["depth"], g["out_im1"], 1e-4)


def test_context(parts):
    g = golden("net_context_128")
    near(parts[0]["context"][:, :195, 3::8, 5::8], g["out_s8"], 1e-4)


def test_flow(parts):
    g = golden("net_flow_128")
    near(parts[2]["flow"][0], g["flow2_01"], 2e-5)
    near(parts[2]["flow"][1], g["flow2_10"], 2e-5)


def test_kernels(parts):
    g = golden("net_filter_128")
    near(parts[2]["kernel"][0][:, :, 1::2, 0::2], g["kernel0_s2"], 1e-4)
    near(parts[2]["kernel"][1][:, :, :, -1], g["kernel1_lastcol"], 1e-4)


def test_whole(net, parts):
    g = golden("whole_128_t050")
    with torch.no_grad():
        got = net.at(*parts, 0.5)
    for k in range(2):
        near_mostly(got["projected"][k], g["proj%d" % k], 1e-4, 1e-2)
    near_mostly(got["blend"], g["blend"], 2e-5, 1e-3)
    near_mostly(got["output"], g["output"], 2e-5, 1e-3)
    slow = golden("whole_128_slowmo")
    for t, name in ((0.25, "output_025"), (0.75, "output_075")):
        with torch.no_grad():
            near_mostly(net.at(*parts, t)["output"], slow[name], 2e-5, 1e-3)


def test_picture_through_the_padding(net):
    g = golden("pipeline_71x51")
    inputs = [g[k].permute(1, 2, 0).numpy() for k in ("im0_u8", "im1_u8")]
    got = dain_torch.interpolate_pictures(net, *inputs, (0.5,))[0]
    far = np.abs(got.astype(int) - g["output_u8"].permute(1, 2, 0).numpy())
    assert (far > 0).mean() <= 0.01 and (far > 1).mean() <= 0.001


def test_gradients_reach_every_part(net):
    image = torch.rand(1, 3, 64, 64)
    net.zero_grad()
    net(image, image.flip(3))[0].sum().backward()
    unused = ("flownets.deconv2",)
    for name, parameter in net.named_parameters():
        assert name.startswith(unused) or parameter.grad is not None, name
