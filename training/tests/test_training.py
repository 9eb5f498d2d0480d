"""Whole runs on a tiny data set: resume, two processes, both kinds of operators, fine-tuning of other widths."""
import json
import os
import subprocess
import sys

import pytest
import torch

from conftest import ROOT, TRAINING
from edgetrain import native, safetensors
from edgetrain.network import Edge
from edgetrain.schedule import Progress, cosine

WEIGHTS = os.path.join(ROOT, "models", "edge.safetensors")


def train(dataset, out, *more, config="edge-v2.3"):
    native.library()
    command = [sys.executable, os.path.join(TRAINING, "train.py"),
               os.path.join(TRAINING, "configs", config + ".json"), str(out), "--cache", str(dataset / "cache"),
               "--textures", str(dataset / "textures"), "--log-every", "1", "--set", "data.crop=64",
               "--set", "data.batch=2", "--set", "optimiser.warmup=1", *more]
    subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    with open(out / "log.jsonl") as f:
        return [json.loads(line) for line in f]


def totals(log):
    return {e["step"]: e["total"] for e in log if e["kind"] == "train"}


def test_resumed_run_repeats_the_loss(dataset, tmp_path):
    whole = totals(train(dataset, tmp_path / "whole", "--init", WEIGHTS, "--steps", "6"))
    broken = ["--init", WEIGHTS, "--steps", "6"]
    train(dataset, tmp_path / "two", *broken, "--stop-at", "3")
    parts = totals(train(dataset, tmp_path / "two", *broken, "--resume"))
    assert sorted(parts) == [1, 2, 3, 4, 5, 6]
    for step, loss in whole.items():
        print(f"step {step}: {loss!r} unbroken, {parts[step]!r} resumed")
        assert abs(parts[step] - loss) <= 1e-5, step


def test_gpu_operators_give_the_same_loss_on_the_cpu(dataset, tmp_path):
    common = ["--init", WEIGHTS, "--steps", "2", "--precision", "f32", "--set", "data.batch=4"]
    a = totals(train(dataset, tmp_path / "native", *common, "--ops", "native"))
    b = totals(train(dataset, tmp_path / "torch", *common, "--ops", "torch", "--device", "cpu", "--workers", "1"))
    for s in (1, 2):
        print(f"step {s}: {a[s]!r} native, {b[s]!r} torch")
        assert abs(a[s] - b[s]) <= 1e-3


def test_two_processes_train_and_validate(dataset, tmp_path):
    log = train(dataset, tmp_path, "--init", WEIGHTS, "--minutes", "0.05", "--processes", "2",
                "--val", str(dataset / "val"))
    scores = [e["psnr"] for e in log if e["kind"] == "val"]
    assert len(scores) == 2 and min(scores) > 25
    assert log[-1]["kind"] == "end" and log[-1]["fraction"] == 1.0
    assert len((tmp_path / "pids").read_text().split()) == 3


def test_flow_stage_learns_from_scratch(dataset, tmp_path):
    log = train(dataset, tmp_path, "--steps", "40", "--set", 'stage="flow"', "--set", "optimiser.rate=1e-3",
                "--set", "data.real_share=0")
    flow = [e["flow"] for e in log if e["kind"] == "train"]
    assert sum(flow[-10:]) < 0.8 * sum(flow[:10])


def test_pair_stage_moves_the_pair_flow_alone(dataset, tmp_path):
    train(dataset, tmp_path, "--init", WEIGHTS, "--steps", "3", "--set", 'stage="pair"', "--set", "data.label_share=1",
          "--precision", "f32")
    start, end = safetensors.read(WEIGHTS)[0], torch.load(tmp_path / "checkpoint.pt")["net"]
    moved = {k.split(".")[0] for k in start if not torch.equal(start[k].float(), end[k])}
    assert moved and all(name.startswith("flo") for name in moved)


