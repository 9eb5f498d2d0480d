#!/usr/bin/env python3
"""`dain eval` against independent arithmetic: python3 eval.py DAIN SOURCE_ROOT

The pictures are made here. What needs scikit-image or PyTorch is skipped, by name, where they are missing.
"""
import csv
import json
import math
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

DAIN, ROOT = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
WIDTH, HEIGHT = 72, 56


class Skip(Exception):
    pass


# ---- pictures ----

def scene(t, seed=0):
    """A textured background and a disc, both moving with t, as rows of RGB bytes."""
    rows = []
    for y in range(HEIGHT):
        row = bytearray()
        for x in range(WIDTH):
            u, v = x - 3.0 * t + seed, y + 1.0 * t + 2 * seed
            inside = (x - 20 - 9 * t) ** 2 + (y - 28) ** 2 < 140
            for c in range(3):
                phase = 0.9 * c + (2.1 if inside else 0.0)
                value = 128 + 60 * math.sin(0.35 * u + phase) + 50 * math.cos(0.23 * v - 0.11 * u + phase)
                row.append(max(0, min(255, round(value))))
        rows.append(bytes(row))
    return rows


def write_png(path, rows):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    header = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
                chunk(b"IDAT", zlib.compress(b"".join(b"\0" + r for r in rows))) + chunk(b"IEND", b""))


def triplets(folder, pattern=("{n}/frame0.png", "{n}/frame1.png", "{n}/frame2.png"), names=("2", "10", "1")):
    for seed, n in enumerate(names):
        for k in range(3):
            write_png(os.path.join(folder, pattern[k].format(n=n)), scene(k, seed))


# ---- running the tool ----

def run(*args, status=0):
    """Standard output; the exit status is checked, and on failure that there is one line about it."""
    p = subprocess.run([DAIN, "eval", *args], capture_output=True, text=True, timeout=300)
    assert p.returncode == status, f"{args}: exit status {p.returncode}, not {status}: {p.stderr}"
    if status == 1:
        assert len(p.stderr.splitlines()) == 1, f"{args}: not one line: {p.stderr!r}"
        return p.stderr
    return p.stdout


def scores(folder, *args):
    """{sequence: {method: (PSNR, SSIM, IE)}} of the JSON report, and the means."""
    with tempfile.TemporaryDirectory() as d:
        out = os.path.join(d, "scores.json")
        run(folder, "--json", out, *args)
        with open(out) as f:
            j = json.load(f)
    def by_method(list_):
        return {s["method"]: (s["psnr"], s["ssim"], s["ie"]) for s in list_}
    return {s["name"]: by_method(s["scores"]) for s in j["sequences"]}, by_method(j["mean"]["scores"]), j


def near(got, want, tolerance, what):
    assert abs(got - want) <= tolerance, f"{what}: {got}, not {want}"


# ---- tests ----

