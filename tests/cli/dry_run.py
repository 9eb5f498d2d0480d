"""--dry-run: says what would be done, truthfully, and writes nothing."""
import re

from harness import *


def plan(*args, code=0):
    run = dain('--dry-run', '--progress', 'json', *args, code=code)
    got = [json.loads(line) for line in run.stderr.splitlines()]
    equal([e['event'] for e in got if e['event'] != 'message'], ['plan', 'end'], 'events')
    return got[-2]


@test('the text tells sizes, rates, frames, streams, memory, time; nothing is written')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=96x64:rate=24:duration=2', '-f', 'lavfi', '-i',
           'sine=duration=2', '-c:v', 'libx264', '-c:a', 'aac', work / 'in.mp4')
    run = dain('--dry-run', '--fps', '60', work / 'in.mp4', work / 'out.mkv')
    equal(run.stderr, '', 'standard error')
    for part in ('96x64, 24 fps, 48 frames (0:02), h264, yuv420p', '0 video h264: new frames',
                 '1 audio aac: copied', '60 fps, 120 frames (0:02), libx264, yuv420p, in matroska',
                 'edge, f32', 'MiB', 'real time', 'nothing was written'):
        check(part in run.stdout, f'no {part!r} in\n{run.stdout}')
    nothing_left(work, 'in.mp4')


@test('what it forecasts is what happens')
def _(work):
    clip(work / 'in.mp4', frames=10)
    for more in (('--factor', '2'), ('--factor', '5/2'), ('--fps', '60'), ('--fps', '24'), ('--fps', '10'), ('-n', '17')):
        told = plan(*more, work / 'in.mp4', work / 'out.mp4')
        run = dain('--no-scene', '--progress', 'json', '-y', *more, work / 'in.mp4', work / 'out.mp4')
        done = json.loads(run.stderr.splitlines()[-1])
        equal((told['frames_in'], told['frames_expected'], told['new']),
              (done['frames_in'], done['frames_out'], done['new']), f'forecast of {more}')
        start = json.loads(run.stderr.splitlines()[0])
        for key in ('width', 'height', 'rate_in', 'rate_out', 'decoder', 'encoder', 'format_in', 'format_out'):
            equal(told[key], start[key], f'{key} of {more}')
        check(told['seconds_estimated'] > 0 and told['memory_bytes'] > 1e6, f'estimates: {told}')
        (work / 'out.mp4').unlink()


@test('frames are counted by the length of the picture where sound is longer')
def _(work):
    for name in ('in.mkv', 'in.mp4', 'in.mov', 'in.ts'):
        ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25:duration=2', '-f', 'lavfi', '-i', 'sine=duration=2.5',
               '-c:v', 'mpeg4', '-c:a', 'aac', work / name)
        equal(plan(work / name, work / 'out.mkv')['frames_in'], 50, f'frames of {name}')
        for part, frames in ((('--start', '1'), 25), (('--start', '1', '--end', '2.3'), 25), (('--end', '1'), 25)):
            told = plan(*part, work / name, work / 'out.mkv')['frames_in']
            check(abs(told - frames) <= 1, f'{told} frames of {name} {part}')


@test('streams that the container cannot hold are told, and what they become')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25:duration=0.4', '-f', 'lavfi', '-i',
           'sine=duration=0.4', '-c:v', 'libx264', '-c:a', 'aac', work / 'in.mkv')
    if have_encoder('libvpx-vp9'):
        out = dain('--dry-run', work / 'in.mkv', work / 'out.webm').stdout
        check('audio aac: becomes opus' in out, out)
    out = dain('--dry-run', work / 'in.mkv', work / 'out.y4m').stdout
    check('audio aac: left out' in out, out)
    out = dain('--dry-run', '--slowmo', '2', work / 'in.mkv', work / 'out.mkv').stdout
    check('audio aac: left out' in out, out)
    out = dain('--dry-run', '--slowmo', '2', '--slowmo-audio', work / 'in.mkv', work / 'out.mkv').stdout
    check('audio aac: becomes aac' in out, out)
    out = dain('--dry-run', '--no-streams', work / 'in.mkv', work / 'out.mkv').stdout
    check('audio aac: left out' in out, out)


@test('every encoder can be tried: no noise, no hang')
def _(work):
    clip(work / 'in.mp4', frames=3, size='96x64')
    for codec in ('libx264', 'libx265', 'libsvtav1', 'libvpx-vp9', 'ffv1', 'prores_ks'):
        if not have_encoder(codec):
            continue
        run = dain('--dry-run', '-c', codec, work / 'in.mp4', work / 'out.mov' if codec == 'prores_ks'
                   else work / 'out.mkv', timeout=60)
        equal(run.stderr, '', f'what {codec} says')
        check(codec in run.stdout, run.stdout)
        dain('-c', codec, work / 'in.mp4', work / 'no' / 'out.mkv', code=1, timeout=60)
    nothing_left(work, 'in.mp4')


@test('mistakes are found before the work begins')
def _(work):
    clip(work / 'in.mp4', frames=3)
    one_line(dain('--dry-run', work / 'no.mp4', work / 'out.mp4', code=1), 'no.mp4')
    one_line(dain('--dry-run', work / 'in.mp4', work / 'no' / 'out.mp4', code=1), 'cannot write')
    one_line(dain('--dry-run', work / 'in.mp4', work / 'out.xyz', code=1), 'out.xyz')
    one_line(dain('--dry-run', '-c', 'nonsense', work / 'in.mp4', work / 'out.mp4', code=2), 'nonsense')
    (work / 'out.mp4').write_text('mine')
    out = dain('--dry-run', work / 'in.mp4', work / 'out.mp4').stdout
    check('-y replaces it' in out, out)
    equal((work / 'out.mp4').read_text(), 'mine', 'the file that was there')


main()
