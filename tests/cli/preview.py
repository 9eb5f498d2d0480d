"""--preview: a picture of source, new, source frames."""
from harness import *


def cell(data, width, x, y, w, h):
    """Part of an RGB24 picture as rows of bytes."""
    return [data[3 * (width * row + x):3 * (width * row + x + w)] for row in range(y, y + h)]


def distance(a, b):
    total = sum(abs(p - q) for r, s in zip(a, b) for p, q in zip(r, s))
    return total / sum(len(r) for r in a)


@test('rows of source, new, source; the outer ones are neighbours in the video')
def _(work):
    clip(work / 'in.mkv', size='96x64', frames=30, codec=('-c:v', 'ffv1'), extra=('-pix_fmt', 'gbrp'))
    run = dain('--preview', 3, work / 'in.mkv', work / 'strip.png')
    one_line(run, 'strip.png: source, new, source; at')
    s = video(work / 'strip.png')
    equal((s['width'], s['height']), (3 * 96 + 8, 3 * 64 + 8), 'size of the strip')
    strip = ffmpeg('-i', work / 'strip.png', '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-')
    frames = [cell(f, 96, 0, 0, 96, 64) for f in raw_frames(work / 'in.mkv', 'rgb24')]
    places = []
    for row in range(3):
        first, new, second = (cell(strip, 296, 100 * i, 68 * row, 96, 64) for i in range(3))
        check(first in frames and second in frames, f'row {row}: not frames of the video')
        equal(frames.index(second), frames.index(first) + 1, f'row {row}: neighbour')
        check(new not in (first, second), f'row {row}: nothing new')
        check(distance(new, first) < distance(new, frames[0]) + 40, f'row {row}: far off')
        places.append(frames.index(first))
    check(places == sorted(places) and places[0] < 15 and places[2] >= 20, f'not spread: {places}')
    nothing_left(work, 'in.mkv', 'strip.png')


@test('a cut is not shown, a part is kept to, a short clip is enough')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=96x64:rate=25:duration=0.2', '-f', 'lavfi', '-i',
           'mandelbrot=size=96x64:rate=25', '-filter_complex', '[1]trim=end_frame=5,setpts=PTS-STARTPTS[b];[0][b]concat',
           '-c:v', 'ffv1', '-pix_fmt', 'gbrp', work / 'cut.mkv')
    dain('--preview', 1, '--start', '0.12', work / 'cut.mkv', work / 'a.png')
    strip = ffmpeg('-i', work / 'a.png', '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-')
    frames = [cell(f, 96, 0, 0, 96, 64) for f in raw_frames(work / 'cut.mkv', 'rgb24')]
    first = frames.index(cell(strip, 296, 0, 0, 96, 64))
    check(first >= 3 and first != 4, f'shows frame {first} and the next')
    clip(work / 'short.mkv', size='96x64', frames=16, codec=('-c:v', 'ffv1'), extra=('-pix_fmt', 'gbrp'))
    run = dain('--preview', 5, work / 'short.mkv', work / 'short.png')
    strip = ffmpeg('-i', work / 'short.png', '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-')
    frames = [cell(f, 96, 0, 0, 96, 64) for f in raw_frames(work / 'short.mkv', 'rgb24')]
    rows = [frames.index(cell(strip, 296, 0, 68 * row, 96, 64)) for row in range(5)]
    check(rows == sorted(set(rows)), f'rows of a short clip repeat or go back: {rows}')
    check(f'{rows[1] / 25:.2f} s' in run.stderr, run.stderr)
    clip(work / 'two.mp4', frames=2)
    dain('--preview', 4, work / 'two.mp4', work / 'two.png')
    clip(work / 'one.mp4', frames=1)
    one_line(dain('--preview', 1, work / 'one.mp4', work / 'one.png', code=1), 'less than two frames')
    check(not (work / 'one.png').exists(), 'a picture of nothing')


@test('a video that is shown turned is turned here too')
def _(work):
    clip(work / 'flat.mov', size='96x64', frames=8, codec=('-c:v', 'png'), extra=('-pix_fmt', 'rgb24'))
    for turn in (0, 90, 180, 270):
        ffmpeg('-i', work / 'flat.mov', '-c', 'copy', '-metadata:s:v', f'rotate={turn}', work / 'in.mov')
        dain('-y', '-q', '--preview', 2, work / 'in.mov', work / 'strip.png')
        w, h = (64, 96) if turn % 180 else (96, 64)
        s = video(work / 'strip.png')
        equal((s['width'], s['height']), (3 * w + 8, 2 * h + 4), f'size of the strip at {turn} degrees')
        strip = ffmpeg('-i', work / 'strip.png', '-pix_fmt', 'rgb24', '-f', 'rawvideo', '-')
        frames = [cell(f, w, 0, 0, w, h) for f in raw_frames(work / 'in.mov', 'rgb24')]  # ffmpeg turns them
        for row in range(2):
            first, new, second = (cell(strip, 3 * w + 8, (w + 4) * i, (h + 4) * row, w, h) for i in range(3))
            check(first in frames and second in frames, f'{turn} degrees: not frames as they are shown')
            check(distance(new, first) < 40, f'{turn} degrees: the new frame is not turned')


@test('mistakes: no picture name, an existing file, the input itself')
def _(work):
    clip(work / 'in.mp4', frames=4)
    one_line(dain('--preview', 2, work / 'in.mp4', work / 'out.mp4', code=1), 'makes a picture')
    (work / 'a.png').write_text('mine')
    one_line(dain('--preview', 2, work / 'in.mp4', work / 'a.png', code=1), 'exists')
    equal((work / 'a.png').read_text(), 'mine', 'the file that was there')
    dain('-y', '-q', '--preview', 2, work / 'in.mp4', work / 'a.png')
    one_line(dain('--preview', 0, 'a', 'b', code=2), '--preview 0')


main()
