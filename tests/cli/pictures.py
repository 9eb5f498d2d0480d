"""Two pictures in, one out."""
from harness import *


def picture(path, at=0, fmt='rgb24', size='64x48', vf='null'):
    ffmpeg('-f', 'lavfi', '-i', f'testsrc2=size={size}:rate=10', '-vf',
           f"select='eq(n\\,{at})',{vf},format={fmt}", '-frames:v', 1, '-update', 1, path)
    return path


def pixels(path, fmt):
    return ffmpeg('-i', path, '-frames:v', 1, '-pix_fmt', fmt, '-f', 'rawvideo', '-')


@test('PNG keeps its kind: RGB, RGBA, gray, 8 and 16 bit')
def _(work):
    for fmt in ('rgb24', 'rgba', 'gray', 'ya8', 'rgb48be', 'rgba64be', 'gray16be', 'ya16be'):
        picture(work / 'a.png', 0, fmt)
        picture(work / 'b.png', 2, fmt)
        equal(video(work / 'a.png')['pix_fmt'], fmt, 'format to test with')
        dain('-y', '-0', work / 'a.png', '-1', work / 'b.png', '-o', work / 'm.png')
        s = video(work / 'm.png')
        equal((s['pix_fmt'], s['width'], s['height']), (fmt, 64, 48), 'picture')
        m = pixels(work / 'm.png', fmt)
        check(m != pixels(work / 'a.png', fmt) and m != pixels(work / 'b.png', fmt), 'nothing new')


@test('times 0 and 1 give the pictures themselves')
def _(work):
    for fmt in ('rgb24', 'rgb48be', 'gray', 'rgba'):
        picture(work / 'a.png', 0, fmt)
        picture(work / 'b.png', 3, fmt)
        for t, name in ((0, 'a.png'), (1, 'b.png')):
            dain('-y', '-s', t, '-0', work / 'a.png', '-1', work / 'b.png', '-o', work / 'm.png')
            equal(pixels(work / 'm.png', fmt), pixels(work / name, fmt), f'{fmt} at {t}')


@test('the middle of two equal pictures is that picture, nearly')
def _(work):
    picture(work / 'a.png', 0)
    dain('-0', work / 'a.png', '-1', work / 'a.png', '-o', work / 'm.png')
    a, m = pixels(work / 'a.png', 'rgb24'), pixels(work / 'm.png', 'rgb24')
    mean = sum(abs(x - y) for x, y in zip(a, m)) / len(a)
    check(mean < 2, f'mean difference {mean}')


@test('a moved square stands half-way')
def _(work):
    for name, x in (('a.png', 16), ('b.png', 32)):
        ffmpeg('-f', 'lavfi', '-i', 'color=gray:size=96x64', '-vf',
               f'noise=alls=20:all_seed=3,drawbox=x={x}:y=20:w=24:h=24:color=white:t=fill,format=gray',
               '-frames:v', 1, work / name)
    dain('-0', work / 'a.png', '-1', work / 'b.png', '-o', work / 'm.png')
    m = pixels(work / 'm.png', 'gray')
    row = m[32 * 96:33 * 96]
    check(min(row[28:44]) > 200, f'the middle of the square: {list(row[28:44])}')
    check(max(row[4:18]) < 190 and max(row[62:90]) < 190, 'the background')


@test('other types in and out: JPEG, TIFF, WebP, BMP')
def _(work):
    for a, b, out in (('a.jpg', 'b.jpg', 'm.jpg'), ('a.tif', 'b.tif', 'm.tif'), ('a.png', 'b.png', 'm.webp'),
                      ('a.bmp', 'b.bmp', 'm.bmp'), ('a.png', 'b.jpg', 'm.png')):
        for name, at in ((a, 0), (b, 2)):
            fmt = 'yuvj420p' if name.endswith('jpg') else 'bgr24' if name.endswith('bmp') else 'rgb24'
            picture(work / name, at, fmt)
        dain('-y', '-0', work / a, '-1', work / b, '-o', work / out)
        s = video(work / out)
        equal((s['width'], s['height']), (64, 48), f'size of {out}')
        x, y, z = (pixels(work / n, 'rgb24') for n in (a, out, b))
        mean = sum(abs(p - (q + r) / 2) for p, q, r in zip(y, x, z)) / len(x)
        check(mean < 40, f'{out} is far from both: {mean}')


