"""Reading and writing safetensors files without any package beyond torch.

Layout: 8 bytes little-endian header length, JSON header, raw little-endian data.
"""
import json
import struct

import torch

_TYPES = {"F32": torch.float32, "F16": torch.float16, "U8": torch.uint8, "I64": torch.int64}
_NAMES = {v: k for k, v in _TYPES.items()}
_MAX_HEADER = 1 << 20


def read(path):
    """-> (dict of tensors in file order, dict of metadata strings). The ranges that a file calibrated for 8 bits
    has beside its weights are left out: they belong to those weights, and training changes them."""
    with open(path, "rb") as f:
        raw = f.read()
    if len(raw) < 8:
        raise ValueError(f"{path}: too short for safetensors")
    size, = struct.unpack_from("<Q", raw)
    if size > min(_MAX_HEADER, len(raw) - 8):
        raise ValueError(f"{path}: header length {size} does not fit the file")
    header = json.loads(raw[8:8 + size])
    data = memoryview(raw)[8 + size:]
    meta, tensors = header.pop("__metadata__", {}), {}
    for name, entry in header.items():
        if name.endswith(".range"):
            continue
        begin, end = entry["data_offsets"]
        dtype, shape = _TYPES[entry["dtype"]], entry["shape"]
        count = 1
        for n in shape:
            count *= n
        if not 0 <= begin <= end <= len(data):
            raise ValueError(f"{path}: {name} lies outside the file")
        flat = torch.frombuffer(bytearray(data[begin:end]), dtype=dtype) if end > begin \
            else torch.empty(0, dtype=dtype)
        if flat.numel() != count:
            raise ValueError(f"{path}: {name} has {flat.numel()} values, shape {shape}")
        tensors[name] = flat.view(shape)
    return tensors, meta


def write(path, tensors, meta):
    """Write tensors in the order given; metadata values become strings."""
    header, blobs, offset = {"__metadata__": {k: str(v) for k, v in meta.items()}}, [], 0
    for name, tensor in tensors.items():
        blob = tensor.detach().cpu().contiguous().numpy().tobytes()
        header[name] = {"dtype": _NAMES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for blob in blobs:
            f.write(blob)
