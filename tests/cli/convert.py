#!/usr/bin/env python3
"""dain convert from outside. Usage: convert.py TOOL CORPUS-OF-CHECKPOINTS"""
import json
import os
import struct
import subprocess
import sys
import tempfile

TOOL, CORPUS = sys.argv[1:3]
failures = 0


def check(name, good, detail=""):
    global failures
    failures += not good
    print(("ok " if good else "not ok ") + name + ("" if good else ": " + str(detail)))


def run(*args):
    r = subprocess.run([TOOL, "convert", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return r.returncode, r.stderr


def header(path):
    with open(path, "rb") as f:
        return json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))


with tempfile.TemporaryDirectory() as folder:
    out = os.path.join(folder, "out.safetensors")
    for form in ("legacy", "zip"):
        seed = os.path.join(CORPUS, "shared-%s.pth" % form)
        code, text = run("--any", "-y", seed, out)
        check("a %s checkpoint is converted" % form, code == 0 and "5 tensors" in text, text)
        check("shapes of the %s checkpoint are kept" % form, header(out)["t"]["shape"] == [3, 4])
    code, text = run("--any", seed, out)
    check("an existing file is kept", code == 1 and text.count("\n") == 1 and "exists" in text, text)
    back = os.path.join(folder, "back.pth")
    code, text = run("--any", out, back)
    check("safetensors become a checkpoint", code == 0 and os.path.getsize(back) > 500, text)
    new = os.path.join(folder, "new.safetensors")
    code, text = run(seed, new)
    check("a checkpoint of something else ends in one line", code == 1 and text.count("\n") == 1
          and "is missing" in text and not os.listdir(folder).count("new.safetensors"), text)
    broken = os.path.join(folder, "broken.pth")
    with open(seed, "rb") as f, open(broken, "wb") as g:
        g.write(f.read()[:300])
    code, text = run("--any", broken, new)
    check("a checkpoint cut short ends in one line", code == 1 and text.count("\n") == 1, text)
    check("nothing is left behind", sorted(os.listdir(folder)) == ["back.pth", "broken.pth", "out.safetensors"],
          os.listdir(folder))
    r = subprocess.run([TOOL, "-m", seed, seed, os.path.join(folder, "x.mp4")], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True)
    check("a checkpoint named as model says what to do", r.returncode == 1 and "dain convert" in r.stderr, r.stderr)
    for args in ((), (seed,), (seed, out, out)):
        check("%d operands are a mistake in use" % len(args), run(*args)[0] == 2)
sys.exit(1 if failures else 0)
