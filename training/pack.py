#!/usr/bin/env python3
"""Pack clips and textures into one folder of bounded size, to carry to another machine.

    pack.py DATA OUT [--megabytes 50]

DATA has train/clips.json and textures/. OUT gets clips/ (with clips.json) and textures/, for prepare.py and train.py
there. Textures are stored again, smaller; clips are taken whole, those without the note "third-party clip" first,
and left out once the limit is reached.
"""
import argparse
import glob
import json
import os
import shutil

import cv2

TEXTURE_SIDE, TEXTURE_QUALITY = 720, 85


def pack_textures(source, out):
    """-> bytes written."""
    os.makedirs(out, exist_ok=True)
    for path in sorted(glob.glob(os.path.join(source, "*.jpg"))):
        picture = cv2.imread(path)
        scale = TEXTURE_SIDE / max(picture.shape[:2])
        if scale < 1:
            picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        cv2.imwrite(os.path.join(out, os.path.basename(path)), picture, [cv2.IMWRITE_JPEG_QUALITY, TEXTURE_QUALITY])
    return sum(e.stat().st_size for e in os.scandir(out))


def pack_clips(source, out, limit):
    """-> bytes written, clips taken, clips left out."""
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(source, "clips.json")) as f:
        clips = json.load(f)
    clips.sort(key=lambda c: "third-party" in c.get("note", ""))
    used, taken = 0, []
    for clip in clips:
        size = os.path.getsize(os.path.join(source, clip["file"])) + len(json.dumps(clip)) + 2
        if used + size <= limit:
            shutil.copy(os.path.join(source, clip["file"]), out)
            taken.append(clip)
            used += size
    with open(os.path.join(out, "clips.json"), "w") as f:
        json.dump(taken, f)
    return used, len(taken), len(clips) - len(taken)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("--megabytes", type=float, default=50)
    a = parser.parse_args()
    limit = int(a.megabytes * 1e6)
    used = pack_textures(os.path.join(a.data, "textures"), os.path.join(a.out, "textures"))
    clips, taken, left = pack_clips(os.path.join(a.data, "train"), os.path.join(a.out, "clips"), limit - used)
    print(f"{(used + clips) / 1e6:.1f} MB: textures {used / 1e6:.1f}, {taken} clips {clips / 1e6:.1f}, {left} left out")


if __name__ == "__main__":
    main()
