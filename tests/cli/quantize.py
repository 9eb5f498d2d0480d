#!/usr/bin/env python3
"""dain quantize: a model in 8 bits, calibrated on pictures; what cannot be calibrated on."""
import json
import os
import stat
import struct

from harness import DEMO, ROOT, check, clip, dain, equal, ffmpeg, main, one_line, test

MODEL = ROOT / 'models' / 'edge.safetensors'


def real_clip(path, frames=7):
    ffmpeg('-i', DEMO, '-an', '-vf', 'scale=192:108', '-frames:v', frames, '-c:v', 'libx264', '-qp', 0, path)
    return path


def header(path):
    data = path.read_bytes()
    length = struct.unpack('<Q', data[:8])[0]
    return json.loads(data[8:8 + length]), data, 8 + length


def psnr(video, *model):
    text = dain('eval', video, *model).stdout.strip().splitlines()[-1]
    return float(text.split('|')[1].split()[0])


@test('8 bits lose little, run as they are, and give the same picture on every instruction set')
def _(work):
    video, out, report = real_clip(work / 'real.mkv'), work / 'int8.safetensors', work / 'report.json'
    text = dain('quantize', MODEL, '-o', out, '--calib', video, '--precision', 'int8', '--loss', 0.3,
                '--samples', 3, '--report', report).stdout
    check('ref2a' in text and 'triplets' in text, text)
    layers = json.loads(report.read_text())['layers']
    equal(len(layers), 39, 'number of layers in the report')
    check(all(entry['precision'] == 'int8' for entry in layers), 'a layer is not in 8 bits')
    meta = header(out)[0]['__metadata__']
    equal(meta['precision'], 'int8', 'precision in the file')
    before, after = psnr(video, '-m', MODEL, '--precision', 'f32'), psnr(video, '-m', out)
    check(after > before - 1, f'{before} dB became {after} dB')
    equal(psnr(video, '-m', out, '--precision', 'f32'), before, 'PSNR in f32 of the quantised model')
    made = []
    for level in ('c', 'avx2', 'avx512', 'avx512bf16'):
        picture = work / f'{level}.png'
        ffmpeg('-i', video, '-frames:v', 2, work / 'frame%d.png')
        dain('-0', work / 'frame1.png', '-1', work / 'frame2.png', '-o', picture, '-m', out, env={'DAIN_CPU': level})
        made.append(ffmpeg('-i', picture, '-f', 'rawvideo', '-'))
    check(all(m == made[0] for m in made), 'the pictures differ')


@test('mixed precision keeps to the loss or says that it does not')
def _(work):
    video, out = real_clip(work / 'real.mkv', 5), work / 'mixed.safetensors'
    run = dain('quantize', MODEL, '-o', out, '--calib', video, '--loss', 0.02, '--samples', 2)
    loss = -float(run.stdout.strip().splitlines()[-1].split(':')[-1].split()[0])
    check(loss <= 0.0205 or 'more than' in run.stderr, run.stdout + run.stderr)


@test('layers of any width may be raised')
def _(work):
    """What a row takes of the scratch memory is then of any length."""
    odd, mixed = work / 'odd.safetensors', work / 'mixed.safetensors'
    dain('prune', MODEL, '-o', work / 'pruned.safetensors', '--ratio', 0.03, '--multiple', 1)
    dain('quantize', work / 'pruned.safetensors', '-o', odd, '--calib', real_clip(work / 'real.mkv', 3), '--samples', 1,
         '--precision', 'int8', '--loss', 100)
    tensors, data, start = header(odd)
    widths = {tensors[f'{name}.weight']['shape'][0] % 16 for name in ('flo5a', 'flo4a', 'ref8a', 'ref4a', 'ref2a')}
    check(widths - {0}, 'even widths')
    tensors['__metadata__'].update({f'precision.{name}': 'bf16' for name in ('flo5b', 'flo4b', 'ref8b', 'ref4c')})
    text = json.dumps(tensors).encode()
    mixed.write_bytes(struct.pack('<Q', len(text)) + text + data[start:])
    for size in ('64x64', '200x72'):
        dain('bench', '-m', mixed, '--precision', 'int8', '--size', size, '-n', 2)


