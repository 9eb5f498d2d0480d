"""Duplicates, flashes and fades, things that stand still, doubtful frames: noticed and counted."""
import re

from harness import *

SMALL = 'scale=160:90'
MOVING = f"select='gt(n\\,14)',setpts=PTS-15/24/TB,{SMALL}"  # no two frames nearly the same
LOSSLESS = ('-c:v', 'libx264', '-qp', '0')


def from_demo(path, vf, frames, codec=('-c:v', 'libx264', '-crf', '23'), rate='24'):
    """Frames of the demo clip, at another rate, through filters."""
    ffmpeg('-i', DEMO, '-an', '-vf', f'setpts=N/{rate}/TB,{vf}', '-frames:v', frames, *codec, path)
    return path


def count(run, what):
    """A number of the closing summary, 0 if it does not say."""
    found = re.search(rf'(\d+) {what}', run.stderr)
    return int(found[1]) if found else 0


# ---- duplicates ----

def steps(path):
    """Distances of frames, in milliseconds."""
    times = frame_times(path)
    return [round(float(b - a) * 1000) for a, b in zip(times, times[1:])]


@test('animation on twos: every second frame goes, new ones come in its place')
def _(work):
    from_demo(work / 'in.mp4', f"{SMALL},select='not(mod(n\\,2))',fps=24", 24)
    run = dain('--dedup', '-c', 'ffv1', work / 'in.mp4', work / 'out.mkv')
    equal(count(run, 'duplicates left out'), 11, 'duplicates')
    check(' 24 -> 48 frames' in run.stderr, run.stderr)
    b = frame_hashes(work / 'out.mkv')
    equal(b[::4], frame_hashes(work / 'in.mp4')[::2], 'drawings')
    equal(len(set(b[:45])), 45, 'different frames')
    run = dain('-y', '-c', 'ffv1', work / 'in.mp4', work / 'out.mkv')
    equal(count(run, 'duplicate'), 0, 'duplicates without --dedup')


@test('film in 60 frames a second (2:3) comes out at even distances')
def _(work):
    from_demo(work / 'in.mp4', f'settb=1/120,{SMALL},fps=60', 100)
    run = dain('-y', '--dedup', '--vfr', '--fps', '24', work / 'in.mp4', work / 'out.mp4')
    check(57 <= count(run, 'duplicates left out') <= 60, run.stderr)
    got = steps(work / 'out.mp4')
    check(all(41 <= s <= 43 for s in got[17:-2]), f'distances {got}')


@test('film in 30 frames a second comes out at even distances')
def _(work):
    from_demo(work / 'in.mp4', f'settb=1/120,{MOVING},fps=30', 60)
    run = dain('--dedup', '--vfr', '--fps', '24', work / 'in.mp4', work / 'out.mp4')
    check(11 <= count(run, 'duplicates left out') <= 12, run.stderr)
    got = steps(work / 'out.mp4')
    check(all(41 <= s <= 42 for s in got[20:-2]), f'distances {got}')


@test('--dedup leaves the length, the rate, and a video without duplicates alone')
def _(work):
    from_demo(work / 'in.mp4', SMALL, 20, LOSSLESS)
    for args in ((), ('--fps', '60'), ('--slowmo', '2')):
        dain('-y', *args, '-c', 'ffv1', work / 'in.mp4', work / 'a.mkv')
        run = dain('-y', '--dedup', *args, '-c', 'ffv1', work / 'in.mp4', work / 'b.mkv')
        equal(count(run, 'duplicate'), 0, 'duplicates')
        equal(frame_hashes(work / 'b.mkv'), frame_hashes(work / 'a.mkv'), f'frames with {args}')
        equal(frame_times(work / 'b.mkv'), frame_times(work / 'a.mkv'), f'times with {args}')


@test('slow fades and small things that move are no duplicates')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'color=gray:s=320x180:r=24', '-f', 'lavfi', '-i', 'color=white:s=12x12:r=24',
           '-filter_complex', '[0][1]overlay=x=100+2*n:y=100', '-frames:v', 20, work / 'dot.mp4')
    from_demo(work / 'fade.mp4', f"select='eq(n\\,0)',loop=60:1,setpts=N/24/TB,{SMALL},fade=out:0:60", 20)
    for name in ('dot.mp4', 'fade.mp4'):
        run = dain('-y', '--dedup', work / name, work / 'out.mp4')
        equal(count(run, 'duplicate'), 0, f'duplicates in {name}')


@test('between equal frames new ones are exact copies, and counted')
def _(work):
    # Grain, so that any computation would show; frames 2 to 4 are one.
    from_demo(work / 'in.mkv', f'{SMALL},noise=c0s=20:c0f=t+u:all_seed=3,loop=2:1:3,setpts=N/24/TB', 10,
              ('-c:v', 'ffv1'))
    a = frame_hashes(work / 'in.mkv')
    equal(len(set(a)), 8, 'different source frames')
    for args, copies in (((), 2), (('--factor', '4'), 6), (('--match', '--fallback', '0.1'), 2)):
        run = dain('-y', *args, '-c', 'ffv1', work / 'in.mkv', work / 'out.mkv')
        b = frame_hashes(work / 'out.mkv')
        step = 4 if '--factor' in args else 2
        equal(b[::step], a, 'source frames')
        equal(set(b[2 * step:4 * step + 1]), {a[2]}, 'frames between equal ones')
        equal(count(run, 'copies between equal frames'), copies, f'copies: {run.stderr}')
        equal(count(run, 'new,'), 7 * (step - 1), 'new frames')
        check(b[step + 1] not in a, 'a frame beside the equal ones is no new one')


