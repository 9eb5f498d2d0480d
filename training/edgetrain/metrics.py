"""Test sets, baselines and scores. Pictures are (H,W,3) uint8 RGB."""
import glob
import os

import cv2
import numpy as np
import torch

cv2.setNumThreads(0)


def read(path):
    picture = cv2.imread(path)
    if picture is None:
        raise ValueError(f"cannot read {path}")
    return np.ascontiguousarray(picture[:, :, ::-1])


def triplets(root):
    """-> list of (name, frame 0, truth, frame 1) paths of a Middlebury, UCF101 or im1..im3 tree."""
    out = []
    if os.path.isdir(os.path.join(root, "input")):
        for name in sorted(os.listdir(os.path.join(root, "input"))):
            outer, inner = (sorted(glob.glob(os.path.join(root, d, name, "*.png"))) for d in ("input", "gt"))
            if len(outer) > 1 and inner:
                out.append((name, outer[0], inner[0], outer[-1]))
        return out
    first, rest = ("frame0.png", ("frame1.png", "frame2.png"))
    if not glob.glob(os.path.join(root, "*", first)):
        first, rest = ("im1.png", ("im2.png", "im3.png"))
    for path in sorted(glob.glob(os.path.join(root, "**", first), recursive=True)):
        folder = os.path.dirname(path)
        out.append((os.path.relpath(folder, root), path, *(os.path.join(folder, r) for r in rest)))
    return out


def tensor(picture, device="cpu"):
    return torch.from_numpy(picture).to(device).permute(2, 0, 1)[None].float() / 255


@torch.no_grad()
def network(net, a, b, t=0.5):
    """The network's 8-bit frame at t."""
    device = next(net.parameters()).device
    out = net.interpolate(tensor(a, device), tensor(b, device), t)
    return (out[0] * 255).round().byte().permute(1, 2, 0).cpu().numpy()


def blend(a, b):
    return ((a.astype(np.float32) + b) / 2 + 0.5).astype(np.uint8)


def dis(a, b):
    """DIS optical flow (medium), both directions, both frames warped half-way, mean."""
    grey = [cv2.cvtColor(x, cv2.COLOR_RGB2GRAY) for x in (a, b)]
    h, w = grey[0].shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    moved = []
    for picture, flow in ((a, _dis(grey[1], grey[0])), (b, _dis(grey[0], grey[1]))):
        moved.append(cv2.remap(picture, x + flow[..., 0] / 2, y + flow[..., 1] / 2, cv2.INTER_LINEAR,
                               borderMode=cv2.BORDER_REPLICATE))
    return blend(*moved)


def _dis(a, b):
    return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(a, b, None)


def psnr(out, truth):
    mse = np.square(out.astype(np.float64) - truth).mean()
    return 10 * np.log10(255 ** 2 / max(mse, 1e-9))


def error(out, truth):
    """IE of the literature's tables: mean absolute difference in 8-bit levels."""
    return np.abs(out.astype(np.float64) - truth).mean()


def ssim(out, truth):
    """Wang 2004, Gaussian window of sigma 1.5, mean over RGB."""
    from skimage.metrics import structural_similarity
    return structural_similarity(out, truth, channel_axis=2, gaussian_weights=True, sigma=1.5,
                                 use_sample_covariance=False)
