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

    def pictures(self, every):
        """Every so many frames of each clip, as textures for synthetic scenes; they stay in the mapped files."""
        return [array[i] for array, _ in self.clips for i in range(0, len(array), every)]

    def crop(self, rng, size, off_centre=0.3, zoom=(-0.35, 0.8), moving=0.0):
        """-> (3,size,size,3) uint8 RGB at times 0, t, 1, and t. Half of the crops come from a window
        exp(uniform(zoom)) times as large. Still crops and cuts are mostly drawn again. In a share `moving` of the
        crops the window moves by whole pixels at a steady pace: another camera motion on top of the clip's own."""
        for _ in range(5):
            array, numbers, t = self._frames(rng, off_centre)
            h, w = array.shape[1:3]
            scale = np.exp(rng.uniform(*zoom)) if rng.random() < 0.5 else 1.0
            side = int(min(size * scale, h, w))
            pace = rng.normal(0, np.exp(rng.uniform(0, 2.5)), 2) if moving and rng.random() < moving else (0, 0)
            rows, columns = (_window(rng, n, side, numbers, v) for n, v in zip((h, w), pace))
            out = [np.ascontiguousarray(array[i, y:y + side, x:x + side]) for i, y, x in zip(numbers, rows, columns)]
            if side != size:
                how = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
                out = [cv2.resize(p, (size, size), interpolation=how) for p in out]
            change = np.abs(out[0][::2, ::2].astype(np.int16) - out[2][::2, ::2]).mean()
            if 1.5 < change < 45 or rng.random() < 0.05:
                break
        return np.stack(out), t


def _window(rng, length, side, numbers, pace):
    """Where the window begins along one axis in each frame: `pace` pixels a frame where there is room for it."""
    room, steps = length - side, [n - numbers[1] for n in numbers]
    most = room // (steps[2] - steps[0])
    pace = int(np.clip(round(pace), -most, most))
    ends = [pace * s for s in steps]
    first = int(rng.integers(-min(ends), room - max(ends) + 1))
    return [first + e for e in ends]


PRESETS = {"fast": cv2.DISOPTICAL_FLOW_PRESET_FAST, "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM}
_dis = {}


def _dis_flow(a, b, preset):
    if preset not in _dis:
        _dis[preset] = cv2.DISOpticalFlow_create(PRESETS[preset])
    return _dis[preset].calc(a, b, None)


def _fetch(picture, flow):
    h, w = flow.shape[:2]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    return cv2.remap(picture, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _cells(a):
    """Mean over 4x4 pixels."""
    h, w = a.shape[:2]
    return a.reshape(h // 4, 4, w // 4, 4, *a.shape[2:]).mean((1, 3))


def labels(frames, pair=False, preset="fast"):
    """DIS flows t to 0 and t to 1 (and 0 to 1, 1 to 0 where `pair`) at 1/4 sampling, (4,h,w,2) in the order
    01, 10, t0, t1, and their confidence (4,h,w): photometric times forward-backward agreement. The middle frame
    is the truth a network never sees, so these flows are better than any from the outer frames."""
    grey = [cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in frames]
    h, w = grey[0].shape
    flow, sure = np.zeros((4, h // 4, w // 4, 2), np.float32), np.zeros((4, h // 4, w // 4), np.float32)
    wanted = ((0, 2), (2, 0), (1, 0), (1, 2))[0 if pair else 2:]
    made = {}
    for a, b in wanted:
        for ends in ((a, b), (b, a)):
            if ends not in made:
                made[ends] = _dis_flow(grey[ends[0]], grey[ends[1]], preset)
    for i, (a, b) in enumerate(wanted, 4 - len(wanted)):
        go, back = made[a, b], made[b, a]
        error = cv2.blur(np.abs(_fetch(grey[b], go).astype(np.float32) - grey[a]), (5, 5))
        gap = np.linalg.norm(go + _fetch(back, go), axis=2)
        good = np.exp(-np.maximum(error - 2, 0) / 6) * (gap < 0.7 + 0.05 * np.linalg.norm(go, axis=2))
        flow[i], sure[i] = _cells(go), _cells(good)
    return flow, sure
