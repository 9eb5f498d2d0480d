#!/usr/bin/env python3
"""The tables of models/README.md from score files: score-tables.py EVAL.json [TRAINING.json]

EVAL.json is what `dain eval PATH --vs blend --json EVAL.json` wrote, TRAINING.json what `training/evaluate.py PATH dis
--json TRAINING.json` wrote about the same PATH; methods of both become columns. Markdown: a line of means, PSNR dB /
SSIM / IE, then PSNR and IE per sequence.
"""
import json
import os
import sys


def methods_of(path):
    """[(method, {sequence: (PSNR, SSIM, IE)})] of either kind of file; identical pictures count as 100 dB."""
    with open(path, encoding="utf-8") as f:
        j = json.load(f)
    if "sequences" in j:
        rows = [(s["name"], [(min(100, 100 if c["psnr"] is None else c["psnr"]), c["ssim"], c["ie"])
                             for c in s["scores"]]) for s in j["sequences"]]
        names = [m["label"] for m in j["methods"]]
    else:
        rows = j["rows"]
        names = [os.path.splitext(os.path.basename(m))[0] for m in j["methods"]]
    return [(name, {sequence: scores[i] for sequence, scores in rows}) for i, name in enumerate(names)]


def main():
    columns = [m for path in sys.argv[1:] for m in methods_of(path)]
    if not columns:
        sys.exit(__doc__)
    sequences = list(columns[0][1])
    for name, scores in columns:
        if set(scores) != set(sequences):
            sys.exit(f"{name} was measured on other sequences")
    means = [[sum(scores[s][k] for s in sequences) / len(sequences) for k in range(3)] for _, scores in columns]
    names = [name for name, _ in columns]
    print("| set | " + " | ".join(names) + " |" + "\n|" + " --- |" * (len(names) + 1))
    print(f"| ({len(sequences)}) | " + " | ".join("%.2f / %.4f / %.2f" % tuple(m) for m in means) + " |\n")
    print("| sequence | PSNR " + " | ".join(names) + " | IE " + " | ".join(names) + " |")
    print("|" + " --- |" * (2 * len(names) + 1))
    for s in sequences:
        print(f"| {s} | " + " | ".join("%.2f" % scores[s][0] for _, scores in columns) + " | " +
              " | ".join("%.2f" % scores[s][2] for _, scores in columns) + " |")
    print("| **mean** | " + " | ".join("%.2f" % m[0] for m in means) + " | " +
          " | ".join("%.2f" % m[2] for m in means) + " |")


if __name__ == "__main__":
    main()
