"""Synthetic layered scenes: exact frames for any t, exact flow (hidden targets included), exact depth order.

A scene is a stack of textured planes, far to near: a background and one to seven cut-out objects. Each plane has an
inverse depth; the camera's shift moves a plane in proportion to it, and objects move on their own besides. All
motion parameters are linear in time, so a plane's place at time tau is one homography `pose(tau)`.
"""
import glob
import os

import cv2
import numpy as np

cv2.setNumThreads(0)
EXTENSIONS = (".jpg", ".jpeg", ".png")
# share of the scenes, least and greatest motion in pixels (times a normal draw)
MOTION = ((0.14, 0, 2), (0.42, 2, 12), (0.32, 10, 28), (0.12, 25, 70))


def load_textures(folder):
    """All pictures of a folder as RGB arrays whose short side is at most 450."""
    out = []
    for path in sorted(glob.glob(os.path.join(folder, "**", "*"), recursive=True)):
        picture = cv2.imread(path) if path.lower().endswith(EXTENSIONS) else None
        if picture is None or min(picture.shape[:2]) < 200:
            continue
        scale = 450 / min(picture.shape[:2])
        if scale < 0.8:
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        out.append(np.ascontiguousarray(picture[:, :, ::-1]))
    if not out:
        raise ValueError(f"no textures in {folder}")
    return out


def _translate(x, y):
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def _turn(angle, scale):
    c, s = np.cos(angle) * scale, np.sin(angle) * scale
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


class Plane:
    """One layer: RGB or RGBA texture, its placement at tau = 1/2 and its motion."""

    def __init__(self, texture, place, centre, inverse_depth):
        self.texture, self.place, self.centre = texture, place, np.asarray(centre, float)
        self.inverse_depth = inverse_depth
        self.shift = np.zeros(2)        # pixels from tau 0 to 1
        self.turn = self.zoom = 0.0     # radians; log scale
        self.tilt = np.zeros(2)         # perspective terms, 1/pixel
        self.ramp = 0.0                 # how much nearer the lower edge is (backgrounds)

    def pose(self, tau):
        u = tau - 0.5
        view = np.eye(3)
        view[2, :2] = self.tilt * u
        move = _translate(*(self.centre + self.shift * u)) @ _turn(self.turn * u, np.exp(self.zoom * u))
        return move @ view @ _translate(*-self.centre)