def test_fine_tuning_and_export_keep_other_widths(dataset, tmp_path):
    small = tmp_path / "small.safetensors"
    safetensors.write(str(small), Edge({"ref4b": 48, "enc1b": 12}).state_dict(), {"format": "edge", "version": 2})
    train(dataset, tmp_path / "run", "--init", str(small), "--steps", "2")
    out = tmp_path / "out.safetensors"
    subprocess.run([sys.executable, os.path.join(TRAINING, "export.py"), str(tmp_path / "run" / "checkpoint.pt"),
                    str(out), "note=test"], check=True)
    tensors, meta = safetensors.read(str(out))
    assert meta["version"] == "2" and meta["note"] == "test"
    net = Edge.from_tensors(tensors)
    assert (net.widths["ref4b"], net.widths["enc1b"]) == (48, 12)
    assert tensors["ref4b.weight"].dtype == torch.float16


def test_a_pruned_network_learns_from_the_whole_one(dataset, tmp_path):
    whole, small = (safetensors.read(WEIGHTS)[0], tmp_path / "small.safetensors")
    cut = {k: v.float() for k, v in whole.items()}
    for name in ("ref2b.weight", "ref2b.bias"):
        cut[name] = torch.zeros_like(cut[name])
    safetensors.write(str(small), cut, {"format": "edge", "version": 2})
    log = train(dataset, tmp_path / "run", "--init", str(small), "--teacher", WEIGHTS, "--steps", "25",
                "--set", "optimiser.rate=1e-3", config="edge-small")
    steps = [e for e in log if e["kind"] == "train"]
    first, last = (sum(e["teacher_picture"] + e["teacher_flow"] for e in part) for part in (steps[:8], steps[-8:]))
    assert 0 < last < first
    log = train(dataset, tmp_path / "same", "--init", WEIGHTS, "--teacher", WEIGHTS, "--steps", "1", config="edge-small")
    assert log[1]["teacher_picture"] < 1e-3 and log[1]["teacher_flow"] == 0


def test_mixing_keeps_the_better_weights(dataset, tmp_path):
    tensors = safetensors.read(WEIGHTS)[0]
    worse = {k: v + 0.05 * torch.randn(v.shape).half() if k.startswith("ref2") else v for k, v in tensors.items()}
    bad, out = tmp_path / "bad.safetensors", tmp_path / "out.safetensors"
    safetensors.write(str(bad), worse, {"format": "edge", "version": 2})
    subprocess.run([sys.executable, os.path.join(TRAINING, "mix.py"), str(bad), WEIGHTS, str(out), "--val",
                    str(dataset / "val"), "--share", "0", "0.5", "1"], check=True, stdout=subprocess.PIPE)
    mixed, meta = safetensors.read(str(out))
    assert meta["share"] == "1.0"
    assert all(torch.equal(mixed[k], tensors[k].half()) for k in tensors)


def test_probe_puts_better_motion_into_the_network(dataset):
    run = subprocess.run([sys.executable, os.path.join(TRAINING, "probe.py"), str(dataset / "val"), WEIGHTS], check=True,
                         stdout=subprocess.PIPE, text=True)
    scores = {line[:46].strip(): float(line[46:].split(" / ")[0]) for line in run.stdout.splitlines() if " / " in line}
    assert len(scores) == 9 and min(scores.values()) > 20
    assert scores["the better in 16x16, knowing the truth"] >= max(scores["network"], scores["DIS and warping"]) - 0.01
    assert run.stdout.count("end-point error") == 2


def test_progress_by_the_clock_survives_pauses_and_ends_on_time():
    clock = [1000.0]
    p = Progress(until=2000.0, now=lambda: clock[0])
    clock[0] = 1500.0
    assert p.fraction(7) == pytest.approx(0.5)
    again = Progress(done=0.5, until=2000.0, now=lambda: clock[0])      # resumed at 1500 after a stop
    clock[0] = 1750.0
    assert again.fraction(7) == pytest.approx(0.75)
    clock[0] = 2100.0
    assert again.fraction(7) == 1.0
    assert cosine(0, 0.1) == 1 and cosine(1, 0.1) == pytest.approx(0.1)
