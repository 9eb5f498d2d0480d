"""Faults in the middle of things: sizes and times that change, pictures without their end, numbers
beyond all measure, two runs at once."""
from harness import *


def timed(work, pts, name='in.mkv', frames=12):
    """A clip of 25 frames a second whose packets have the times that the expression gives (N is their
    number; milliseconds)."""
    clip(work / 'even.mkv', frames=frames, codec=('-c:v', 'libx264', '-qp', '0', '-bf', '0'))
    ffmpeg('-i', work / 'even.mkv', '-c', 'copy', '-bsf:v', f"setts=pts='{pts}':dts='40*N'", work / name)
    return work / name


def rising(path, count):
    times = frame_times(path)
    equal(len(times), count, 'frame count')
    check(all(a < b for a, b in zip(times, times[1:])), f'times do not rise: {[float(t) for t in times]}')
    return times


@test('the size changes in the middle: the rest comes in the first size')
def _(work):
    for i, size in enumerate(('64x48', '96x64', '48x64', '64x48')):
        clip(work / f'{i}.ts', size=size, frames=4)
    (work / 'in.ts').write_bytes(b''.join((work / f'{i}.ts').read_bytes() for i in range(4)))
    run = dain('--no-scene', work / 'in.ts', work / 'out.mp4', code=None)
    check(run.returncode in (0, 3), run.stderr)
    check('3 cuts' in run.stderr, run.stderr)
    equal(run.stderr.count('has another size, 96x64 after 64x48'), 1, run.stderr)
    s = video(work / 'out.mp4')
    equal((s['width'], s['height']), (64, 48), 'size')
    check(len(rising(work / 'out.mp4', len(frame_times(work / 'out.mp4')))) >= 28, 'too few frames')


@test('the format changes in the middle')
def _(work):
    for i, fmt in enumerate(('yuv420p', 'yuv422p10le', 'yuv444p', 'yuv420p')):
        clip(work / f'{i}.h264', frames=3, vf=f'format={fmt}', extra=('-bf', '0'))
    (work / 'in.h264').write_bytes(b''.join((work / f'{i}.h264').read_bytes() for i in range(4)))
    dain(work / 'in.h264', work / 'out.mp4', code=None)
    equal(video(work / 'out.mp4')['pix_fmt'], 'yuv420p', 'format')
    rising(work / 'out.mp4', 24)


@test('a timestamp twice, or a step back: all frames come, in order')
def _(work):
    for expression in (r'if(eq(N\,5)\,160\,40*N)', r'if(eq(N\,5)\,100\,40*N)'):
        timed(work, expression)
        dain('-y', work / 'in.mkv', work / 'out.mp4')
        times = rising(work / 'out.mp4', 24)
        equal(times[-1], Fraction(460, 1000), 'time of the last frame')


@test('one wild timestamp does not spoil the rhythm of what follows')
def _(work):
    timed(work, r'if(eq(N\,5)\,7000000\,40*N)')
    run = dain(work / 'in.mkv', work / 'out.mp4')
    check('1 timestamp missing or out of order' in run.stderr, run.stderr)
    times = rising(work / 'out.mp4', 24)
    steps = {b - a for a, b in zip(times[12:], times[13:])}
    equal(steps, {Fraction(20, 1000)}, 'distances after it')


@test('times below zero, times that are missing, times that wrapped round')
def _(work):
    clip(work / 'even.mkv', frames=6)
    # What becomes of -100 ms: no times at all for three frames, or 2^31 and 2^32 milliseconds.
    for name in ('in.mkv', 'in.flv', 'in.mov'):
        ffmpeg('-i', work / 'even.mkv', '-c', 'copy', '-avoid_negative_ts', 'disabled', '-output_ts_offset',
               '-0.1', work / name)
        run = dain('-y', work / name, work / 'out.mp4', code=None)
        check(run.returncode in (0, 3), run.stderr)
        times = rising(work / 'out.mp4', len(frame_times(work / 'out.mp4')))
        check(len(times) >= (6 if name == 'in.mov' else 12), f'{name}: {len(times)} frames')
        check(times[0] >= 0 and times[-1] < 1, f'{name}: {[float(t) for t in times]}')


