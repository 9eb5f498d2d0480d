#!/usr/bin/env python3
"""Decode training clips into the memory-mapped cache: prepare.py CLIP_DIR CACHE_DIR [--max-side 960]."""
import argparse

from edgetrain.clips import decode


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip_dir")
    parser.add_argument("cache_dir")
    parser.add_argument("--max-side", type=int, default=960)
    a = parser.parse_args()
    print(decode(a.clip_dir, a.cache_dir, a.max_side), "clips decoded")


if __name__ == "__main__":
    main()