@test('JPEG colours survive')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'color=0xc08040:size=64x48', '-vf', 'scale=out_range=pc,format=yuvj420p',
           '-frames:v', 1, '-q:v', 1, work / 'a.jpg')
    for out in ('m.jpg', 'm.png'):
        dain('-0', work / 'a.jpg', '-1', work / 'a.jpg', '-o', work / out)
        got = tuple(pixels(work / out, 'rgb24')[3 * (24 * 64 + 32):][:3])
        want = tuple(pixels(work / 'a.jpg', 'rgb24')[3 * (24 * 64 + 32):][:3])
        check(all(abs(g - w) <= 3 for g, w in zip(got, want)), f'{out}: {got}, not {want}')


@test('options of videos do nothing to two pictures, and that is said')
def _(work):
    pictures = work / 'a.png', work / 'b.png'
    for i, path in enumerate(pictures):
        ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x48', '-vf', f'select=gte(n\\,{i})', '-frames:v', 1, path)
    run = dain('-0', pictures[0], '-1', pictures[1], '-o', work / 'out.png', '--fps', '60', '--dedup')
    check('--fps is for videos' in run.stderr and '--dedup is for videos' in run.stderr, run.stderr)


@test('odd sizes, percent signs and spaces in names are fine')
def _(work):
    picture(work / '50% of it %03d.png', 0, vf='scale=63:49')
    picture(work / 'b.png', 2, vf='scale=63:49')
    dain('-0', work / '50% of it %03d.png', '-1', work / 'b.png', '-o', work / 'm %d.png')
    s = video(work / 'm %d.png') if False else None
    data = (work / 'm %d.png').read_bytes()
    equal((int.from_bytes(data[16:20], 'big'), int.from_bytes(data[20:24], 'big')), (63, 49), 'size')
    del s


@test('between two equal pictures is the same picture')
def _(work):
    ffmpeg('-i', DEMO, '-frames:v', 1, '-vf', 'scale=96:64,noise=c0s=30', work / 'a.png')
    dain('-0', work / 'a.png', '-1', work / 'a.png', '-o', work / 'm.png')
    equal(frame_hashes(work / 'm.png', 'rgb24'), frame_hashes(work / 'a.png', 'rgb24'), 'the picture')


@test('pictures of different sizes, missing and broken ones are refused')
def _(work):
    picture(work / 'a.png', 0)
    picture(work / 'b.png', 0, size='64x64')
    args = ('-0', work / 'a.png', '-1')
    one_line(dain(*args, work / 'b.png', '-o', work / 'm.png', code=1), 'differ in size', '64x48', '64x64')
    one_line(dain(*args, work / 'no.png', '-o', work / 'm.png', code=1), 'no.png')
    data = (work / 'a.png').read_bytes()
    (work / 'c.png').write_bytes(data[:40])
    one_line(dain(*args, work / 'c.png', '-o', work / 'm.png', code=1), 'c.png')
    (work / 'c.png').write_text('no picture')
    one_line(dain(*args, work / 'c.png', '-o', work / 'm.png', code=1), 'c.png')
    one_line(dain(*args, work / 'a.png', '-o', work / 'm.xyz', code=1), 'does not tell a picture type')
    one_line(dain(*args, work / 'a.png', '-o', work / 'a.png', '-y', code=1), 'is the input itself')
    one_line(dain(*args, work / 'a.png', '-o', work / 'no' / 'm.png', code=1), 'cannot write')
    dain(*args, work / 'a.png', '-o', work / 'm.png')
    one_line(dain(*args, work / 'a.png', '-o', work / 'm.png', code=1), 'exists already')
    nothing_left(work, 'a.png', 'b.png', 'c.png', 'm.png')


main()
