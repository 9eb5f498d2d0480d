"""A real pair of pictures as raw RGB files, and the example program on it."""
import hashlib
import json
import os
import pathlib
import subprocess

SIDE = 256


def tensors(path):
    """Name -> bytes of a safetensors file."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    return {name: data[8 + length + entry["data_offsets"][0]:8 + length + entry["data_offsets"][1]]
            for name, entry in header.items() if name != "__metadata__"}


def write_pair(folder, root):
    """Writes a.rgb and b.rgb; returns the frame between them as the reference implementation makes it."""
    golden = tensors(pathlib.Path(root) / "tests" / "golden" / "edge" / "net_real_256.safetensors")
    (folder / "a.rgb").write_bytes(golden["im0"])
    (folder / "b.rgb").write_bytes(golden["im1"])
    return golden["t50.out_u8"]


def run(program, folder, root, *, code=0, width=SIDE, height=SIDE, model=None, **environment):
    """Runs two_frames on the pair; returns the picture (None if none was written) and what was printed."""
    model = model or pathlib.Path(root) / "tests" / "golden" / "edge" / "edge-v2.safetensors"
    out = folder / "out.rgb"
    out.unlink(missing_ok=True)
    done = subprocess.run([program, str(width), str(height), str(folder / "a.rgb"),
                           str(folder / "b.rgb"), str(out), str(model)],
                          env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=100 * int(os.environ.get("DAIN_TEST_PATIENCE", 1)))
    if done.returncode != code:
        raise AssertionError(f"exit code {done.returncode}, not {code}: {done.stdout}{done.stderr}")
    return out.read_bytes() if out.exists() else None, done.stdout + done.stderr


def digest(data):
    return hashlib.sha256(data).hexdigest()[:16]