@test('--strict stops at a broken frame and at an early end, and leaves nothing')
def _(work):
    clip(work / 'in.mkv', frames=50, codec=('-c:v', 'libx264', '-g', '1', '-bf', '0', '-qp', '20'))
    data = bytearray((work / 'in.mkv').read_bytes())
    at = len(data) // 2
    data[at:at + 700] = bytes(700)
    (work / 'broken.mkv').write_bytes(data)
    run = dain('--strict', work / 'broken.mkv', work / 'out.mp4', code=1)
    one_line(run, 'is damaged', 'broken', '--strict')
    (work / 'short.mkv').write_bytes((work / 'in.mkv').read_bytes()[:len(data) // 2])
    one_line(dain('--strict', work / 'short.mkv', work / 'out.mp4', code=1), '--strict')
    nothing_left(work, 'broken.mkv', 'in.mkv', 'short.mkv')
    dain('--strict', work / 'in.mkv', work / 'out.mp4')


@test('a picture without its end is refused, not half used')
def _(work):
    for ending in ('png', 'jpg', 'bmp', 'tif'):
        for i in (0, 1):
            ffmpeg('-f', 'lavfi', '-i', f'testsrc2=size=96x64:rate=5', '-vf', f"select='eq(n\\,{i})'",
                   '-frames:v', 1, '-pix_fmt', 'yuvj420p' if ending == 'jpg' else 'bgr24' if ending == 'bmp'
                   else 'rgb24', work / f'{i}.{ending}')
        whole = (work / f'1.{ending}').read_bytes()
        args = ('-0', work / f'0.{ending}', '-1', work / f'1.{ending}', '-o', work / f'm.{ending}')
        for part in (0.99, 0.9, 0.5, 0.1):
            (work / f'1.{ending}').write_bytes(whole[:int(len(whole) * part)])
            one_line(dain(*args, code=1), f'1.{ending}', 'damaged')
            check(not (work / f'm.{ending}').exists(), 'a picture in spite of it')
        (work / f'1.{ending}').write_bytes(whole)
        dain(*args)
        # Junk behind the end, as some cameras leave it, is none of ours.
        (work / f'1.{ending}').write_bytes(whole + bytes(500))
        dain('-y', *args)


@test('numbers beyond all measure are refused in a line')
def _(work):
    clip(work / 'in.mp4', frames=3)
    for args in (('--fps', '0'), ('--fps', '-5'), ('--fps', '1e9'), ('--fps', 'nan'), ('--fps', '1/0'),
                 ('--fps', '60000/1001/2'), ('--factor', '0'), ('--factor', '-2'), ('--factor', 'inf'),
                 ('--factor', '99999999999999999999'), ('-n', '0'), ('-n', '-3'), ('-n', '1e30'),
                 ('--crf', '-1000'), ('--crf', 'x'), ('-j', '0'), ('-j', '100000'), ('--input-fps', '0'),
                 ('--input-fps', 'fast')):
        one_line(dain(*args, work / 'in.mp4', work / 'out.mp4', code=2), ': should be ')
        nothing_left(work, 'in.mp4')
    for args in (('--factor', '1001'), ('--factor', '1/1001'), ('-n', '100000000')):
        one_line(dain(*args, work / 'in.mp4', work / 'out.mp4', code=None), 'factor')
        nothing_left(work, 'in.mp4')


@test('a header that promises a gigantic picture is refused in a line')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'color=red:size=64x48', '-frames:v', 1, work / 'a.png')
    data = bytearray((work / 'a.png').read_bytes())
    data[16:24] = (60000).to_bytes(4, 'big') * 2
    import zlib
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, 'big')
    (work / 'b.png').write_bytes(data)
    one_line(dain('-0', work / 'a.png', '-1', work / 'b.png', '-o', work / 'm.png', code=1), 'b.png')
    (work / 'big').mkdir()
    (work / 'b.png').rename(work / 'big' / 'b.png')
    one_line(dain('-q', work / 'big', work / 'out.mp4', code=1), 'not one of its pictures')


@test('two runs on one output: one of them makes it, whole')
def _(work):
    clip(work / 'in.mkv', size='128x96', frames=30)
    runs = [subprocess.Popen([DAIN, '-q', work / 'in.mkv', work / 'out.mp4'], stderr=subprocess.PIPE, text=True)
            for _ in range(2)]
    errors = [run.communicate(timeout=100)[1] for run in runs]
    equal(sorted(run.returncode for run in runs), [0, 1], f'exit codes ({errors})')
    equal(sum(e.count('\n') for e in errors), 1, f'lines ({errors})')
    equal(len(frame_hashes(work / 'out.mp4')), 60, 'frame count')
    nothing_left(work, 'in.mkv', 'out.mp4')


@test('alpha moves with the picture')
def _(work):
    # A disc of alpha on a textured ground, 16 pixels further in the second picture.
    for name, x in (('a.png', 40), ('b.png', 56)):
        ffmpeg('-f', 'lavfi', '-i', 'color=gray:size=128x96', '-vf', 'noise=alls=60:all_seed=3,'
               f"format=rgba,geq=r='if(lt(hypot(X-{x}\\,Y-48)\\,24)\\,250\\,r(X\\,Y))':g='if(lt(hypot(X-{x}\\,Y-48)\\,24)\\,250\\,g(X\\,Y))':"
               f"b='if(lt(hypot(X-{x}\\,Y-48)\\,24)\\,50\\,b(X\\,Y))':a='if(lt(hypot(X-{x}\\,Y-48)\\,24)\\,255\\,0)'", '-frames:v', 1, work / name)
    dain('-0', work / 'a.png', '-1', work / 'b.png', '-o', work / 'm.png')
    data = ffmpeg('-i', work / 'm.png', '-pix_fmt', 'rgba', '-f', 'rawvideo', '-')
    alpha = data[3::4][48 * 128:49 * 128]
    inside = [i for i, v in enumerate(alpha) if v >= 128]
    middle = (inside[0] + inside[-1]) / 2
    check(abs(middle - 48) <= 2 and 40 <= len(inside) <= 56, f'alpha from {inside[0]} to {inside[-1]}')


