"""Quality of new frames beside their neighbours: motion from denoised copies, sharpness and grain."""
import math
import time

from harness import *

LOSSLESS = ('-c:v', 'ffv1')
SMALL = 'scale=320:180'


def from_demo(path, frames, vf='null'):
    ffmpeg('-i', DEMO, '-an', '-vf', f'{SMALL},{vf}', '-frames:v', frames, *LOSSLESS, path)
    return path


def noise(strength, seed=7):
    return f'noise=c0s={strength}:c0f=t+u:all_seed={seed}'


def psnr(a, b):
    error = sum((x - y) ** 2 for x, y in zip(a, b)) / len(a)
    return 10 * math.log10(255 ** 2 / error) if error else math.inf


def killed_after(work, name, count, *args):
    """What a run leaves that is killed when so many segments are complete."""
    journal = work / f'.{name}.dain-segments' / 'journal'
    process = subprocess.Popen([DAIN, *map(str, args)], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    for _ in range(12000):
        if journal.exists() and journal.read_text().count('\nsegment ') >= count:
            break
        check(process.poll() is None, f'it ended early: {process.returncode}')
        time.sleep(0.01)
    process.kill()
    process.communicate()


# ---- motion from denoised copies ----

@test('--denoise-flow: new frames of a noisy video are nearer to the truth, source frames stay')
def _(work):
    dark = 'lutyuv=y=val*0.4'
    from_demo(work / 'truth.mkv', 9, dark)
    from_demo(work / 'all.mkv', 9, f'{dark},{noise(60)}')
    ffmpeg('-i', work / 'all.mkv', '-vf', "select='not(mod(n\\,2))',setpts=N/12/TB", *LOSSLESS, work / 'in.mkv')
    truth, mean = raw_frames(work / 'truth.mkv', 'gray')[1:8:2], {}
    for name, args in (('plain', ()), ('denoised', ('--denoise-flow',))):
        dain(*args, '-q', '--no-lock', '-c', 'ffv1', work / 'in.mkv', work / f'{name}.mkv')
        equal(frame_hashes(work / f'{name}.mkv')[::2], frame_hashes(work / 'in.mkv'), 'source frames')
        new = raw_frames(work / f'{name}.mkv', 'gray')[1:8:2]
        mean[name] = sum(map(psnr, new, truth)) / len(new)
    check(mean['denoised'] > mean['plain'] + 0.02, f'PSNR {mean}')


@test('--denoise-flow goes with every precision, scale and memory limit, with pictures, alpha and a preview')
def _(work):
    from_demo(work / 'in.mkv', 3, noise(40))
    way = ('-q', '-y', '-c', 'ffv1', work / 'in.mkv')
    for args in ((), ('--precision', 'bf16'), ('--precision', 'int8'), ('--scale', '0.5')):
        dain(*args, *way, work / 'a.mkv')
        dain('--denoise-flow', *args, *way, work / 'b.mkv')
        a, b = frame_hashes(work / 'a.mkv'), frame_hashes(work / 'b.mkv')
        equal(b[::2], a[::2], f'source frames with {args}')
        check(a[1] != b[1], f'no difference with {args}')
    f32 = ('--denoise-flow', '--no-lock', '--precision', 'f32')
    dain(*f32, *way, work / 'a.mkv')
    for limit in range(96, 70, -1):
        run = dain(*f32, '--mem-limit', f'{limit}M', '-v', *way[1:], work / 'b.mkv')
        if 'strips' in run.stderr:
            break
    check('strips' in run.stderr, run.stderr)
    equal(frame_hashes(work / 'b.mkv'), frame_hashes(work / 'a.mkv'), 'frames in strips')
    dain(*f32, '-j', '1', *way, work / 'b.mkv')
    equal(frame_hashes(work / 'b.mkv'), frame_hashes(work / 'a.mkv'), 'frames by one thread')
    ffmpeg('-i', work / 'in.mkv', '-vf', "format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='X'", work / '%d.png')
    pair = ('-q', '-y', '-0', work / '1.png', '-1', work / '2.png', '-o')
    dain(*pair, work / 'm.png')
    dain('--denoise-flow', *pair, work / 'n.png')
    check((work / 'm.png').read_bytes() != (work / 'n.png').read_bytes(), 'no difference between pictures')
    strip = [(work / f'{name}.png') for name in 'xy']
    for path, args in zip(strip, ((), ('--denoise-flow',))):
        dain(*args, '--preview', '1', work / 'in.mkv', path)
    check(strip[0].read_bytes() != strip[1].read_bytes(), 'no difference in the preview')


@test('--denoise-flow belongs to what --resume compares, and goes on with the same frames')
def _(work):
    ffmpeg('-stream_loop', 3, '-i', DEMO, '-an', '-vf', f'scale=160:90,{noise(30)}', '-frames:v', 80, '-c:v', 'libx264',
           '-crf', 15, work / 'in.mkv')
    fast = ('--preset', 'ultrafast', '--segment', 30, '--denoise-flow')
    dain('-q', *fast, work / 'in.mkv', work / 'whole.mkv')
    killed_after(work, 'out.mkv', 2, *fast, work / 'in.mkv', work / 'out.mkv')
    one_line(dain(*fast[:-1], '--resume', work / 'in.mkv', work / 'out.mkv', code=1), '--denoise-flow')
    run = dain(*fast, '--resume', work / 'in.mkv', work / 'out.mkv')
    check('going on after frame' in run.stderr, run.stderr)
    equal(frame_hashes(work / 'out.mkv'), frame_hashes(work / 'whole.mkv'), 'frames')


# ---- the mean over turned frames ----

@test('--tta: new frames are other ones, the same with any number of threads, in eval nearer to the truth')
def _(work):
    ffmpeg('-i', DEMO, '-an', '-vf', 'scale=160:90', '-frames:v', 9, '-c:v', 'ffv1', work / 'in.mkv')
    ways = {'plain': (), 'tta': ('-x',), 'one': ('--tta', '-j', 1)}
    for name, args in ways.items():
        dain(*args, '-c', 'ffv1', work / 'in.mkv', work / f'{name}.mkv')
    plain, tta, one = (frame_hashes(work / f'{name}.mkv') for name in ways)
    equal(tta, one, 'frames with one thread')
    equal(tta[::2], plain[::2], 'source frames')
    check(all(a != b for a, b in zip(tta[1:-1:2], plain[1:-1:2])), 'new frames as without')
    scores = []
    for name in ('plain', 'tta'):
        dain('eval', *ways[name], '--json', work / 'scores.json', work / 'in.mkv')
        scores.append(json.loads((work / 'scores.json').read_text())['mean']['scores'][0]['psnr'])
    without, with_ = scores
    check(with_ > without, f'{with_} dB with, {without} dB without')


@test('--tta goes with pictures and a memory limit, and --resume compares it')
def _(work):
    ffmpeg('-stream_loop', 3, '-i', DEMO, '-an', '-vf', 'scale=160:90', '-frames:v', 80, '-c:v', 'libx264', work / 'in.mkv')
    pair = ('-0', work / 'a.png', '-1', work / 'b.png', '-o')
    for k, name in enumerate('ab'):
        ffmpeg('-ss', k, '-i', DEMO, '-frames:v', 1, '-vf', 'scale=320:180', work / f'{name}.png')
    needs = [json.loads(dain('info', '--json', '--no-tune', '--size', '320x180', *args).stdout) for args in ((), ('-x',))]
    equal(needs[1]['frame_bytes'], 2 * needs[0]['frame_bytes'], 'bytes of a frame')
    dain('-x', *pair, work / 'tta.png')
    dain('-x', '--mem-limit', '64M', *pair, work / 'tight.png')
    dain(*pair, work / 'plain.png')
    equal((work / 'tta.png').read_bytes(), (work / 'tight.png').read_bytes(), 'picture within a limit')
    check((work / 'tta.png').read_bytes() != (work / 'plain.png').read_bytes(), 'the same picture')
    fast = ('--preset', 'ultrafast', '--segment', 30)
    killed_after(work, 'out.mkv', 2, *fast, '-x', work / 'in.mkv', work / 'out.mkv')
    one_line(dain(*fast, '--resume', work / 'in.mkv', work / 'out.mkv', code=1), '--tta')


# ---- sharpness and grain ----

def rough(frame, width=320, height=180):
    """Mean response of a gray frame to Immerkaer's mask, which edges hardly answer to."""
    total, rows = 0, [frame[y * width:(y + 1) * width] for y in range(height)]
    for a, b, c in zip(rows, rows[1:], rows[2:]):
        v = [p - 2 * q + r for p, q, r in zip(a, b, c)]
        total += sum(abs(x - 2 * y + z) for x, y, z in zip(v, v[1:], v[2:]))
    return total / ((width - 2) * (height - 2))


@test('--match gives new frames the grain of their neighbours, the same with any number of threads')
def _(work):
    from_demo(work / 'in.mkv', 5, noise(24))
    flicker = {}
    for name, args in (('plain', ()), ('match', ('--match', '-j', '2')), ('again', ('--match', '-j', '1'))):
        dain(*args, '-q', '--no-lock', '-c', 'ffv1', work / 'in.mkv', work / f'{name}.mkv')
        equal(frame_hashes(work / f'{name}.mkv')[::2], frame_hashes(work / 'in.mkv'), 'source frames')
        values = [rough(f) for f in raw_frames(work / f'{name}.mkv', 'gray')[:9]]
        flicker[name] = sum(abs(a - b) for a, b in zip(values, values[1:])) / 8
    check(flicker['match'] < 0.2 * flicker['plain'], f'change of noise from frame to frame {flicker}')
    equal(frame_hashes(work / 'again.mkv'), frame_hashes(work / 'match.mkv'), 'frames')


@test('--match leaves new frames of a clean video without grain')
def _(work):
    # Flat areas and hard edges that move.
    ffmpeg('-f', 'lavfi', '-i', 'color=gray:s=320x180:r=24', '-f', 'lavfi', '-i', 'color=teal:s=60x60:r=24',
           '-filter_complex', '[0][1]overlay=x=40+4*n:y=60', '-frames:v', 4, *LOSSLESS, work / 'in.mkv')
    dain('-q', '--match', '-c', 'ffv1', work / 'in.mkv', work / 'out.mkv')
    for f in raw_frames(work / 'out.mkv', 'gray'):
        check(len(set(f[:320 * 40])) == 1, 'grain in what is flat')


@test('--match goes on with --resume as if nothing had happened')
def _(work):
    ffmpeg('-stream_loop', 3, '-i', DEMO, '-an', '-vf', f'scale=160:90,{noise(30)}', '-frames:v', 80, '-c:v', 'libx264',
           '-crf', 15, work / 'in.mkv')
    fast = ('--preset', 'ultrafast', '--segment', 30, '--match')
    dain('-q', *fast, work / 'in.mkv', work / 'whole.mkv')
    killed_after(work, 'out.mkv', 2, *fast, work / 'in.mkv', work / 'out.mkv')
    dain(*fast, '--resume', work / 'in.mkv', work / 'out.mkv')
    equal(frame_hashes(work / 'out.mkv'), frame_hashes(work / 'whole.mkv'), 'frames')


main()
