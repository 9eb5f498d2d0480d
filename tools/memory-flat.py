#!/usr/bin/env python3
"""Whether memory stays the same over a long video: runs dain on a generated clip and samples its memory.

    tools/memory-flat.py [--size 640x480] [--seconds 300] [--rate 30] [--every 2] [dain options ...]

Prints resident memory (MiB) after a tenth of the time and at the end, and the slope between in KiB a
minute of run, by least squares. DAIN names the program (build/dain). Exit code 1 if it grew by more
than 4 MiB and 2 %.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time


def resident(pid):
    try:
        for line in open(f'/proc/{pid}/status'):
            if line.startswith('VmRSS'):
                return int(line.split()[1])
    except FileNotFoundError:
        pass
    return 0


def make_clip(path, size, seconds, rate):
    """Cheap to make and to decode, moving, with sound."""
    subprocess.run(['ffmpeg', '-nostdin', '-v', 'error', '-y', '-f', 'lavfi', '-i',
                    f'testsrc2=size={size}:rate={rate}:duration={seconds}', '-f', 'lavfi', '-i',
                    f'sine=duration={seconds}', '-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', path],
                   check=True)


def sample(process, every):
    points = []
    begun = time.monotonic()
    while process.poll() is None:
        kib = resident(process.pid)
        if kib:
            points.append((time.monotonic() - begun, kib))
        time.sleep(every)
    return points


def slope(points):
    """KiB a second."""
    n = len(points)
    t, m = sum(p[0] for p in points) / n, sum(p[1] for p in points) / n
    spread = sum((p[0] - t) ** 2 for p in points)
    return sum((p[0] - t) * (p[1] - m) for p in points) / spread if spread else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--size', default='640x480')
    parser.add_argument('--seconds', type=float, default=300)
    parser.add_argument('--rate', default='30')
    parser.add_argument('--every', type=float, default=2, help='seconds between samples')
    options, more = parser.parse_known_args()
    dain = os.environ.get('DAIN', str(pathlib.Path(__file__).resolve().parents[1] / 'build' / 'dain'))
    with tempfile.TemporaryDirectory() as folder:
        make_clip(f'{folder}/in.mp4', options.size, options.seconds, options.rate)
        process = subprocess.Popen([dain, '-q', *more, f'{folder}/in.mp4', f'{folder}/out.mp4'],
                                   stdin=subprocess.DEVNULL)
        points = sample(process, options.every)
        if process.returncode:
            sys.exit(f'dain: exit code {process.returncode}')
    # The last sample may be of a process that is taking itself down.
    points = points[len(points) // 10:-1]
    if len(points) < 5:
        sys.exit('too short for a slope')
    first, last = points[0][1], points[-1][1]
    print(f'{len(points)} samples: {first / 1024:.1f} MiB, at the end {last / 1024:.1f} MiB, '
          f'most {max(p[1] for p in points) / 1024:.1f} MiB, slope {60 * slope(points):.0f} KiB a minute')
    sys.exit(last - first > 4096 and last > 1.02 * first)


main()