def scores_are_those_of_scikit_image(d):
    try:
        import numpy as np
        from skimage.io import imread
        from skimage.metrics import peak_signal_noise_ratio, structural_similarity
    except ImportError as e:
        raise Skip(e)
    triplets(d + "/set")
    for luma in (False, True):
        got, _, _ = scores(d + "/set", "--vs", "blend", "--vs", "nearest", "--save", d + "/out",
                           *(["--luma"] if luma else []))
        assert set(got) == {"1", "2", "10"}, got
        for name, methods in got.items():
            assert set(methods) == {"edge", "blend", "nearest"}, methods
            truth = imread(f"{d}/set/{name}/frame1.png")[..., :3].astype(float)
            for method, score in methods.items():
                made = imread(f"{d}/out/{name}-{method}.png")[..., :3].astype(float)
                a, b = (v @ [0.299, 0.587, 0.114] if luma else v for v in (truth, made))
                ssim = structural_similarity(a, b, data_range=255, gaussian_weights=True, sigma=1.5,
                                             use_sample_covariance=False, channel_axis=None if luma else 2)
                near(score[0], peak_signal_noise_ratio(a, b, data_range=255), 1e-4, f"PSNR of {name} {method}")
                near(score[1], ssim, 1e-4, f"SSIM of {name} {method}")
                near(score[2], np.abs(a - b).mean(), 1e-4, f"IE of {name} {method}")
    first, truth, second = (imread(f"{d}/set/2/frame{k}.png")[..., :3].astype(int) for k in range(3))
    assert (imread(d + "/out/2-nearest.png")[..., :3] == first).all(), "nearest is not the first frame"
    assert (imread(d + "/out/2-blend.png")[..., :3] == (first + second + 1) // 2).all(), "blend is not the mean"
    made = imread(d + "/out/2-edge.png")[..., :3].astype(int)
    error = np.minimum(255, np.floor(8 * np.abs(made - truth).sum(2) / 3 + 0.5)).astype(int)
    assert (imread(d + "/out/2-error.png")[..., 0] == error).all(), "the error map"
    strip = imread(d + "/out/2-strip.png")[..., :3]
    assert strip.shape == (3 * HEIGHT + 8, 5 * WIDTH + 16, 3), strip.shape
    assert (strip[:HEIGHT, WIDTH + 4:2 * WIDTH + 4] == made).all(), "the strip's made frame"
    assert (strip[HEIGHT + 4:2 * HEIGHT + 4, 2 * (WIDTH + 4):3 * WIDTH + 8] == truth).all(), "the strip's truth"
    assert (strip[:HEIGHT, 4 * (WIDTH + 4):, 1] == error).all(), "the strip's error"


def scores_are_those_of_the_evaluation_in_pytorch(d):
    python = sys.executable
    if subprocess.run([python, "-c", "import torch, cv2, skimage"], capture_output=True).returncode:
        raise Skip("PyTorch, OpenCV or scikit-image is missing")
    triplets(d + "/set")
    model = ROOT + "/models/edge.safetensors"
    got, _, _ = scores(d + "/set", "--model", model, "--vs", "blend")
    p = subprocess.run([python, ROOT + "/training/evaluate.py", d + "/set", model, "blend", "--ops", "torch",
                        "--json", d + "/want.json"], cwd=ROOT + "/training", capture_output=True, text=True)
    assert p.returncode == 0, p.stderr
    with open(d + "/want.json") as f:
        want = json.load(f)
    assert len(want["rows"]) == 3, want
    for name, methods in want["rows"]:
        for i, method in enumerate(("edge", "blend")):
            near(got[name][method][0], methods[i][0], 0.01, f"PSNR of {name} {method}")
            near(got[name][method][1], methods[i][1], 1e-4, f"SSIM of {name} {method}")
            near(got[name][method][2], methods[i][2], 0.005, f"IE of {name} {method}")


def table_csv_and_json_agree(d):
    triplets(d + "/set")
    table = run(d + "/set", "--vs", "blend", "--csv", d + "/s.csv", "--json", d + "/s.json")
    with open(d + "/s.json") as f:
        j = json.load(f)
    with open(d + "/s.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    assert [s["name"] for s in j["sequences"]] == ["1", "2", "10"], "natural order"
    assert [m["kind"] for m in j["methods"]] == ["model", "blend"] and j["methods"][0]["network"] == "edge", j
    assert (j["space"], j["layout"]) == ("rgb", "triplets"), j
    lines = table.splitlines()[2:]
    assert len(lines) == 4 and len(rows) == 8, table
    entries = [(s["name"], s["scores"]) for s in j["sequences"]] + [("mean", j["mean"]["scores"])]
    for line, (name, methods) in zip(lines, entries):
        assert line.startswith("mean of 3" if name == "mean" else name + " "), line
        for part, score in zip(line.split("|")[1:], methods):
            row = rows.pop(0)
            assert (row["sequence"], row["method"]) == (name, score["method"]), row
            for cell, key, csv_key, digits in zip(part.split(), ("psnr", "ssim", "ie"), ("psnr_db", "ssim", "ie"), (2, 4, 2)):
                near(float(row[csv_key]), score[key], 1e-9, csv_key)
                near(float(cell), score[key], 0.51 * 10 ** -digits, csv_key)
    for i in range(2):
        for key in ("psnr", "ssim", "ie"):
            mean = sum(s["scores"][i][key] for s in j["sequences"]) / 3
            near(j["mean"]["scores"][i][key], mean, 2e-6, "mean " + key)


def every_layout_gives_the_same_scores(d):
    names = ("2", "10", "1")
    triplets(d + "/ucf")
    triplets(d + "/middlebury", ("input/{n}/frame10.png", "gt/{n}/frame10i11.png", "input/{n}/frame11.png"))
    triplets(d + "/vimeo", ("sequences/{n}/im1.png", "sequences/{n}/im2.png", "sequences/{n}/im3.png"), names + ("x",))
    with open(d + "/vimeo/tri_testlist.txt", "w") as f:
        f.write("".join(n + "\n" for n in names))
    want = scores(d + "/ucf", "--vs", "blend")
    for folder, layout in (("middlebury", "middlebury"), ("vimeo", "vimeo")):
        got = scores(f"{d}/{folder}", "--vs", "blend")
        assert got[0] == want[0] and got[1] == want[1], f"{folder}: {got} and not {want}"
        assert got[2]["layout"] == layout, got[2]


def every_second_frame_of_a_clip_is_made_again(d):
    for k in range(8):
        write_png(f"{d}/clip/{k + 5}.png", scene(0.5 * k))
    for first in (0, 2, 4):
        for k in range(3):
            write_png(f"{d}/set/{first}/im{k + 1}.png", scene(0.5 * (first + k)))
    want, mean, _ = scores(d + "/set", "--vs", "nearest")
    linear = ("--vs", "nearest", "--motion", "linear")
    frames, frames_mean, j = scores(d + "/clip", "--drop-odd", *linear)
    assert list(frames) == ["6.png", "8.png", "10.png"] and j["layout"] == "frames", frames
    assert list(frames.values()) == list(want.values()) and mean == frames_mean, f"{frames} and not {want}"
    subprocess.run(["ffmpeg", "-v", "error", "-start_number", "5", "-i", d + "/clip/%d.png", "-c:v", "ffv1",
                    "-pix_fmt", "gbrp", d + "/clip.mkv"], check=True)
    video, video_mean, j = scores(d + "/clip.mkv", *linear)
    assert list(video) == ["frame 1", "frame 3", "frame 5"] and j["layout"] == "video", video
    assert list(video.values()) == list(want.values()) and mean == video_mean, f"{video} and not {want}"
    # the middle one of the three has neighbours, by which its motion is judged
    folder, video = scores(d + "/clip", "--drop-odd")[0], scores(d + "/clip.mkv")[0]
    assert list(folder.values()) == list(video.values()), f"{folder} and not {video}"
    same = [a["edge"] == b["edge"] for a, b in zip(video.values(), want.values())]
    assert same == [True, False, True], f"{video}, linear {want}"


def curved_motion_pays_where_things_speed_up(d):
    """A head that turns and stops, at ten frames a second."""
    demo, fast = ROOT + "/assets/demo.mp4", ("--precision", "int8")
    curved, linear = (scores(demo, *fast, *more)[1]["edge"] for more in ((), ("--motion", "linear")))
    assert curved[0] > linear[0] + 0.4 and curved[1] > linear[1] and curved[2] < linear[2], f"{curved} and {linear}"


def identical_pictures_are_reported_as_such(d):
    for k in range(3):
        write_png(f"{d}/set/a/im{k + 1}.png", scene(0))
    got, mean, _ = scores(d + "/set", "--vs", "blend")
    assert got["a"]["blend"] == (None, 1, 0) and mean["blend"] == (100, 1, 0), (got, mean)


def bad_input_is_one_clear_line(d):
    triplets(d + "/set")
    os.mkdir(d + "/empty")
    assert "no test set" in run(d + "/empty", status=1)
    assert "No such file" in run(d + "/nowhere", status=1)
    write_png(d + "/two/1.png", scene(0))
    write_png(d + "/two/2.png", scene(1))
    assert "--drop-odd" in run(d + "/two", status=1)
    assert "at least 3" in run(d + "/two", "--drop-odd", status=1)
    truth = d + "/set/10/frame1.png"
    with open(truth, "rb") as f:
        good = f.read()
    csv_ = d + "/s.csv"
    for content, words in ((None, "frame1.png is missing"), (b"", "10/frame1.png"), (b"no picture", "10/frame1.png"),
                           (good[:len(good) // 2], "10/frame1.png")):
        os.remove(truth)
        if content is not None:
            with open(truth, "wb") as f:
                f.write(content)
        line = run(d + "/set", "--csv", csv_, status=1)
        assert words in line, line
        if content is None:
            open(truth, "w").close()
        assert os.listdir(d).count("s.csv") == 0 and not [n for n in os.listdir(d) if ".dain" in n], os.listdir(d)
    write_png(truth, [r[:30] for r in scene(0)])
    assert f"10x{HEIGHT}" in run(d + "/set", status=1)
    with open(truth, "wb") as f:
        f.write(good)
    run(d + "/set", "--csv", csv_)
    for args, words in ((["--model", d + "/none.safetensors"], "none.safetensors"),
                        (["--vs", truth], "frame1.png"), (["--csv", d + "/no/s.csv"], "No such file"),
                        (["--json", "/dev/full"], "No space left"), (["--save", truth], "not a folder")):
        line = run(d + "/set", *args, status=1)
        assert words in line, line


def an_interrupt_leaves_no_half_report(d):
    for k in range(3):
        write_png(f"{d}/base/{k}.png", scene(k))
    subprocess.run(["ffmpeg", "-v", "error", "-stream_loop", "400", "-i", d + "/base/%d.png", "-vf", "scale=640:480",
                    "-c:v", "ffv1", d + "/clip.mkv"], check=True)
    p = subprocess.Popen([DAIN, "eval", d + "/clip.mkv", "--csv", d + "/s.csv"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    while "frame 1" not in p.stdout.readline():
        assert p.poll() is None, p.stderr.read()
    start = time.monotonic()
    p.send_signal(signal.SIGINT)
    _, err = p.communicate(timeout=60)
    assert p.returncode == 130, f"exit status {p.returncode}: {err}"
    assert time.monotonic() - start < 30, "too long"
    assert sorted(os.listdir(d)) == ["base", "clip.mkv"], os.listdir(d)


TESTS = [
    ("scores are those of scikit-image, pictures what they should be", scores_are_those_of_scikit_image),
    ("scores are those of the evaluation in PyTorch to 0.01 dB", scores_are_those_of_the_evaluation_in_pytorch),
    ("table, CSV and JSON agree", table_csv_and_json_agree),
    ("Middlebury, Vimeo-90K and UCF101 layouts give the same scores", every_layout_gives_the_same_scores),
    ("curved motion pays where things speed up", curved_motion_pays_where_things_speed_up),
    ("every second frame of a clip is made again, from pictures or from a video",
     every_second_frame_of_a_clip_is_made_again),
    ("identical pictures are reported as such", identical_pictures_are_reported_as_such),
    ("bad input is one clear line", bad_input_is_one_clear_line),
    ("an interrupt leaves no half report", an_interrupt_leaves_no_half_report),
]


def main():
    failed = False
    for name, test in TESTS:
        with tempfile.TemporaryDirectory(prefix="dain-eval-") as d:
            try:
                test(d)
                print("ok", name)
            except Skip as e:
                print(f"skip {name}: {e}")
            except Exception as e:
                failed = True
                print("not ok", name)
                print(f"{type(e).__name__}: {e}", file=sys.stderr)
        sys.stdout.flush()
    return failed


if __name__ == "__main__":
    sys.exit(main())
