"""Simulated int8: grids, exact zero, straight-through gradients, and a run with it."""
import torch

from edgetrain import native, quantise
from edgetrain.network import Edge
from test_training import WEIGHTS, train


def test_weights_lie_on_127_steps_per_channel():
    w = torch.randn(5, 3, 3, 3) * torch.tensor([1e-3, 1, 10, 0, 5]).view(5, 1, 1, 1)
    q = quantise.weights(w)
    scale = w.abs().amax((1, 2, 3), keepdim=True) / 127
    steps = q / scale.clamp(min=1e-8)
    assert (steps - steps.round()).abs().max() < 1e-3 and steps.abs().max() <= 127.001
    assert ((q - w).abs() <= scale * 0.501 + 1e-9).all()


def test_activations_keep_zero_and_cut_gradients_outside():
    x = torch.tensor([-2.0, -0.3, 0.0, 0.5, 3.0], requires_grad=True)
    q = quantise.activations(x, torch.tensor(-0.5), torch.tensor(1.5))
    assert q[2] == 0
    assert (q[1:4] - x[1:4]).abs().max() <= 2 / 255 * 0.501 and abs(q[4] - 1.5) < 0.01
    q.sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 1, 0]


def test_quantised_network_is_near_the_float_one(weights):
    net = Edge.from_tensors(weights, native)
    generator = torch.Generator().manual_seed(4)
    a = torch.nn.functional.interpolate(torch.rand(1, 3, 16, 16, generator=generator), size=(64, 64), mode="bicubic")
    a = a.clamp(0, 1)
    b = a.roll((2, 1), (2, 3))
    t = torch.full((1, 1, 1, 1), 0.5)
    with torch.no_grad():
        plain = net(a, b, t)["out"]
        quantise.enable(net).train()
        net(a, b, t)                                # finds the ranges
        near = net.eval()(a, b, t)["out"]
    error = (near - plain).abs().mean().item()
    assert 0 < error < 0.01


def test_fine_tuning_with_simulated_int8(dataset, tmp_path):
    log = train(dataset, tmp_path, "--init", WEIGHTS, "--steps", "3", "--precision", "f32", "--val",
                str(dataset / "val"), "--quantise", "enc1a", "ref2o")
    scores = [e["psnr"] for e in log if e["kind"] == "val"]
    assert len(scores) == 1 and scores[0] > 25
    again = train(dataset, tmp_path, "--init", WEIGHTS, "--steps", "4", "--precision", "f32", "--resume",
                  "--val", str(dataset / "val"), "--quantise", "enc1a", "ref2o")
    scores = [e["psnr"] for e in again if e["kind"] == "val"]
    assert abs(scores[1] - scores[0]) < 1e-3        # the ranges came back
