#!/usr/bin/env python3
"""--engine: the same command line on ONNX Runtime.

Its library is loaded when it is asked for. A small one of our own, which looks like it (fake_onnxruntime.c), goes through
all that can fail; the pictures need the real one: $DAIN_ONNXRUNTIME, or the Python packages onnxruntime (provider CPU)
and onnxruntime-openvino (provider OpenVINO) of the interpreter that runs this, and are skipped where it is missing. To
run them: python3 -m venv V && V/bin/pip install onnxruntime && V/bin/python tests/cli/engine.py
"""
import importlib.util
import json
import os
import pathlib

from harness import (DEMO, Skip, check, clip, dain, equal, ffmpeg, main, nothing_left, one_line, raw_frames, test)

UNLIKE = 'drawbox=w=9:h=9:c=gray:t=fill:enable=mod(n\\,2)'  # between equal frames nothing would be computed
FAKE = os.environ.get('FAKE_ONNXRUNTIME', '')


def fake(*args, code=0, command=(), **env):
    """Runs the tool on the library of our own; what that library still holds at the end is an error."""
    if not pathlib.Path(FAKE).is_file():
        raise Skip('$FAKE_ONNXRUNTIME, the library of the tests, was not built')
    run = dain(*command, '--engine', 'onnxruntime', *args, code=code, env={'DAIN_ONNXRUNTIME': FAKE, **env})
    check('not released' not in run.stderr, run.stderr)
    return run


def cache(work):
    return '--engine-option', f'cache={work / "cache"}'


@test('the library of the tests makes gray pictures, from networks in the cache')
def _(work):
    clip(work / 'a.mkv', frames=3, vf=UNLIKE)
    fake('-q', '--no-lock', work / 'a.mkv', work / 'b.mkv', '-c', 'ffv1', XDG_CACHE_HOME=str(work / 'c'))
    frames = raw_frames(work / 'b.mkv', 'gray')
    equal(len(frames), 6, 'frames')
    for i in (1, 3):
        check(len(set(frames[i])) == 1 and 120 < frames[i][0] < 135, f'new frame {i} is not gray: {set(frames[i])}')
    files = sorted(p.name for p in (work / 'c' / 'dain').iterdir())
    equal([f.rsplit('-', 1)[0] for f in files], ['edge-frame-64x48', 'edge-pair-64x48', 'edge-time-64x48'], 'cache')
    fake('-q', '-y', work / 'a.mkv', work / 'b.mkv', XDG_CACHE_HOME=str(work / 'c'))
    equal(sorted(p.name for p in (work / 'c' / 'dain').iterdir()), files, 'the cache, the second time')
    fake('-q', '-y', work / 'a.mkv', work / 'b.mkv', *cache(work), '--precision', 'f16')
    f32, f16 = (sum(p.stat().st_size for p in d.iterdir()) for d in (work / 'c' / 'dain', work / 'cache'))
    check(f16 < 0.6 * f32, f'f16 takes {f16} bytes, f32 {f32}')


@test('two pictures, files that were exported before, and providers with options')
def _(work):
    clip(work / 'a.mkv', frames=2, vf=UNLIKE)
    ffmpeg('-i', work / 'a.mkv', work / '%d.png')
    pair = ('-0', work / '1.png', '-1', work / '2.png')
    fake('-q', *pair, '-o', work / 'm.png', *cache(work))
    dain('export', '-q', '-o', work / 'net.onnx', '--split')
    fake('-q', *pair, '-o', work / 'n.png', '-m', work / 'net.onnx')
    equal((work / 'm.png').read_bytes(), (work / 'n.png').read_bytes(), 'the picture')
    fake('-q', '-y', *pair, '-o', work / 'n.png', *cache(work), '--denoise-flow')
    for provider, option in (('TENSORRT', 'trt_fp16_enable=1'), ('cuda', 'device_id=0'), ('fake', 'x=y')):
        fake('-q', '-y', *pair, '-o', work / 'n.png', *cache(work), '--engine', f'onnxruntime:{provider}',
             '--engine-option', option, '--engine-option', 'session.x=1')


