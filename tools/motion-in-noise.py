#!/usr/bin/env python3
"""How well motion is found in noise, and which denoiser helps: the figures behind --denoise-flow (docs/enhancement.md).

    tools/motion-in-noise.py [--library build/libdain.so] [--size 640x360] [--frames 31] [--clean FILTERS] [--noise N ...] CLIP
                             [GUIDE ...]

Every second frame of CLIP is made again from clean frames, with the motion of noisy ones (dain_push_guided()) after each
GUIDE, an FFmpeg filter: what remains is the error of the motion alone. Prints the mean PSNR. N: strength of FFmpeg's noise
filter on luma. "binomial" is what dain does itself. Needs NumPy and ffmpeg.
"""
import argparse
import ctypes as c
import subprocess

import numpy as np

GUIDES = ('null', 'binomial', 'gblur=1.5', 'bilateral=sigmaS=2:sigmaR=0.2:planes=7', 'median=radius=2', 'hqdn3d=8:6:0:0',
          'hqdn3d=4:3:6:4', 'nlmeans=s=8:p=5:r=7')


class Image(c.Structure):
    """DainImage."""
    _fields_ = [('width', c.c_int), ('height', c.c_int), ('sample', c.c_int), ('peak', c.c_int), ('step', c.c_int),
                ('plane', c.c_void_p * 4), ('stride', c.c_ssize_t * 4), ('reserved', c.c_uint64 * 2)]


def image(a):
    h, w, _ = a.shape
    p = a.ctypes.data
    return c.byref(Image(w, h, 0, 0, 3, (c.c_void_p * 4)(p, p + 1, p + 2, None), (c.c_ssize_t * 4)(*[3 * w] * 3, 0)))


def ffmpeg(shape, *args, data=None):
    run = subprocess.run(['ffmpeg', '-v', 'error', *map(str, args), '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-'], input=data,
                         capture_output=True, check=True)
    return np.frombuffer(run.stdout, np.uint8).reshape(-1, *shape)


def smooth(frames):
    """The kernel of src/media/guide.c."""
    f = frames.astype(np.float32)
    for axis in (1, 2):
        pad = [(0, 0)] * 4
        pad[axis] = (2, 2)
        p, n = np.pad(f, pad, 'edge'), f.shape[axis]
        f = sum(k * np.take(p, range(i, i + n), axis) for i, k in enumerate((1, 4, 6, 4, 1))) / 16
    return np.rint(f).astype(np.uint8)


def denoised(frames, guide, width, height):
    if guide == 'binomial':
        return smooth(frames)
    return ffmpeg(frames.shape[1:], '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', f'{width}x{height}', '-i', '-', '-vf',
                  f'format=yuv444p,{guide}', data=frames.tobytes())


def mean_psnr(library, engine, frames, guides):
    """Of every second frame, made again from the others."""
    result, out = [], np.empty_like(frames[0])
    library.dain_reset(engine)
    for k in range(0, len(frames), 2):
        frame, guide = (np.ascontiguousarray(f) for f in (frames[k], guides[k // 2]))
        assert library.dain_push_guided(engine, image(frame), image(guide)) == 0
        if k:
            assert library.dain_interpolate(engine, c.c_int64(1), c.c_int64(2), image(out)) == 0
            result.append(10 * np.log10(255 ** 2 / np.mean((out - frames[k - 1].astype(np.float32)) ** 2)))
    return np.mean(result)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split('\n\n')[1].strip())
    parser.add_argument('clip')
    parser.add_argument('guide', nargs='*', default=GUIDES)
    parser.add_argument('--library', default='build/libdain.so')
    parser.add_argument('--size', default='640x360')
    parser.add_argument('--frames', type=int, default=31)
    parser.add_argument('--clean', default='lutyuv=y=val*0.4')
    parser.add_argument('--noise', type=int, nargs='+', default=[20, 60])
    o = parser.parse_args()
    width, height = map(int, o.size.split('x'))
    library, engine = c.CDLL(o.library), c.c_void_p()
    assert library.dain_open(c.byref(engine), None) == 0, 'no model: set DAIN_MODEL'
    take = ('-i', o.clip, '-frames:v', o.frames, '-vf')
    base = f'scale={width}:{height},{o.clean}'
    clean = ffmpeg((height, width, 3), *take, base)
    noisy = [ffmpeg((height, width, 3), *take, f'{base},noise=c0s={n}:c0f=t+u:all_seed=7')[::2] for n in o.noise]
    print(f'| motion of | {" | ".join(f"noise {n}" for n in o.noise)} |\n|{" --- |" * (1 + len(noisy))}')
    print(f'| clean frames | {" | ".join([f"{mean_psnr(library, engine, clean, clean[::2]):.2f}"] * len(noisy))} |')
    for guide in o.guide:
        values = (mean_psnr(library, engine, clean, denoised(n, guide, width, height)) for n in noisy)
        print(f'| {guide} | {" | ".join(f"{v:.2f}" for v in values)} |', flush=True)


if __name__ == '__main__':
    main()