@test('after a still the motion begins where the still ends')
def _(work):
    from_demo(work / 'in.mp4', f"{SMALL},loop=12:1:3,setpts=N/24/TB", 24, LOSSLESS)
    dain('--dedup', '-c', 'ffv1', work / 'in.mp4', work / 'out.mkv')
    a, b = frame_hashes(work / 'in.mp4'), frame_hashes(work / 'out.mkv')
    end = max(i for i, x in enumerate(a) if x == a[3])
    check(end >= 12, f'the still ends at {end}')
    equal(b[6:2 * end + 1], [a[3]] * (2 * end - 5), 'the still in the output')
    equal(b[2 * end + 2], a[end + 1], 'the frame after it')
    check(b[2 * end + 1] not in a, 'no new frame after the still')
    equal(len(b), 2 * len(a), 'frame count')



# ---- things that stand still ----

@test('a logo and a subtitle over a moving picture stay as they are; --no-lock lets go')
def _(work):
    # A box with a frame, in front of a picture that moves; lossless, so that it is equal to the bit.
    logo = ('drawbox=x=20:y=14:w=24:h=16:c=black:t=fill,drawbox=x=22:y=16:w=20:h=12:c=white:t=fill,'
            'drawbox=x=26:y=18:w=3:h=8:c=red:t=fill,drawbox=x=32:y=18:w=6:h=3:c=blue:t=fill')
    from_demo(work / 'in.mkv', f'scale=320:180,{logo},format=gbrp', 6, ('-c:v', 'ffv1'))
    run = dain('-v', '-c', 'ffv1', work / 'in.mkv', work / 'a.mkv')
    check('still things held in 5 new frames' in run.stderr, run.stderr)
    run = dain('-v', '--no-lock', '-c', 'ffv1', work / 'in.mkv', work / 'b.mkv')
    check('held' not in run.stderr, run.stderr)
    source = raw_frames(work / 'in.mkv', 'rgb24')

    def wrong(path):
        """Samples inside the logo that differ from the source."""
        count = 0
        for made in raw_frames(path, 'rgb24')[1:-1:2]:
            for y in range(16, 28):
                row = slice(3 * (y * 320 + 22), 3 * (y * 320 + 42))
                count += sum(a != b for a, b in zip(made[row], source[0][row]))
        return count

    equal(wrong(work / 'a.mkv'), 0, 'samples of the logo that changed')
    check(wrong(work / 'b.mkv') > 0, 'nothing changes without the lock: the test shows nothing')
    equal(raw_frames(work / 'a.mkv', 'rgb24')[::2], source, 'source frames')



# ---- cuts, flashes, fades ----

def chain(work, *parts):
    """Lossless clips of 160x90 after one another."""
    graph = ''.join(f'[{i}]{SMALL},format=yuv420p,setsar=1[v{i}];' for i in range(len(parts)))
    graph += ''.join(f'[v{i}]' for i in range(len(parts))) + f'concat=n={len(parts)}'
    ffmpeg(*[a for p in parts for a in ('-i', p)], '-filter_complex', graph, '-c:v', 'ffv1', work / 'in.mkv')
    return work / 'in.mkv'


def scenes(work):
    """Three pieces of five frames: the demo clip, a fractal, the demo clip again."""
    from_demo(work / 'a.mkv', f"select='lt(n\\,5)',{SMALL}", 5, ('-c:v', 'ffv1'))
    ffmpeg('-f', 'lavfi', '-i', 'mandelbrot=size=160x90:rate=24', '-frames:v', 5, '-c:v', 'ffv1',
           work / 'b.mkv')
    from_demo(work / 'c.mkv', f"select='gt(n\\,40)',setpts=N/24/TB,negate,hflip,{SMALL}", 5, ('-c:v', 'ffv1'))
    return chain(work, work / 'a.mkv', work / 'b.mkv', work / 'c.mkv')


def listed(path):
    return [tuple(line.split()) for line in path.read_text().splitlines() if line[0] != '#']


@test('--scenes writes the cuts, --scene-list reads them')
def _(work):
    scenes(work)
    run = dain('--scenes', work / 'cuts.txt', '-c', 'ffv1', work / 'in.mkv', work / 'found.mkv')
    check(' 2 cuts,' in run.stderr, run.stderr)
    times = frame_times(work / 'in.mkv')
    equal([(int(f), t) for f, t, _ in listed(work / 'cuts.txt')],
          [(f, f'{float(times[f]):.6f}') for f in (5, 10)], 'cuts')
    dain('--scene-list', work / 'cuts.txt', '-c', 'ffv1', work / 'in.mkv', work / 'out.mkv')
    equal(frame_hashes(work / 'out.mkv'), frame_hashes(work / 'found.mkv'), 'frames with the list')
    (work / 'own.txt').write_text('# mine\n\n3\n 7 anything\n')
    run = dain('-y', '-v', '--scene-list', work / 'own.txt', work / 'in.mkv', work / 'out.mkv')
    check('cut at frame 3 ' in run.stderr and 'cut at frame 7 ' in run.stderr, run.stderr)
    check(' 2 cuts,' in run.stderr, run.stderr)


