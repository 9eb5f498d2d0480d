"""Real clips: decoded once into memory-mapped arrays; random crops of three frames with flow labels.

Folder layout: clips.json lists clips (file, triplets, quintuplets, source, ...); see the data README.
"""
import json
import os

import cv2
import numpy as np

cv2.setNumThreads(0)
MIN_SIDE = 176              # smaller clips cannot fill a crop


def decode(clip_dir, cache_dir, max_side=960, log=print):
    """Decode every clip of clip_dir/clips.json that is not yet in the cache; returns how many."""
    os.makedirs(cache_dir, exist_ok=True)
    index_path = os.path.join(cache_dir, "index.json")
    index = {}
    if os.path.exists(index_path):
        with open(index_path) as f:
            index = json.load(f)
    with open(os.path.join(clip_dir, "clips.json")) as f:
        clips = json.load(f)
    new = 0
    for clip in clips:
        if clip["file"] in index:
            continue
        video = cv2.VideoCapture(os.path.join(clip_dir, clip["file"]))
        frames = []
        while True:
            ok, frame = video.read()
            if not ok:
                break
            scale = max_side / max(frame.shape[:2])
            if scale < 1:
                frame = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            frames.append(frame[:, :, ::-1])
        if len(frames) < 3 or min(frames[0].shape[:2]) < MIN_SIDE:
            log(f"left out: {clip['file']} ({len(frames)} frames)")
            continue
        name = os.path.splitext(clip["file"])[0] + ".npy"
        np.save(os.path.join(cache_dir, name), np.stack(frames))
        index[clip["file"]] = {
            "array": name, "source": clip.get("source", ""),
            "triplets": [i for i in clip["triplets"] if i + 2 < len(frames)],
            "quintuplets": [i for i in clip.get("quintuplets", []) if i + 4 < len(frames)]}
        with open(index_path + ".tmp", "w") as f:
            json.dump(index, f)
        os.replace(index_path + ".tmp", index_path)
        new += 1
    return new


class Clips:
    """Draws crops. Sources share the draw by the 0.6th power of their number of triplets."""

    def __init__(self, cache_dir):
        with open(os.path.join(cache_dir, "index.json")) as f:
            entries = [e for e in json.load(f).values() if e["triplets"]]
        self.clips = [(np.load(os.path.join(cache_dir, e["array"]), mmap_mode="r"), e) for e in entries]
        total = {}
        for e in entries:
            total[e["source"]] = total.get(e["source"], 0) + len(e["triplets"])
        share = np.array([len(e["triplets"]) * total[e["source"]] ** -0.4 for e in entries])
        self.share = share / share.sum()

    def _frames(self, rng, off_centre):
        """A clip, three frame numbers and the middle one's time."""
        array, e = self.clips[rng.choice(len(self.clips), p=self.share)]
        if e["quintuplets"] and rng.random() < off_centre:
            first, k = rng.choice(e["quintuplets"]), int(rng.integers(1, 4))
            return array, (first, first + k, first + 4), k / 4
        first = rng.choice(e["triplets"])
        return array, (first, first + 1, first + 2), 0.5

    def crop(self, rng, size, off_centre=0.3, zoom=(-0.35, 0.8)):
        """-> (3,size,size,3) uint8 RGB at times 0, t, 1, and t. Half of the crops come from a window
        exp(uniform(zoom)) times as large. Still crops and cuts are mostly drawn again."""
        for _ in range(5):
            array, numbers, t = self._frames(rng, off_centre)
            h, w = array.shape[1:3]
            scale = np.exp(rng.uniform(*zoom)) if rng.random() < 0.5 else 1.0
            side = int(min(size * scale, h, w))
            y, x = (int(rng.integers(0, n - side + 1)) for n in (h, w))
            out = [np.ascontiguousarray(array[i, y:y + side, x:x + side]) for i in numbers]
            if side != size:
                how = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
                out = [cv2.resize(p, (size, size), interpolation=how) for p in out]
            change = np.abs(out[0][::2, ::2].astype(np.int16) - out[2][::2, ::2]).mean()
            if 1.5 < change < 45 or rng.random() < 0.05:
                break
        return np.stack(out), t


_dis = []


def _dis_flow(a, b):
    if not _dis:
        _dis.append(cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST))
    return _dis[0].calc(a, b, None)


def _fetch(picture, flow):
    h, w = flow.shape[:2]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    return cv2.remap(picture, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _cells(a):
    """Mean over 4x4 pixels."""
    h, w = a.shape[:2]
    return a.reshape(h // 4, 4, w // 4, 4, *a.shape[2:]).mean((1, 3))


def labels(frames, pair=False):
    """DIS flows t to 0 and t to 1 (and 0 to 1, 1 to 0 where `pair`) at 1/4 sampling, (4,h,w,2) in the order
    01, 10, t0, t1, and their confidence (4,h,w): photometric times forward-backward agreement. The middle frame
    is the truth a network never sees, so these flows are better than any from the outer frames."""
    grey = [cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in frames]
    h, w = grey[0].shape
    flow, sure = np.zeros((4, h // 4, w // 4, 2), np.float32), np.zeros((4, h // 4, w // 4), np.float32)
    for i, (a, b) in enumerate(((0, 2), (2, 0), (1, 0), (1, 2))):
        if i < 2 and not pair:
            continue
        go, back = _dis_flow(grey[a], grey[b]), _dis_flow(grey[b], grey[a])
        error = cv2.blur(np.abs(_fetch(grey[b], go).astype(np.float32) - grey[a]), (5, 5))
        gap = np.linalg.norm(go + _fetch(back, go), axis=2)
        good = np.exp(-np.maximum(error - 2, 0) / 6) * (gap < 0.7 + 0.05 * np.linalg.norm(go, axis=2))
        flow[i], sure[i] = _cells(go), _cells(good)
    return flow, sure