@test('what is missing or wrong gets one line and leaves nothing')
def _(work):
    clip(work / 'a.mkv', frames=3, vf=UNLIKE)
    way = (work / 'a.mkv', work / 'b.mkv')
    dain('export', '-q', '-o', work / 'net.onnx', '--split')
    (work / 'net-pair.onnx').unlink()
    (work / 'file').touch()

    def wrong(*args, says, **env):
        one_line(fake(*way, *args, code=1, **{'XDG_CACHE_HOME': str(work / 'c'), **env}), *says)
        check(not (work / 'b.mkv').exists(), 'half a result is left')

    one_line(dain('--engine', 'tensorflow', *way, code=2), '--engine tensorflow', 'onnxruntime:PROVIDER')
    one_line(dain('--engine-option', 'a=b', *way, code=1), 'native has no option')
    one_line(dain('--engine', 'onnxruntime', '--engine-option', f'library={work}/no.so', *way, code=1), 'no.so')
    one_line(dain('--engine', 'onnxruntime', '--engine-option', f'library={work}/a.mkv', *way, code=1), 'a.mkv')
    wrong('--engine-option', 'library=libm.so.6', says=['not ONNX Runtime'])
    wrong(says=['1.14 or later'], FAKE_ORT_OLD='1')
    wrong('--engine', 'onnxruntime:QNN', says=['no provider QNN', 'Fake, Tensorrt, CUDA, CPU'])
    wrong('--engine', 'onnxruntime:cuda', '--engine-option', 'speed=1', says=['CUDA', 'unknown option second line'])
    wrong('--engine-option', 'device_id=1', says=['CPU has no option'])
    one_line(dain('--engine', 'onnxruntime', '--engine-option', 'fast', *way, code=2), 'KEY=VALUE')
    wrong('--precision', 'bf16', says=['f32', 'bf16'])
    wrong('--scale', '0.5', says=['--scale', 'native'])
    wrong('-x', says=['--tta', 'native'])
    wrong('--precision', 'fastest', says=['fastest', 'native'])
    one_line(dain('--precision', 'f16', *way, code=1), '--precision')
    wrong('-m', work / 'net.onnx', says=['net-pair.onnx', '--split'])
    wrong('-m', work / 'none.safetensors', says=['none.safetensors'])
    wrong('--engine-option', f'cache={work}/file/x', says=['file', 'cache='])
    wrong(says=['another size'], FAKE_ORT_ODD='1')
    wrong(says=['32-bit floats'], FAKE_ORT_HALF='1')
    for name in ('red', 'blue'):
        ffmpeg('-f', 'lavfi', '-i', f'color={name}@0.5:size=64x48,format=rgba', '-frames:v', '1', work / f'{name}.png')
    one_line(fake('-0', work / 'red.png', '-1', work / 'blue.png', '-o', work / 'o.png', *cache(work), code=1), 'transparency')
    check(not (work / 'o.png').exists(), 'a picture is left')


@test('every call of the runtime may fail')
def _(work):
    clip(work / 'a.mkv', frames=2, size='16x16', vf=UNLIKE)
    ffmpeg('-i', work / 'a.mkv', work / '%d.png')
    for n in range(1, 400):
        run = fake('-y', '-0', work / '1.png', '-1', work / '2.png', '-o', work / 'm.png', *cache(work), '--engine',
                   'onnxruntime:cuda', '--denoise-flow', code=None, FAKE_ORT_FAIL=str(n))
        if run.returncode == 0:
            check(n > 60, f'only {n} calls')
            return
        equal(run.returncode, 1, f'exit code when call {n} fails')
        one_line(run, 'ONNX Runtime', 'second line')
        check(not (work / 'm.png').exists(), 'half a result is left')
    check(False, 'it never works')


@test('bench and eval run on it, too')
def _(work):
    size = (*cache(work), '--size', '64x48', '-n', '2')
    told = json.loads(fake(*size, '--json', command=['bench']).stdout)
    equal((told['engine'], told['new_frames'], told['stages']), ('onnxruntime', 2, []), 'what bench says')
    check(told['fps'] > 0, 'no time was measured')
    text = fake(*size, command=['bench']).stdout
    check('new frames/s' in text and 'stage' not in text, text)
    one_line(fake('--table', code=2, command=['bench']), '--table', 'native')
    one_line(dain('bench', '--engine', 'tensorflow', code=2), '--engine tensorflow')
    clip(work / 'a.mkv', frames=5)
    fake('-q', work / 'a.mkv', *cache(work), '--vs', 'edge', '--vs', 'blend', '--json', work / 'e.json', command=['eval'])
    methods = json.loads((work / 'e.json').read_text())['methods']
    equal([m.get('engine') for m in methods], ['onnxruntime', None, None], 'engines')
    equal(methods[0]['file'], methods[1]['file'], 'model')
    one_line(dain('eval', work / 'a.mkv', '--engine', 'onnxruntimes', code=2), '--engine onnxruntimes')


# ---- the real one ----

def library(provider):
    """Path of ONNX Runtime with that provider."""
    path = os.environ.get('DAIN_ONNXRUNTIME')
    found = importlib.util.find_spec('onnxruntime')
    if not path and found:
        folder = pathlib.Path(found.origin).parent / 'capi'
        if provider == 'CPU' or list(folder.glob(f'*providers_{provider.lower()}*')):
            path = next((str(p) for p in sorted(folder.glob('libonnxruntime.so*'))), None)
    if not path:
        raise Skip(f'no ONNX Runtime with the provider {provider} (set $DAIN_ONNXRUNTIME)')
    return path


def same_frames(work, provider):
    where = library(provider)
    ffmpeg('-i', DEMO, '-frames:v', '5', '-an', '-c:v', 'ffv1', work / 'a.mkv')
    dain('-q', work / 'a.mkv', work / 'n.mkv', '-c', 'ffv1', '--factor', '3', '--precision', 'f32')
    run = dain(work / 'a.mkv', work / 'o.mkv', '-c', 'ffv1', '--factor', '3', *cache(work), '--engine',
               f'onnxruntime:{provider}', '--engine-option', f'library={where}', code=None)
    if run.returncode and 'no provider' in run.stderr:
        raise Skip(run.stderr.strip())
    equal(run.returncode, 0, f'exit code ({run.stderr})')
    far = total = 0
    for a, b in zip(raw_frames(work / 'n.mkv', 'yuv420p'), raw_frames(work / 'o.mkv', 'yuv420p'), strict=True):
        far += sum(abs(x - y) > 1 for x, y in zip(a, b))
        total += len(a)
    print(f'    {provider}: {far} of {total} samples differ by more than one code value')
    check(far <= total / 1000, 'more than one sample in a thousand differs by more than one code value')


@test('ONNX Runtime makes the frames of our own engine')
def _(work):
    same_frames(work, 'CPU')


@test('so does OpenVINO in it')
def _(work):
    same_frames(work, 'OpenVINO')


main()
