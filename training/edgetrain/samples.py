"""Batches: real crops and synthetic scenes, augmented, as tensors.

Batch number `step` of process `rank` depends on the seed and nothing else, so that a resumed run sees what an
unbroken one would have seen, and loader processes may make batches ahead.
"""
import numpy as np
import torch

from .clips import Clips, labels
from .scenes import Scenes, load_textures


def augment(frames, flow, sure, depth, t, rng):
    """Flips, transposition, time reversal and channel order of one sample."""
    if rng.random() < 0.5:
        frames, flow, sure, depth = frames[:, :, ::-1], flow[:, :, ::-1] * (-1, 1), sure[:, :, ::-1], depth[:, :, ::-1]
    if rng.random() < 0.3:
        frames, flow, sure, depth = frames[:, ::-1], flow[:, ::-1] * (1, -1), sure[:, ::-1], depth[:, ::-1]
    if rng.random() < 0.3:
        frames, flow = frames.transpose(0, 2, 1, 3), flow.transpose(0, 2, 1, 3)[..., ::-1]
        sure, depth = sure.transpose(0, 2, 1), depth.transpose(0, 2, 1)
    if rng.random() < 0.5:
        frames, flow, sure, depth, t = frames[::-1], flow[[1, 0, 3, 2]], sure[[1, 0, 3, 2]], depth[::-1], 1 - t
    if rng.random() < 0.4:
        frames = frames[..., rng.permutation(3)]
    return frames, flow, sure, depth, t


def draw_time(rng):
    """Times of synthetic scenes: mostly the middle."""
    kind = rng.random()
    if kind < 0.6:
        return 0.5
    return float(rng.choice([0.25, 0.75])) if kind < 0.75 else float(rng.uniform(0.1, 0.9))


class Batches(torch.utils.data.Dataset):
    """Item i is batch i of one process: dict of tensors (see __getitem__)."""

    def __init__(self, data, seed, rank):
        """data: configuration with cache, textures, crop, batch, real_share, off_centre, label_share,
        label_pairs, and, if wanted, label_preset (of DIS flow, "fast" or "medium"), moving (share of crops whose window moves) and clip_textures (every so many
        frames of the clips serve as textures, half of the draws)."""
        self.data, self.seed, self.rank = data, seed, rank
        self.clips = Clips(data["cache"]) if data["real_share"] > 0 else None
        self.scenes = None
        if data["real_share"] < 1:
            textures = load_textures(data["textures"])
            if data.get("clip_textures") and self.clips:
                frames = self.clips.pictures(data["clip_textures"])
                textures = textures * max(1, len(frames) // len(textures)) + frames
            self.scenes = Scenes(textures, data["crop"])

    def __len__(self):
        return 1 << 40

    def _sample(self, rng):
        d, size = self.data, self.data["crop"]
        if rng.random() < d["real_share"]:
            frames, t = self.clips.crop(rng, size, d["off_centre"], moving=d.get("moving", 0.0))
            depth = np.full((2, size // 8, size // 8), np.nan, np.float32)
            if rng.random() < d["label_share"]:
                flow, sure = labels(frames, d["label_pairs"], d.get("label_preset", "fast"))
            else:
                flow = np.zeros((4, size // 4, size // 4, 2), np.float32)
                sure = flow[..., 0]
        else:
            t = draw_time(rng)
            frames, flow, depth = self.scenes.sample(rng, t)
            sure = np.ones(flow.shape[:3], np.float32)
        return augment(frames, flow, sure, depth, t, rng)

    def __getitem__(self, step):
        """frames (3,N,3,S,S) in [0,1] at 0, t, 1; flow (4,N,2,S/4,S/4): 01, 10, t0, t1 in full-size pixels;
        sure (4,N,1,S/4,S/4) their confidence; depth (2,N,1,S/8,S/8), NaN where unknown; t (N,1,1,1)."""
        rng = np.random.default_rng([self.seed, step, self.rank])
        rows = [self._sample(rng) for _ in range(self.data["batch"])]
        frames, flow, sure, depth, t = (np.stack(column) for column in zip(*rows))
        frames = torch.from_numpy(frames).permute(1, 0, 4, 2, 3).float() / 255
        for i in range(len(rows)):
            if rng.random() < 0.3:                                          # brightness, the same in all three
                frames[:, i] = frames[:, i] ** float(np.exp(rng.normal(0, 0.2))) * float(rng.uniform(0.7, 1.05))
        frames = frames.clamp_(0, 1)
        return {"frames": frames.contiguous(),
                "flow": torch.from_numpy(flow).float().permute(1, 0, 4, 2, 3).contiguous(),
                "sure": torch.from_numpy(sure).float().permute(1, 0, 2, 3).unsqueeze(2),
                "depth": torch.from_numpy(depth).permute(1, 0, 2, 3).unsqueeze(2),
                "t": torch.from_numpy(t).float().view(-1, 1, 1, 1)}
