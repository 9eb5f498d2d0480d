"""The network against golden results, its cost, widths of pruned networks, weight files."""
import os

import pytest
import torch

from conftest import ROOT
from edgetrain import native, operators, safetensors
from edgetrain.network import WIDTHS, Edge, cost


@pytest.mark.parametrize("ops", [operators, native], ids=["torch", "native"])
def test_network_equals_golden_result(ops, weights):
    path = os.path.join(ROOT, "tests", "golden", "edge", "net_96x64.safetensors")
    if not os.path.exists(path):
        pytest.skip("no golden network data")
    g = safetensors.read(path)[0]
    net = Edge.from_tensors(weights, ops)
    a, b = (g[k].permute(2, 0, 1)[None].float() / 255 for k in ("im0", "im1"))
    for key, t in (("t50", 0.5), ("t25", 0.25)):
        out = net.interpolate(a, b, t)
        assert (out - g[key + ".out"].float()).abs().max() < 2e-3      # stored as float16


def test_cost_is_that_of_the_specification():
    assert round(cost(Edge())) == 29268


def test_pruned_widths_are_read_from_the_weights():
    widths = {"enc1a": 12, "enc2b": 24, "enc3b": 40, "flo3a": 48, "flo3b": 48, "ref8b": 40, "ref4a": 40, "ref4c": 40,
              "ref4b": 56, "ref4h": 16, "ref2a": 24, "ref2b": 24, "dep4": 20}
    net = Edge(widths)
    again = Edge.from_tensors(net.state_dict())
    assert again.widths == dict(WIDTHS, **widths)
    assert cost(again) < cost(Edge())
    x = torch.rand(1, 3, 64, 64)
    assert torch.equal(net.interpolate(x, x), again.interpolate(x, x))


def test_safetensors_round_trip_and_damage(tmp_path):
    path = str(tmp_path / "w.safetensors")
    tensors = {"a.weight": torch.randn(3, 2, 3, 3).half(), "a.bias": torch.randn(3)}
    safetensors.write(path, tensors, {"format": "edge", "version": 2})
    back, meta = safetensors.read(path)
    assert list(back) == list(tensors) and meta == {"format": "edge", "version": "2"}
    assert all(torch.equal(back[k], tensors[k]) for k in tensors)
    raw = open(path, "rb").read()
    for bad in (raw[:5], raw[:-4], b"\xff" * 8 + raw[8:]):
        with open(path, "wb") as f:
            f.write(bad)
        with pytest.raises(ValueError):
            safetensors.read(path)