@test('alpha of WebM is read, and its tag goes where alpha goes')
def _(work):
    if not have_encoder('libvpx-vp9'):
        return
    pattern = "format=yuva420p,geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='if(lt(X,20+4*N),250,60)'"
    for codec, decoder in (('libvpx-vp9', 'libvpx-vp9'), ('libvpx', 'libvpx')):
        ffmpeg('-y', '-f', 'lavfi', '-i', 'testsrc2=size=96x64:rate=10', '-vf', pattern, '-frames:v', 4, '-c:v', codec,
               '-auto-alt-ref', 0, '-b:v', '1M', work / 'in.webm')
        dain('-y', work / 'in.webm', work / 'out.mkv', '-c', 'ffv1')
        dain('-y', work / 'in.webm', work / 'out.webm')
        run = dain('-y', work / 'in.webm', work / 'out.mp4')
        check('alpha is left out' in run.stderr, run.stderr)
        before, after = (ffmpeg(*how, '-vf', 'alphaextract', '-f', 'rawvideo', '-')
                         for how in (('-c:v', decoder, '-i', work / 'in.webm'), ('-i', work / 'out.mkv')))
        size = 96 * 64
        check(max(before) > 230 and min(before) < 80, 'no alpha to begin with')
        for i in range(4):
            check(before[i * size:][:size] == after[2 * i * size:][:size], f'{codec}: alpha of frame {i}')
        for name, want in (('out.webm', '1'), ('out.mp4', None)):
            tags = video(work / name).get('tags', {})
            equal(tags.get('alpha_mode', tags.get('ALPHA_MODE')), want, f'{name}: tag of alpha')


@test('a header of the sound that is broken costs its packet, not the film')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=96x64:rate=25:duration=1', '-f', 'lavfi', '-i', 'sine=duration=1', '-c:v',
           'libx264', '-c:a', 'aac', work / 'whole.ts')
    data = bytearray((work / 'whole.ts').read_bytes())
    headers = [i for i in range(len(data) - 1) if data[i] == 0xff and data[i + 1] in (0xf1, 0xf9)]
    data[headers[len(headers) // 2]] = 0
    (work / 'in.ts').write_bytes(data)
    for name, args in (('out.mkv', ()), ('out.mp4', ()), ('parts.mkv', ('--segment', 20))):
        run = dain(*args, work / 'in.ts', work / name, code=3)
        check('1 broken packet' in run.stderr, run.stderr)
        equal(len(frame_hashes(work / name)), 50, f'{name}: frames')
    dain('--strict', work / 'in.ts', work / 'strict.mkv', code=1)
    nothing_left(work, 'whole.ts', 'in.ts', 'out.mkv', 'out.mp4', 'parts.mkv')


@test('the timecode follows the rate')
def _(work):
    for rate, code, args, want in (('25', '01:00:00:20', (), '01:00:00:40'),
                                   ('25', '01:00:00:20', ('--fps', '60'), '01:00:00:48'),
                                   ('30000/1001', '01:00:00;02', (), '01:00:00;04'),
                                   ('30000/1001', '01:00:00;02', ('--fps', '60'), '01:00:00:04'),
                                   ('30000/1001', '01:00:00;02', ('--fps', '25'), '01:00:00:01')):
        clip(work / 'in.mov', rate=rate, frames=4, extra=('-timecode', code))
        dain('-y', '-q', *args, work / 'in.mov', work / 'out.mov')
        equal(video(work / 'out.mov')['tags'].get('timecode'), want, f'{code} of {rate} with {args}')


@test('SIGTERM and SIGINT leave pictures whole')
def _(work):
    import signal
    import time
    clip(work / 'in.mkv', size='320x240', frames=300, extra=('-preset', 'ultrafast'))
    for sign, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        out = work / f'{code}'
        process = subprocess.Popen([DAIN, '-q', work / 'in.mkv', f'{out}/'], stderr=subprocess.PIPE)
        for _ in range(3000):
            if out.exists() and len(list(out.glob('*.png'))) > 3:
                break
            time.sleep(0.02)
        process.send_signal(sign)
        process.communicate(timeout=60)
        equal(process.returncode, code, 'exit code')
        names = sorted(p.name for p in out.iterdir())
        equal(names, [f'{i + 1:08}.png' for i in range(len(names))], 'pictures')
        for name in (names[0], names[-1]):
            equal((out / name).read_bytes()[-8:-4], b'IEND', 'the end of a picture')


main()
