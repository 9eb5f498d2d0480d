"""What the tests of the command line share: running dain and ffmpeg, reading what came out.

A test is a function with a sentence:

    @test('the rate doubles')
    def _(work): ...

It gets a fresh folder and fails by an exception (use check, or assert with care for messages). A
file ends with main(). Output: "ok NAME", "not ok NAME" or "skip NAME: why" for each; exit code 1 if
one failed.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import traceback
from fractions import Fraction

ROOT = pathlib.Path(__file__).resolve().parents[2]
DAIN = os.environ.get('DAIN', str(ROOT / 'build' / 'dain'))
DEMO = ROOT / 'assets' / 'demo.mp4'

# What the user who runs the tests has configured is none of theirs.
os.environ['XDG_CONFIG_HOME'] = '/dev/null/none'  # not to be made, not even by root
os.environ.pop('DAIN_MODEL_PATH', None)

tests = []


class Skip(Exception):
    """Raised by a test that cannot run here."""


def test(sentence):
    def add(function):
        tests.append((sentence, function))
        return function
    return add


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def equal(got, want, what):
    check(got == want, f'{what} is {got!r}, not {want!r}')


# How much longer than usual everything may take: sanitizers are slow.
PATIENCE = int(os.environ.get('DAIN_TEST_PATIENCE', 1))


def dain(*args, code=0, timeout=120, env=None, **more):
    """Runs the tool; its exit code must be `code` (None: any). Returns the completed process.
    What `dain tune` found on this machine is out of its sight."""
    run = subprocess.run([DAIN, *map(str, args)], capture_output=True, text=True, timeout=timeout * PATIENCE,
                         stdin=subprocess.DEVNULL, env={**os.environ, 'XDG_CACHE_HOME': '/dev/null/none', **(env or {})}, errors='replace', **more)
    if code is not None and run.returncode != code:
        raise AssertionError(f'dain {" ".join(map(str, args))}: exit code {run.returncode}, '
                             f'not {code}\n{run.stdout}{run.stderr}')
    check('ERROR: AddressSanitizer' not in run.stderr and 'runtime error' not in run.stderr,
          run.stderr)
    return run


def one_line(run, *parts):
    """Standard error is one line that has all the parts."""
    lines = run.stderr.strip().splitlines()
    check(len(lines) == 1, f'not one line on standard error: {run.stderr!r}')
    for part in parts:
        check(part in lines[0], f'{lines[0]!r} does not say {part!r}')


def ffmpeg(*args):
    run = subprocess.run(['ffmpeg', '-nostdin', '-hide_banner', '-v', 'error', '-y', *map(str, args)],
                         capture_output=True, stdin=subprocess.DEVNULL)
    if run.returncode:
        raise AssertionError(f'ffmpeg {" ".join(map(str, args))}: {run.stderr.decode()}')
    return run.stdout


def clip(path, size='64x48', rate='25', frames=8, codec=('-c:v', 'libx264', '-qp', '0'), vf='null',
         extra=()):
    """A short moving test picture, lossless unless told otherwise."""
    seconds = Fraction(frames) / Fraction(rate) + Fraction(1, 1000000)
    ffmpeg('-f', 'lavfi', '-i', f'testsrc2=size={size}:rate={rate}:duration={float(seconds):.6f},scroll=h=0.03',
           '-frames:v', frames, '-vf', vf, *codec, *extra, path)
    return path


def probe(path, *entries):
    out = subprocess.run(['ffprobe', '-v', 'error', '-of', 'json', *entries, str(path)],
                         capture_output=True, text=True, check=True).stdout
    return json.loads(out)


def streams(path):
    return probe(path, '-show_streams')['streams']


def video(path):
    """The first video stream that is no cover."""
    for stream in streams(path):
        if stream['codec_type'] == 'video' and not stream['disposition']['attached_pic']:
            return stream
    raise AssertionError(f'{path} has no video stream')


def frame_times(path):
    """Presentation times of the decoded video frames, exact, in seconds."""
    stream = video(path)
    base = Fraction(stream['time_base'])
    frames = probe(path, '-select_streams', str(stream['index']), '-show_entries',
                   'frame=best_effort_timestamp')['frames']
    return [int(f['best_effort_timestamp']) * base for f in frames]


def frame_hashes(path, pix_fmt=None):
    """MD5 of each decoded video frame."""
    more = ['-pix_fmt', pix_fmt] if pix_fmt else []
    lines = ffmpeg('-i', path, '-map', '0:V:0', '-fps_mode', 'passthrough', *more, '-f', 'framemd5',
                   '-').decode().splitlines()
    return [line.split(',')[-1].strip() for line in lines if line and line[0] != '#']


def packet_hashes(path, stream, times=True):
    """(pts, dts, duration, size, MD5) of each packet of a stream, as it is stored."""
    lines = ffmpeg('-i', path, '-map', f'0:{stream}', '-c', 'copy', '-copyts', '-f', 'framemd5',
                   '-').decode().splitlines()
    rows = [[c.strip() for c in line.split(',')] for line in lines if line and line[0] != '#']
    return [tuple(r[1:]) if times else tuple(r[4:]) for r in rows]


def raw_frames(path, pix_fmt):
    """The decoded frames as bytes."""
    stream = video(path)
    data = ffmpeg('-i', path, '-map', '0:V:0', '-fps_mode', 'passthrough', '-pix_fmt', pix_fmt, '-f',
                  'rawvideo', '-')
    count = len(frame_hashes(path))
    size = len(data) // count
    check(size * count == len(data), f'{path}: frames of different sizes')
    del stream
    return [data[i * size:(i + 1) * size] for i in range(count)]


def nothing_left(work, *names):
    """The folder holds the named files and no temporary ones."""
    here = sorted(p.name for p in pathlib.Path(work).iterdir())
    equal(here, sorted(names), f'content of {work}')


def have_encoder(name):
    run = subprocess.run(['ffmpeg', '-hide_banner', '-v', 'error', '-h', f'encoder={name}'],
                         capture_output=True, text=True)
    return f'Encoder {name}' in run.stdout


def main():
    chosen = sys.argv[1:]
    failed = 0
    for sentence, function in tests:
        if chosen and not any(c in sentence for c in chosen):
            continue
        work = pathlib.Path(tempfile.mkdtemp(prefix='dain-test-'))
        try:
            function(work)
            print(f'ok {sentence}', flush=True)
        except Skip as why:
            print(f'skip {sentence}: {why}', flush=True)
        except Exception as error:  # noqa: BLE001 - a failed test is any exception
            failed += 1
            if not isinstance(error, AssertionError):
                traceback.print_exc()
            print(f'not ok {sentence}', flush=True)
            print(f'    {error}', file=sys.stderr, flush=True)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    sys.exit(1 if failed else 0)
