"""Synthetic scenes are exact; augmentation keeps labels true; batches depend on seed and step only."""
import cv2
import numpy as np
import torch

from edgetrain.samples import Batches, augment
from edgetrain.scenes import Scenes, load_textures

SIZE = 96
DATA = {"crop": SIZE, "batch": 2, "real_share": 0.5, "off_centre": 0.4, "label_share": 1.0, "label_pairs": True}


def data(dataset, **changes):
    return dict(DATA, cache=str(dataset / "cache"), textures=str(dataset / "textures"), **changes)


def warped(picture, flow):
    f = cv2.resize(np.ascontiguousarray(flow, np.float32), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    return cv2.remap(picture, x + f[..., 0], y + f[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def gain(frames, flow):
    """How much nearer the middle frame is to the outer ones once they are warped by the labels t0, t1."""
    truth = frames[1].astype(float)
    plain = np.mean([np.median(np.abs(frames[i] - truth)) for i in (0, 2)])
    moved = np.mean([np.median(np.abs(warped(np.ascontiguousarray(frames[i]), f) - truth))
                     for i, f in ((0, flow[2]), (2, flow[3]))])
    return plain, moved


def test_scene_flow_is_exact_before_and_after_augmentation(dataset):
    scenes, rng = Scenes(load_textures(str(dataset / "textures")), SIZE), np.random.default_rng(1)
    sums = np.zeros((2, 2))
    for _ in range(16):
        frames, flow, depth = scenes.sample(rng, 0.4)
        assert frames.shape == (3, SIZE, SIZE, 3) and depth.shape == (2, SIZE // 8, SIZE // 8)
        assert np.isfinite(depth).all() and np.isfinite(flow).all()
        sums[0] += gain(frames, flow)
        other = augment(frames, flow, np.ones(flow.shape[:3]), depth, 0.4, rng)
        sums[1] += gain(other[0], other[1])
    for plain, moved in sums:
        assert moved < 0.3 * plain


def test_time_reversal_swaps_the_time(dataset):
    rng, seen = np.random.default_rng(2), set()
    z = np.zeros((4, 24, 24, 2))
    for _ in range(40):
        t = augment(np.zeros((3, SIZE, SIZE, 3), np.uint8), z, z[..., 0], np.zeros((2, 12, 12)), 0.25, rng)[4]
        seen.add(t)
    assert seen == {0.25, 0.75}


def test_real_labels_point_to_the_same_content(dataset):
    batch = Batches(data(dataset, real_share=1.0, batch=6), 1, 0)[0]
    assert torch.isnan(batch["depth"]).all()
    frames = (batch["frames"].permute(1, 0, 3, 4, 2).numpy() * 255).round().astype(np.uint8)
    flow = batch["flow"].permute(1, 0, 3, 4, 2).numpy()
    plain, moved = np.sum([gain(a, b) for a, b in zip(frames, flow)], 0)
    assert moved < 0.5 * plain
    assert batch["sure"].mean() > 0.3


def test_batches_depend_on_seed_step_and_rank(dataset):
    one, again, other = (Batches(data(dataset), 7, r) for r in (0, 0, 1))
    a, b, c, d = one[5], again[5], other[5], one[6]
    assert all(torch.equal(torch.nan_to_num(a[k]), torch.nan_to_num(b[k])) for k in a)
    assert not torch.equal(a["frames"], c["frames"]) and not torch.equal(a["frames"], d["frames"])
    assert a["frames"].min() >= 0 and a["frames"].max() <= 1


def test_moving_windows_keep_a_steady_pace(dataset):
    from edgetrain.clips import Clips, _window
    rng = np.random.default_rng(4)
    for numbers in ((4, 5, 6), (2, 3, 6)):
        for pace in (-50, -2.2, 0, 3, 90):
            places = _window(rng, 240, 96, numbers, pace)
            steps = {(b - a) / (j - i) for (a, i), (b, j) in zip(zip(places, numbers), zip(places[1:], numbers[1:]))}
            assert len(steps) == 1 and min(places) >= 0 and max(places) <= 144
            assert abs(steps.pop()) <= abs(round(pace))
    assert _window(rng, 96, 96, (1, 2, 3), 7) == [0, 0, 0]              # no room
    # the clips move by (3, 2) pixels a frame; what the labels say spreads once the window moves as well
    spread = []
    for moving in (0.0, 1.0):
        b = Batches(data(dataset, real_share=1.0, batch=12, moving=moving, off_centre=0.0, label_preset="medium"), 3, 0)[0]
        spread.append(np.median(np.abs(b["flow"][2].numpy()), (2, 3)).max())
        frames = (b["frames"].permute(1, 0, 3, 4, 2).numpy() * 255).round().astype(np.uint8)
        plain, moved = np.sum([gain(a, f) for a, f in zip(frames, b["flow"].permute(1, 0, 3, 4, 2).numpy())], 0)
        assert moved < 0.5 * plain
    assert spread[1] > 1.5 * spread[0]
    assert len(Clips(str(dataset / "cache")).pictures(4)) == 4


def test_frames_of_clips_serve_as_textures(dataset):
    plain, more = (Batches(data(dataset, real_share=0.5, clip_textures=k), 1, 0).scenes.textures for k in (0, 4))
    assert len(plain) == 3 and len(more) == 3 + 4
    assert more[-1].shape == (200, 240, 3)
    assert Batches(data(dataset, real_share=0.01, clip_textures=4), 1, 0)[0]["frames"].shape == (3, 2, 3, SIZE, SIZE)