@test('bfloat16 needs no pictures')
def _(work):
    out = work / 'bf16.safetensors'
    dain('quantize', MODEL, '-o', out, '--precision', 'bf16')
    equal(header(out)[0]['__metadata__']['precision'], 'bf16', 'precision in the file')


@test('what cannot be calibrated on ends in one line and leaves no file')
def _(work):
    out = work / 'out.safetensors'
    short = clip(work / 'short.mkv', frames=2)
    flat = work / 'flat.mkv'
    ffmpeg('-f', 'lavfi', '-i', 'color=gray:s=64x48:r=25:d=0.4', '-c:v', 'ffv1', flat)
    (work / 'empty').mkdir()
    for path, say in ((short, '3'), (flat, 'flat'), (work / 'missing.mkv', 'missing.mkv'),
                      (work / 'empty', 'empty')):
        one_line(dain('quantize', MODEL, '-o', out, '--calib', path, code=1), say)
    one_line(dain('quantize', MODEL, '-o', out, code=2), '--calib')
    one_line(dain('quantize', MODEL, '--calib', short, code=2), '-o')
    one_line(dain('quantize', MODEL, '-o', out, '--calib', short, '--precision', 'int4', code=2), 'int4')
    (work / 'triplet').mkdir()
    for i in (1, 2, 3):
        ffmpeg('-i', DEMO, '-vf', 'scale=96:64', '-ss', i / 10, '-frames:v', 1, work / 'triplet' / f'im{i}.png')
    half = work / 'triplet' / 'im2.png'
    half.write_bytes(half.read_bytes()[:half.stat().st_size // 2])
    one_line(dain('quantize', MODEL, '-o', out, '--calib', work / 'triplet', code=1), 'im2.png')
    (work / 'cut.safetensors').write_bytes(MODEL.read_bytes()[:10000])
    one_line(dain('quantize', work / 'cut.safetensors', '-o', out, '--calib', flat, code=1), 'cut.safetensors')
    check(not out.exists(), 'a file was left behind')


@test('a model replaces a file, never anything else')
def _(work):
    for name in ('pipe.safetensors', 'pipe.pth'):
        os.mkfifo(work / name)
        one_line(dain('convert', MODEL, work / name, code=1), name)
        check(stat.S_ISFIFO((work / name).stat().st_mode), 'the pipe is gone')
    # Opening a pipe waits for the other end: not with -y, which does not look.
    one_line(dain('quantize', MODEL, '-o', work / 'pipe.safetensors', '--precision', 'bf16', '-y', code=1), 'pipe')
    one_line(dain('prune', MODEL, '-o', work / 'pipe.safetensors', '--ratio', '0.5', '-y', code=1), 'pipe')
    check(stat.S_ISFIFO((work / 'pipe.safetensors').stat().st_mode), 'the pipe is gone')
    equal(sorted(p.name for p in work.iterdir()), ['pipe.pth', 'pipe.safetensors'], 'what is left')


@test('damaged ranges and precisions are refused')
def _(work):
    video, out = real_clip(work / 'real.mkv', 3), work / 'int8.safetensors'
    dain('quantize', MODEL, '-o', out, '--calib', video, '--precision', 'int8', '--loss', 100)
    head, data, start = header(out)
    first = next(n for n in head if n.endswith('.range'))
    at = start + head[first]['data_offsets'][0]
    width = head[first]['data_offsets'][1] - head[first]['data_offsets'][0]
    broken = work / 'broken.safetensors'
    broken.write_bytes(data[:at] + b'\xff' * width + data[at + width:])
    one_line(dain('info', '-m', broken, code=1), first)
    broken.write_bytes(data.replace(b'"precision":"int8"', b'"precision":"int3"'))
    one_line(dain('info', '-m', broken, code=1), 'int3')


@test('8 bits of a model without ranges are refused')
def _(work):
    plain = ROOT / 'tests' / 'golden' / 'edge' / 'edge-v2.safetensors'
    one_line(dain('bench', '-m', plain, '--precision', 'int8', code=1), 'dain quantize')


main()