@test('lists of cuts that cannot be used get a line')
def _(work):
    clip(work / 'in.mp4')
    out = work / 'out.mp4'
    for text, part in (('5\n3\n', 'later'), ('x\n', 'frame number'), ('-1\n', 'frame number'),
                       ('9' * 600, 'frame number')):
        (work / 'list').write_text(text)
        one_line(dain('--scene-list', work / 'list', work / 'in.mp4', out, code=1), part)
    one_line(dain('--scene-list', work / 'none', work / 'in.mp4', out, code=1), 'none')
    one_line(dain('--scenes', work / 'list', work / 'in.mp4', out, code=1), 'exists')
    one_line(dain('--scenes', work / 'in.mp4', '-y', work / 'in.mp4', out, code=1), 'in.mp4')
    nothing_left(work, 'in.mp4', 'list')


@test('a flash is no cut, of one frame or of three; a cut to another scene and on is two')
def _(work):
    for length in (1, 3):
        from_demo(work / 'a.mkv', f"drawbox=c=white:t=fill:enable='between(n,6,{5 + length})',{SMALL}",
                  14, ('-c:v', 'ffv1'))
        run = dain('-y', '--scenes', work / 'cuts.txt', work / 'a.mkv', work / 'out.mkv')
        check(' 0 cuts, 1 flash,' in run.stderr, run.stderr)
        equal(listed(work / 'cuts.txt'), [], 'list')


@test('fades to black, from white, and of five frames only, are no cuts; a cut to black is one')
def _(work):
    for fade in ('fade=out:4:5', 'fade=in:2:5:color=white', 'fade=out:0:20', 'fade=in:0:12'):
        from_demo(work / 'a.mkv', f'{SMALL},{fade},format=yuv420p', 20, ('-c:v', 'ffv1'))
        run = dain('-y', work / 'a.mkv', work / 'out.mkv')
        check(' 0 cuts,' in run.stderr, f'{fade}: {run.stderr}')
    from_demo(work / 'a.mkv', f"drawbox=c=black:t=fill:enable='gt(n,9)',{SMALL}", 20, ('-c:v', 'ffv1'))
    run = dain('-y', work / 'a.mkv', work / 'out.mkv')
    check(' 1 cut,' in run.stderr, run.stderr)



# ---- doubtful frames, sharpness ----

@test('--fallback repeats the nearer frame where new ones are a mixture, and only there')
def _(work):
    # A picture that has nothing in common with the demo clip after it.
    from_demo(work / 'a.mkv', SMALL, 6, ('-c:v', 'ffv1'))
    from_demo(work / 'b.mkv', f'{SMALL},vflip,hflip', 1, ('-c:v', 'ffv1'))
    pairs = len(frame_hashes(chain(work, work / 'b.mkv', work / 'a.mkv'))) - 1
    for level, replaced in ((0.75, 1), (1, pairs), (0, 0)):
        run = dain('-y', '-v', '--no-scene', '--fallback', level, '-c', 'ffv1', work / 'in.mkv',
                   work / 'out.mkv')
        equal(count(run, 'doubtful frame'), replaced, f'frames replaced at {level}: {run.stderr}')
        a, b = frame_hashes(work / 'in.mkv'), frame_hashes(work / 'out.mkv')
        equal(b[::2], a, 'source frames')
        equal(b[1] in a[:2], replaced > 0, 'the mixture is gone')
        equal(b[3] in a, replaced > 1, 'a good frame is gone')


def detail(frame, width=320):
    """Mean difference of neighbours in a gray frame."""
    return sum(abs(a - b) for a, b in zip(frame, frame[1:])) / len(frame)


@test('--match brings new frames nearer to the sharpness of the source')
def _(work):
    from_demo(work / 'in.mkv', 'scale=320:180', 6, ('-c:v', 'ffv1'))
    loss = {}
    for name, args in (('plain', ()), ('match', ('--match',))):
        dain(*args, '-c', 'ffv1', work / 'in.mkv', work / f'{name}.mkv')
        values = [detail(f) for f in raw_frames(work / f'{name}.mkv', 'gray')]
        source, new = values[:-1:2], values[1:-1:2]
        equal(frame_hashes(work / f'{name}.mkv')[::2], frame_hashes(work / 'in.mkv'), 'source frames')
        loss[name] = 1 - sum(new) / (sum(source[:-1]) / 2 + sum(source[1:]) / 2)
    check(loss['plain'] > 0.01, f'nothing to mend: {loss}')
    check(abs(loss['match']) < 0.7 * loss['plain'], f'loss of sharpness {loss}')


main()