def _noise_texture(rng, side=256):
    """Procedural texture: octaves of noise, stripes, blocks, or a nearly flat shade."""
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
    kind = rng.integers(4)
    if kind == 0:
        v = sum(cv2.resize(rng.random((2 ** k, 2 ** k), np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
                * 0.65 ** k for k in range(2, 8))
    elif kind == 1:
        angle, waves = rng.uniform(0, np.pi), rng.uniform(5, 40)
        v = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi * waves + rng.uniform(0, 2) * np.sin(9 * y))
        v = np.sign(v) if rng.random() < 0.5 else v
    elif kind == 2:
        cells = int(rng.integers(3, 22))
        v = cv2.resize(rng.random((cells, cells), np.float32), (side, side), interpolation=cv2.INTER_NEAREST)
    else:
        v = x * rng.random() + y * rng.random() + 0.05 * rng.standard_normal((side, side), np.float32)
    v = ((v - v.min()) / (np.ptp(v) + 1e-6))[..., None].astype(np.float32)
    a, b = rng.integers(0, 256, 3), rng.integers(0, 256, 3)
    return (a + v * (b - a)).clip(0, 255).astype(np.uint8)


def _outline(rng, w, h):
    """Alpha of an object, uint8, with an empty border."""
    m = np.zeros((h, w), np.uint8)
    centre, half = (w // 2, h // 2), (max(2, w // 2 - 3), max(2, h // 2 - 3))
    kind = rng.integers(6)
    if kind == 0:
        cv2.ellipse(m, centre, half, 0, 0, 360, 255, -1, cv2.LINE_AA)
    elif kind == 1:
        m[2:-2, 2:-2] = 255
    elif kind == 2:                                                         # star-like polygon
        angle = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 12))))
        reach = rng.uniform(0.3, 1, len(angle))
        corners = np.stack([centre[0] + half[0] * reach * np.cos(angle), centre[1] + half[1] * reach * np.sin(angle)])
        cv2.fillPoly(m, [corners.T.astype(np.int32)], 255, cv2.LINE_AA)
    elif kind == 3:                                                         # blob
        y, x = np.mgrid[-1:1:h * 1j, -1:1:w * 1j]
        wavy = cv2.resize(rng.random((5, 5), np.float32), (w, h), interpolation=cv2.INTER_CUBIC)
        m[wavy - 0.6 * (x * x + y * y) > 0.1] = 255
    elif kind == 4:                                                         # thin sticks
        for _ in range(int(rng.integers(1, 6))):
            x0, y0, x1, y1 = (rng.random(4) * (w, h, w, h)).astype(int)
            cv2.line(m, (int(x0), int(y0)), (int(x1), int(y1)), 255, int(rng.integers(1, 9)), cv2.LINE_AA)
    else:                                                                   # ring
        cv2.ellipse(m, centre, half, 0, 0, 360, 255, -1, cv2.LINE_AA)
        cv2.ellipse(m, centre, (max(1, w // 4), max(1, h // 4)), 0, 0, 360, 0, -1, cv2.LINE_AA)
    m[:2], m[-2:], m[:, :2], m[:, -2:] = 0, 0, 0, 0
    return m


class Scenes:
    """Draws scenes of size x size pixels from textures (a list of RGB arrays)."""

    def __init__(self, textures, size):
        self.textures, self.size = textures, size
        y, x = np.mgrid[0:size // 4, 0:size // 4] * 4 + 1.5                 # centres of the 4x4 cells
        self.cells = np.stack([x, y, np.ones_like(x)]).reshape(3, -1)

    # ---- building ----
    def _texture(self, rng):
        t = _noise_texture(rng) if rng.random() < 0.12 else self.textures[rng.integers(len(self.textures))]
        if rng.random() < 0.5:
            t = t[:, ::-1]
        if rng.random() < 0.25:
            t = t.transpose(1, 0, 2)
        return t[:, :, rng.permutation(3)] if rng.random() < 0.3 else t

    @staticmethod
    def _tone(rng, picture):
        """Random gamma, contrast and offset."""
        if rng.random() < 0.6:
            v = (np.arange(256) / 255) ** np.exp(rng.normal(0, 0.25)) * 255 * rng.uniform(0.6, 1.2)
            picture = cv2.LUT(np.ascontiguousarray(picture), (v + rng.uniform(-20, 20)).clip(0, 255).astype(np.uint8))
        return picture

    def _background(self, rng, camera, roll, forward):
        size, t = self.size, self._tone(rng, self._texture(rng))
        if rng.random() < 0.3:
            t = cv2.GaussianBlur(np.ascontiguousarray(t), (0, 0), rng.uniform(0.5, 2))
        h, w = t.shape[:2]
        scale = max(size * 1.05 / min(h, w), rng.uniform(0.5, 1.1))
        place = _translate(size / 2, size / 2) @ _turn(rng.normal(0, 0.2), scale) @ \
            _translate(-w * rng.uniform(0.4, 0.6), -h * rng.uniform(0.4, 0.6))
        p = Plane(np.ascontiguousarray(t), place, size / 2 + rng.normal(0, 10, 2), rng.uniform(0.12, 0.4))
        p.shift = camera * p.inverse_depth * (1 if rng.random() < 0.7 else rng.uniform(1, 3))
        p.turn, p.zoom = roll, forward * p.inverse_depth
        if rng.random() < 0.35:
            p.ramp = rng.uniform(0.5, 2)
            p.tilt[1] = (camera[1] * 1e-5 + rng.normal(0, 1e-4)) * p.ramp
        return p

    def _object(self, rng, inverse_depth, camera, roll, forward, motion, fast):
        size = self.size
        extent = rng.uniform(12, 32) if fast else 18 + 35 * inverse_depth * rng.uniform(0.5, 2)
        w, h = (int(np.clip(extent * rng.uniform(0.5, 1.6), 12, size * 1.1)) for _ in range(2))
        t, k = self._texture(rng), rng.uniform(0.8, 1.8)
        cut = [min(int(n * k) + 1, m) for n, m in ((h, t.shape[0]), (w, t.shape[1]))]
        y, x = (int(rng.integers(0, m - n + 1)) for n, m in zip(cut, t.shape))
        skin = cv2.resize(np.ascontiguousarray(t[y:y + cut[0], x:x + cut[1]]), (w, h), interpolation=cv2.INTER_AREA)
        alpha = _outline(rng, w, h)
        if rng.random() < 0.12:
            alpha = (alpha * rng.uniform(0.7, 1)).astype(np.uint8)
        low = np.clip(rng.uniform(-0.05, 1.05) * 0.7 + 0.15 * inverse_depth, 0, 1)      # near objects stand lower
        centre = np.array([rng.uniform(0.02, 0.98), low]) * size
        place = _translate(*centre) @ _turn(rng.normal(0, 0.6), rng.uniform(0.8, 1.2)) @ _translate(-w / 2, -h / 2)
        p = Plane(np.dstack([self._tone(rng, skin), alpha]), place, centre, inverse_depth)
        own = rng.normal(0, 0.7, 2) * motion * (0.1 if rng.random() < 0.3 else 1)
        p.shift = camera * inverse_depth + own + (rng.normal(0, 1, 2) * rng.uniform(8, 35) if fast else 0)
        p.turn = roll + (rng.normal(0, 0.15) if rng.random() < 0.5 else 0)
        p.zoom = forward * inverse_depth + (rng.normal(0, 0.08) if rng.random() < 0.4 else 0)
        if rng.random() < 0.3:
            p.tilt = rng.normal(0, 3e-4, 2)
        return p

    def _build(self, rng):
        share, low, high = zip(*MOTION)
        k = rng.choice(len(share), p=share)
        motion = rng.uniform(low[k], high[k])
        camera = rng.normal(0, 0.6, 2) * motion
        forward = rng.normal(0, 0.005) * motion if rng.random() < 0.6 else 0.0
        roll = rng.normal(0, 0.03) if rng.random() < 0.4 else 0.0
        planes = [self._background(rng, camera, roll, forward)]
        count = int(rng.integers(1, 8))
        fast = int(rng.integers(count)) if rng.random() < 0.3 else -1
        near = np.sort(planes[0].inverse_depth * 1.3 + 1.8 * rng.random(count) ** 1.3)
        planes += [self._object(rng, d, camera, roll, forward, motion, i == fast) for i, d in enumerate(near)]
        return planes

    # ---- drawing ----
    def _render(self, planes, tau):
        """-> float32 picture and the number of the nearest plane of each pixel."""
        size = (self.size, self.size)
        back = planes[0]
        out = cv2.warpPerspective(back.texture, back.pose(tau) @ back.place, size, flags=cv2.INTER_CUBIC,
                                  borderMode=cv2.BORDER_REFLECT_101).astype(np.float32)
        owner = np.zeros(size, np.uint8)
        for i, p in enumerate(planes[1:], 1):
            layer = cv2.warpPerspective(p.texture, p.pose(tau) @ p.place, size, flags=cv2.INTER_LINEAR)
            alpha = layer[:, :, 3]
            rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
            if not len(rows):
                continue
            at = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
            out[at] += (layer[at][:, :, :3] - out[at]) * (alpha[at][..., None] * np.float32(1 / 255))
            owner[at][alpha[at] > 127] = i
        return out, owner

    def _flow(self, planes, owner, a, b):
        """Flow from time a to b of what is seen at a, (size/4,size/4,2) in pixels."""
        owner, out = owner.ravel(), np.zeros((owner.size, 2), np.float32)
        for i in np.unique(owner):
            mine = owner == i
            q = planes[i].pose(b) @ np.linalg.inv(planes[i].pose(a)) @ self.cells[:, mine]
            out[mine] = (q[:2] / q[2] - self.cells[:2, mine]).T
        return out.reshape(self.size // 4, self.size // 4, 2)

    def _depth(self, planes, owner):
        """Log inverse depth at 1/8."""
        owner = owner[4::8, 4::8]
        d = np.array([p.inverse_depth for p in planes], np.float32)[owner]
        back = planes[0]
        if back.ramp:
            row = (np.arange(owner.shape[0])[:, None] + 0.5) / owner.shape[0] - 0.5
            floor = np.clip(back.inverse_depth * (1 + back.ramp * row), 0.05, 1.2 * back.inverse_depth)
            d = np.where(owner == 0, floor, d)
        return np.log(d).astype(np.float32)

    def sample(self, rng, t):
        """-> frames (3,S,S,3) uint8 at 0, t, 1; flows (4,S/4,S/4,2) 01, 10, t0, t1; depth (2,S/8,S/8)."""
        planes = self._build(rng)
        shutter = rng.uniform(0.1, 0.5) if rng.random() < 0.08 else 0
        pictures, owners = [], []
        for tau in (0.0, t, 1.0):
            picture, owner = self._render(planes, tau)
            if shutter:                                                     # motion blur: mean of five instants
                for k in (-0.4, -0.2, 0.2, 0.4):
                    picture = picture + self._render(planes, tau + shutter * k)[0]
                picture = picture / 5
            pictures.append(picture)
            owners.append(owner)
        if rng.random() < 0.25:                                             # noise on what the network sees
            sigma = rng.uniform(0.5, 4)
            for i in (0, 2):
                pictures[i] = pictures[i] + sigma * rng.standard_normal(pictures[i].shape, np.float32)
        frames = np.stack([(p + 0.5).clip(0, 255).astype(np.uint8) for p in pictures])
        seen = [o[2::4, 2::4] for o in owners]
        flow = np.stack([self._flow(planes, seen[0], 0, 1), self._flow(planes, seen[2], 1, 0),
                         self._flow(planes, seen[1], t, 0), self._flow(planes, seen[1], t, 1)])
        return frames, flow, np.stack([self._depth(planes, owners[0]), self._depth(planes, owners[2])])
