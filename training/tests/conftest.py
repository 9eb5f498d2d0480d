"""Shared pieces of the training tests; everything is skipped where torch is missing."""
import os
import sys

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
HERE = os.path.dirname(os.path.abspath(__file__))
TRAINING, ROOT = os.path.dirname(HERE), os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, TRAINING)

torch = pytest.importorskip("torch")
pytest.importorskip("cv2")
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def golden():
    """Operator data computed independently of this folder."""
    from edgetrain import safetensors
    path = os.path.join(ROOT, "tests", "golden", "edge", "ops.safetensors")
    if not os.path.exists(path):
        pytest.skip("no golden operator data")
    return safetensors.read(path)[0]


@pytest.fixture(scope="session")
def weights():
    """The tensors that the golden results were made with."""
    from edgetrain import safetensors
    return safetensors.read(os.path.join(ROOT, "tests", "golden", "edge", "edge-v2.safetensors"))[0]


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """A tiny data set: two clips of moving noise in cache form and three textures."""
    import json

    import cv2
    import numpy as np
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(5)
    for k in range(3):
        coarse = rng.integers(0, 256, (12 + 5 * k, 16, 3), dtype=np.uint8)
        (root / "textures").mkdir(exist_ok=True)
        cv2.imwrite(str(root / "textures" / f"{k}.png"), cv2.resize(coarse, (400, 300), interpolation=cv2.INTER_CUBIC))
    index = {}
    (root / "cache").mkdir()
    for k in range(2):
        wide = cv2.resize(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8), (300, 240), interpolation=cv2.INTER_CUBIC)
        frames = np.stack([wide[2 * i:2 * i + 200, 3 * i:3 * i + 240] for i in range(8)])
        np.save(root / "cache" / f"{k}.npy", frames)
        index[f"{k}.mp4"] = {"array": f"{k}.npy", "source": "made", "triplets": list(range(6)),
                             "quintuplets": list(range(4))}
    (root / "cache" / "index.json").write_text(json.dumps(index))
    (root / "val" / "one").mkdir(parents=True)
    for j in range(3):
        cv2.imwrite(str(root / "val" / "one" / f"im{j + 1}.png"), wide[2 * j:2 * j + 90, 3 * j:3 * j + 130])
    return root
