#!/usr/bin/env python3
"""What --match and --denoise-flow do to new frames: the figures and curves of docs/enhancement.md.

    tools/enhancement.py [--dain build/dain] [--frames 31] [--size 640x360] [--start 0] [--plot FILE.png]
                         [--clean FILTERS] [--damage FILTERS] CLIP [-- dain options ...]

Takes the first frames of CLIP through the FFmpeg filters --clean (brightness, ...: the truth) and then --damage (noise:
what a camera would have recorded), leaves out every second frame and has dain make it again: without options, with
--match, with --denoise-flow, with both. Prints for each: sharpness (mean absolute Laplacian) and noise (Immerkaer's estimate
over the flatter half of the blocks) of new frames as a part of that of source frames; PSNR of the new frames to what was
recorded and to the truth; and how much sharpness and noise change from frame to frame, in 8-bit levels. All of luma.

Needs NumPy, for --plot Pillow, ffmpeg.
"""
import argparse
import pathlib
import subprocess
import tempfile

import numpy as np

WAYS = {'without': (), '--match': ('--match',), '--denoise-flow': ('--denoise-flow',),
        'both': ('--match', '--denoise-flow')}


def luma(path, width, height, *filters):
    vf = ','.join(f for f in filters if f)
    data = subprocess.run(['ffmpeg', '-v', 'error', '-i', path, *(['-vf', vf] if vf else []), '-fps_mode', 'passthrough',
                           '-pix_fmt', 'gray', '-f', 'rawvideo', '-'], capture_output=True, check=True).stdout
    return np.frombuffer(data, np.uint8).reshape(-1, height, width).astype(np.float32)


def sharpness(f):
    return np.abs(4 * f[1:-1, 1:-1] - f[1:-1, :-2] - f[1:-1, 2:] - f[:-2, 1:-1] - f[2:, 1:-1]).mean()


def noise(f):
    """Standard deviation, of the flatter half of blocks of 16x16."""
    d = f[:, :-2] - 2 * f[:, 1:-1] + f[:, 2:]
    d = np.abs(d[:-2] - 2 * d[1:-1] + d[2:])
    h, w = d.shape[0] // 16 * 16, d.shape[1] // 16 * 16
    blocks = np.sort(d[:h, :w].reshape(h // 16, 16, w // 16, 16).mean((1, 3)).ravel())
    return blocks[:len(blocks) // 2].mean() * np.sqrt(np.pi / 2) / 6


def psnr(a, b):
    return 10 * np.log10(255 ** 2 / max(np.mean((a - b) ** 2), 1e-9))


def make(dain, source, target, options):
    subprocess.run([dain, '-q', '-y', '--no-config', '--no-scene', '-c', 'ffv1', *options, source, target], check=True)


def curves(frames):
    return np.array([sharpness(f) for f in frames]), np.array([noise(f) for f in frames])


def row(name, frames, recorded, truth):
    n = (len(frames) - 1) // 2 * 2
    s, g = curves(frames[:n + 1])
    share = [100 * np.mean(v[1:n:2]) / np.mean(v[0:n + 1:2]) for v in (s, g)]
    near = [np.mean([psnr(frames[i], t[i]) for i in range(1, n, 2)]) for t in (recorded, truth)]
    steps = [np.mean(np.abs(np.diff(v))) for v in (s, g)]
    print(f'| {name} | {share[0]:.0f} % | {share[1]:.0f} % | {near[0]:.2f} | {near[1]:.2f} | {steps[0]:.2f} | {steps[1]:.2f} |')
    return s, g


def plot(path, lines):
    """Two panels under one another: sharpness and noise, a line for each way."""
    from PIL import Image, ImageDraw
    width, height, edge, colours = 860, 190, 46, {'without': '#c22', '--match': '#06a'}
    image = Image.new('RGB', (width, 2 * height), 'white')
    draw = ImageDraw.Draw(image)
    for panel, what in enumerate(('sharpness: mean absolute Laplacian, levels', 'noise: standard deviation, levels')):
        top = panel * height
        most = 1.15 * max(v[panel].max() for v in lines.values())
        left, right, low, high = edge, width - 10, top + height - 24, top + 22
        draw.text((left, top + 4), what, fill='black')
        for k in range(3):
            y = low - (low - high) * k / 2
            draw.line((left, y, right, y), fill='#ddd')
            draw.text((4, y - 6), f'{most * k / 2:.1f}', fill='black')
        for number, (name, v) in enumerate(lines.items()):
            points = [(left + (right - left) * i / (len(v[panel]) - 1), low - (low - high) * y / most)
                      for i, y in enumerate(v[panel])]
            draw.line(points, fill=colours[name], width=2)
            for i, (x, y) in enumerate(points):
                if i % 2 == 0:
                    draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill='black')
            draw.text((right - 260 + 100 * number, top + 4), name, fill=colours[name])
        draw.text((left, low + 6), 'frames; dots: source frames', fill='black')
    image.quantize(32).save(path, optimize=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split('\n\n')[1].strip())
    parser.add_argument('clip')
    parser.add_argument('options', nargs=argparse.REMAINDER)
    parser.add_argument('--dain', default='build/dain')
    parser.add_argument('--frames', type=int, default=31)
    parser.add_argument('--size', default='640x360')
    parser.add_argument('--start', default='0')
    parser.add_argument('--clean', default='')
    parser.add_argument('--damage', default='')
    parser.add_argument('--plot')
    o = parser.parse_args()
    width, height = map(int, o.size.split('x'))
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)

        def recording(name, *filters, every=1):
            vf = ','.join(f for f in (f'scale={width}:{height}', *filters, f"select='not(mod(n\\,{every}))'", 'setpts=N/12/TB')
                          if f)
            subprocess.run(['ffmpeg', '-v', 'error', '-ss', o.start, '-i', o.clip, '-an', '-vf', vf, '-frames:v',
                            str((o.frames + every - 1) // every), '-c:v', 'ffv1', work / name], check=True)
            return work / name

        truth = luma(recording('truth.mkv', o.clean), width, height)
        recorded = luma(recording('all.mkv', o.clean, o.damage), width, height)
        source = recording('in.mkv', o.clean, o.damage, every=2)
        lines = {}
        print('| | sharpness of the source\'s | noise of the source\'s | PSNR to the recorded | to the truth | change of sharpness '
              '| of noise |\n| --- | --- | --- | --- | --- | --- | --- |')
        for name, options in WAYS.items():
            make(o.dain, source, work / 'out.mkv', (*options, *(x for x in o.options if x != '--')))
            v = row(name, luma(work / 'out.mkv', width, height), recorded, truth)
            if name in ('without', '--match'):
                lines[name] = v
        if o.plot:
            plot(o.plot, lines)


if __name__ == '__main__':
    main()
