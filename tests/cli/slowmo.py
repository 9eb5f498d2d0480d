"""Slow motion, variable rate and parts of a video: right times, right frames, right sound."""
import math

from harness import *


def grid(count, rate, start=Fraction(0)):
    return [start + Fraction(i) / rate for i in range(count)]


def near_times(path, want, within=Fraction(1, 1000)):
    got = frame_times(path)
    equal(len(got), len(want), f'frame count of {path.name}')
    for i, (g, w) in enumerate(zip(got, want)):
        check(abs(g - w) <= within, f'{path.name}: frame {i} is at {float(g)}, not {float(w)}')


def with_sound(work, name, frames=25, codec='aac'):
    """A moving picture, a tone of 440 Hz, a subtitle from 0.2 to 0.6 s, and two chapters."""
    clip(work / 'v.mkv', frames=frames)
    (work / 's.srt').write_text('1\n00:00:00,200 --> 00:00:00,600\nA line.\n')
    (work / 'c.txt').write_text(';FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=400\ntitle=A\n'
                                '[CHAPTER]\nTIMEBASE=1/1000\nSTART=400\nEND=1000\ntitle=B\n')
    ffmpeg('-i', work / 'v.mkv', '-f', 'lavfi', '-i',
           f'sine=frequency=440:duration={frames / 25}:sample_rate=48000', '-i', work / 's.srt', '-i',
           work / 'c.txt', '-map', '0:v', '-map', '1:a', '-map', '2:s', '-map_chapters', '3', '-c:v',
           'copy', '-c:a', codec, '-c:s', 'mov_text' if name.endswith('mp4') else 'srt', work / name)
    return work / name


def kinds(path):
    """Of streams; MP4 keeps chapters in one of data."""
    return [s['codec_type'] for s in streams(path) if s['codec_type'] != 'data']


def sound(path):
    """The first sound stream as 16-bit samples at 8 kHz."""
    import array
    data = ffmpeg('-i', path, '-map', '0:a:0', '-ac', '1', '-ar', '8000', '-f', 's16le', '-')
    return array.array('h', data)


def pitch(samples):
    """Hz of a tone, by its upward zero crossings."""
    ups = sum(a < 0 <= b for a, b in zip(samples, samples[1:]))
    return ups * 8000 / len(samples)


@test('four times slower at the same rate; source frames stay')
def _(work):
    ffmpeg('-i', DEMO, '-vf', 'scale=160:90,setpts=N/25/TB', '-frames:v', 6, '-r', 25, '-an', '-qp', 0, work / 'in.mp4')
    run = dain('-v', '--slowmo', '4', '-c', 'ffv1', work / 'in.mp4', work / 'out.mkv')
    near_times(work / 'out.mkv', grid(24, 25))
    a, b = frame_hashes(work / 'in.mp4'), frame_hashes(work / 'out.mkv')
    equal(b[::4], a, 'source frames')
    check(len(set(b[:21])) > 18, 'the new frames do not move')
    check('25 fps, ffv1' in run.stderr, run.stderr)
    check('sound' not in run.stderr, run.stderr)


@test('slow motion with another rate or factor, by fractions, and faster')
def _(work):
    clip(work / 'in.mp4', frames=10)
    for args, count, rate in ((('--slowmo', '2', '--fps', '60'), 48, 60),
                              (('--slowmo', '2', '--factor', '2'), 40, 50),
                              (('--slowmo', '5/2'), 25, 25), (('--slowmo', '0.5'), 5, 25),
                              (('--slowmo', '3', '-n', '60'), 60, 50)):
        dain('-y', *args, work / 'in.mp4', work / 'out.mp4')
        near_times(work / 'out.mp4', grid(count, rate), Fraction(0))


@test('slow motion of a variable rate keeps its rhythm')
def _(work):
    clip(work / 'even.mkv', frames=10)
    ffmpeg('-i', work / 'even.mkv', '-vf', r"select='not(eq(n\,3)+eq(n\,4)+eq(n\,7)+eq(n\,8))'",
           '-fps_mode', 'vfr', '-c:v', 'libx264', '-qp', '0', work / 'in.mp4')
    dain('--slowmo', '2', work / 'in.mp4', work / 'out.mp4')
    want = [Fraction(t, 1000) for t in (0, 80, 160, 400, 480, 720)]
    equal(frame_times(work / 'out.mp4')[::2], want, 'times of source frames')


@test('sound is left out of slow motion with a note; subtitles and chapters go along')
def _(work):
    for name in ('in.mp4', 'in.mkv'):
        with_sound(work, name)
        out = work / f'out{name[2:]}'
        run = dain('--slowmo', '2', work / name, out)
        check('--slowmo-audio' in run.stderr, run.stderr)
        equal(kinds(out), ['video', 'subtitle'], f'streams of {out.name}')
        lines = ffmpeg('-i', out, '-map', '0:s:0', '-f', 'srt', '-').decode()
        check('00:00:00,400 --> 00:00:01,200' in lines, lines)
        chapters = probe(out, '-show_chapters')['chapters']
        equal([float(c['start_time']) for c in chapters], [0, 0.8], 'chapters')


@test('--slowmo-audio stretches the sound and keeps its pitch')
def _(work):
    for name, codec, factor in (('in.mp4', 'aac', '4'), ('in.mkv', 'flac', '5/2')):
        with_sound(work, name, codec=codec)
        out = work / f'out{name[2:]}'
        run = dain('--slowmo', factor, '--slowmo-audio', work / name, out)
        check('left out' not in run.stderr, run.stderr)
        equal(kinds(out), ['video', 'audio', 'subtitle'], 'streams')
        equal(streams(out)[1]['codec_name'], codec, 'codec')
        samples = sound(out)
        seconds, want = len(samples) / 8000, float(Fraction(factor))
        check(abs(seconds - want) < 0.1, f'{name}: {seconds} s of sound, not {want}')
        hz = pitch(samples[1600:-1600])
        check(abs(hz - 440) < 8, f'{name}: {hz} Hz, not 440')


@test('--slowmo-audio keeps picture and sound together: a click stays at its frame')
def _(work):
    clip(work / 'v.mkv', frames=50)
    ffmpeg('-i', work / 'v.mkv', '-f', 'lavfi', '-i',
           "aevalsrc='if(between(t,1,1.04),sin(6283*t),0)':d=2:s=48000", '-c:v', 'copy', '-c:a', 'flac',
           work / 'in.mkv')
    dain('--slowmo', '2', '--slowmo-audio', work / 'in.mkv', work / 'out.mkv')
    samples = sound(work / 'out.mkv')
    first = next(i for i, v in enumerate(samples) if abs(v) > 3000) / 8000
    check(abs(first - 2) < 0.05, f'the click is at {first} s, not 2')


@test('--vfr keeps source times; with --fps each gap gets what it needs')
def _(work):
    clip(work / 'even.mkv', frames=10)
    ffmpeg('-i', work / 'even.mkv', '-vf', r"select='not(eq(n\,3)+eq(n\,4)+eq(n\,7)+eq(n\,8))'",
           '-fps_mode', 'vfr', '-c:v', 'libx264', '-qp', '0', work / 'in.mp4')
    times = [Fraction(t, 1000) for t in (0, 40, 80, 200, 240, 360)]
    dain('--vfr', '--factor', '3', work / 'in.mp4', work / 'a.mp4')
    near_times(work / 'a.mp4', [t + (u - t) * k / 3 for t, u in zip(times, times[1:] + [Fraction(2, 5)])
                                for k in range(3)])
    dain('--vfr', '--fps', '50', '-c', 'ffv1', work / 'in.mp4', work / 'b.mkv')
    near_times(work / 'b.mkv', [Fraction(t, 50) for t in range(19)])
    b = frame_hashes(work / 'b.mkv')
    equal([b[i] for i in (0, 2, 4, 10, 12, 18)], frame_hashes(work / 'in.mp4'), 'source frames')
    one_line(dain('--vfr', work / 'in.mp4', work / 'c.avi', code=1), '--vfr', '.mkv')
    one_line(dain('--vfr', '--factor', '5/2', work / 'in.mp4', work / 'c.mkv', code=2), 'whole')
    check(not (work / 'c.avi').exists() and not (work / 'c.mkv').exists(), 'output of a refused run')


@test('--start and --end take the part between them, source frames untouched')
def _(work):
    clip(work / 'in.mp4', frames=75, codec=('-c:v', 'libx264', '-qp', '0', '-g', '10', '-bf', '2'))
    a = frame_hashes(work / 'in.mp4')
    for start, end, first, last in (('1.2', '1.6', 30, 40), ('0:00:02.000', '0:2.4', 50, 60),
                                    ('0', '0.4', 0, 10), ('1.21', '1.59', 31, 40)):
        dain('-y', '-c', 'ffv1', '--start', start, '--end', end, work / 'in.mp4', work / 'out.mkv')
        equal(frame_hashes(work / 'out.mkv')[::2], a[first:last], f'frames from {start} to {end}')
        at = Fraction(first, 25) - (0 if ':' in start else Fraction(start))
        near_times(work / 'out.mkv', grid(2 * (last - first), 50, at if at < 1 else 0))
    dain('-y', '-c', 'ffv1', '--start', '2.8', work / 'in.mp4', work / 'out.mkv')
    equal(frame_hashes(work / 'out.mkv')[::2], a[70:], 'frames from 2.8 on')


@test('sound, subtitles and chapters are cut to the same part')
def _(work):
    for name in ('in.mp4', 'in.mkv'):
        with_sound(work, name, frames=50)
        out = work / f'out{name[2:]}'
        dain('--start', '0.4', '--end', '1.2', work / name, out)
        seconds = len(sound(out)) / 8000
        check(abs(seconds - 0.8) < 0.05, f'{name}: {seconds} s of sound')
        start = float(streams(out)[1]['start_time'])
        check(abs(start) < 0.03, f'{name}: sound starts at {start}')
        lines = ffmpeg('-i', out, '-map', '0:s:0', '-f', 'srt', '-').decode()
        check('00:00:00,000 --> 00:00:00,2' in lines, lines)
        chapters = [(float(c['start_time']), float(c['end_time'])) for c in
                    probe(out, '-show_chapters')['chapters']]
        equal(chapters, [(0, 0.6)], 'chapters')


@test('a part of a stream without timestamps or of a pipe is found by counting')
def _(work):
    clip(work / 'in.h264', frames=40)
    a = frame_hashes(work / 'in.h264')
    dain('-c', 'ffv1', '--start', '0.8', '--end', '1.2', work / 'in.h264', work / 'out.mkv')
    equal(frame_hashes(work / 'out.mkv')[::2], a[20:30], 'frames')
    (work / 'p').mkdir()
    ffmpeg('-i', work / 'in.h264', '-frames:v', 20, work / 'p' / '%03d.png')
    dain('-y', '-c', 'ffv1', '--input-fps', '25', '--start', '0.2', '--end', '0.4', work / 'p',
         work / 'out.mkv')
    ffmpeg('-i', work / 'in.h264', '-frames:v', 20, '-pix_fmt', 'bgr0', '-c:v', 'ffv1', work / 'rgb.mkv')
    equal(frame_hashes(work / 'out.mkv', 'rgb24')[::2], frame_hashes(work / 'rgb.mkv', 'rgb24')[5:10],
          'pictures')


@test('times that make no sense get a line')
def _(work):
    clip(work / 'in.mp4')
    out = work / 'out.mp4'
    for args, part in ((('--start', 'x'), 'seconds'), (('--start', '1:99'), 'seconds'),
                       (('--start', '2', '--end', '1'), 'after'), (('--slowmo', '0'), 'factor'),
                       (('--slowmo-audio',), '--slowmo')):
        one_line(dain(*args, work / 'in.mp4', out, code=2), part)
    one_line(dain('--start', '100', work / 'in.mp4', out, code=1), 'nothing is left')
    clip(work / 'two.mkv', frames=50)
    # Its last frame is shown from 1.96 on; frames that begin before the part are none of it.
    for more in ((), ('-n', '9'), ('--dry-run',)):
        one_line(dain(*more, '--start', '1.99', work / 'two.mkv', out, code=1), 'nothing is left', 'before 1.990')
    one_line(dain('--start', '1.01', '--end', '1.03', work / 'two.mkv', out, code=1), 'between 1.010 and 1.030')
    (work / 'two.mkv').unlink()
    one_line(dain('--slowmo', '5000', work / 'in.mp4', out, code=2), 'factor', '1000')
    nothing_left(work, 'in.mp4')


def circle(work, name='in.mkv', frames=16, codec=('-c:v', 'ffv1')):
    """A disc that goes round once; the last frame leads to the first."""
    ffmpeg('-f', 'lavfi', '-i', f'nullsrc=size=96x96:rate=8:duration={frames / 8},format=gray,'
           rf"geq=lum='if(lt(hypot(X-48-24*cos(2*PI*N/{frames})\,Y-48-24*sin(2*PI*N/{frames}))\,10)\,230\,"
           r"80+40*sin(X/7)*cos(Y/5))'", *codec, work / name)


def centre(frame, side=96):
    """Of the bright disc in a gray frame."""
    spots = [(i % side, i // side) for i, v in enumerate(frame) if v > 170]
    return sum(x for x, _ in spots) / len(spots), sum(y for _, y in spots) / len(spots)


@test('--loop: new frames lead from the last frame to the first, whatever the rate')
def _(work):
    circle(work)
    source = raw_frames(work / 'in.mkv', 'gray')
    for args, count, gap in (((), 32, 1), (('--motion', 'linear'), 32, 1), (('--factor', '4'), 64, 3),
                             (('--vfr', '--fps', '24'), 48, 2), (('--dedup',), 32, 1)):
        run = dain('-y', '--no-lock', '--loop', '-c', 'ffv1', *args, work / 'in.mkv', work / 'out.mkv')
        check('0 repeated' in run.stderr, f'{args}: {run.stderr}')
        out = raw_frames(work / 'out.mkv', 'gray')
        equal(len(out), count, f'frames with {args}')
        equal(out[::gap + 1], source, f'source frames with {args}')
        for k in range(1, gap + 1):
            angle = 2 * math.pi * (15 + k / (gap + 1)) / 16
            x, y = centre(out[15 * (gap + 1) + k])
            off = math.hypot(x - 48 - 24 * math.cos(angle), y - 48 - 24 * math.sin(angle))
            check(off < 1, f'{args}: the disc is {off:.2f} pixels off at {k}/{gap + 1}')
        told = json.loads(dain('--dry-run', '--progress', 'json', '-y', '--loop', *args, work / 'in.mkv',
                               work / 'out.mkv').stderr.splitlines()[0])
        equal((told['frames_expected'], told['new']), (count, count - 16), f'forecast of {args}')
    near_times(work / 'out.mkv', grid(32, 16))


@test('--loop of frames that do not lead to the first, of one frame, and of a part')
def _(work):
    circle(work)
    ffmpeg('-i', work / 'in.mkv', '-f', 'lavfi', '-i', 'testsrc2=size=96x96:rate=8:duration=1,format=gray',
           '-filter_complex', '[0][1]concat', '-c:v', 'ffv1', work / 'cut.mkv')
    run = dain('--loop', '--scenes', work / 'cuts.txt', work / 'cut.mkv', work / 'out.mkv')
    check('no new frames from the last one to the first: nothing leads' in run.stderr and '1 cut,' in run.stderr, run.stderr)
    equal(len((work / 'cuts.txt').read_text().splitlines()) - 1, 1, 'cuts in the list')
    ffmpeg('-i', work / 'in.mkv', '-frames:v', 4, '-final_delay', 300, work / 'long.gif')
    run = dain('-y', '--loop', work / 'long.gif', work / 'out.mkv')
    check('to the first: it stands for too long' in run.stderr, run.stderr)
    circle(work, 'twos.mkv', codec=('-vf', 'fps=16', '-c:v', 'ffv1'))
    run = dain('-y', '--loop', '--dedup', '--no-lock', '-c', 'ffv1', work / 'twos.mkv', work / 'out.mkv')
    check('16 duplicates left out' in run.stderr and ' 0 repeated' in run.stderr, run.stderr)
    out = raw_frames(work / 'out.mkv', 'gray')
    equal(len(out), 64, 'frames of drawings on twos')
    for k in (1, 2, 3):
        angle = 2 * math.pi * (15 + k / 4) / 16
        x, y = centre(out[60 + k])
        off = math.hypot(x - 48 - 24 * math.cos(angle), y - 48 - 24 * math.sin(angle))
        check(off < 1.5, f'the disc is {off:.2f} pixels off at {k}/4')
    ffmpeg('-i', work / 'in.mkv', '-frames:v', 1, '-c', 'copy', work / 'one.mkv')
    dain('-y', '--loop', work / 'one.mkv', work / 'out.mkv')
    hashes = frame_hashes(work / 'out.mkv')
    equal((len(hashes), len(set(hashes))), (2, 1), 'frames of one frame')
    run = dain('-y', '--loop', '--start', '0.5', '--end', '1.5', '-c', 'ffv1', work / 'in.mkv', work / 'out.mkv')
    check('8 new' in run.stderr, run.stderr)
    one_line(dain('-y', '--loop', '--resume', work / 'in.mkv', work / 'out.mkv', code=1), '--resume', '--loop')


RAMP = ((0.4, 1), (0.8, 4), (1.2, 4), (1.6, 1))
RAMP_TEXT = ','.join(f'{t}={n}' for t, n in RAMP)


def slowed(seconds):
    """The time in the output: the factor goes in straight lines, this is its integral."""
    points, total = ((0, 1), *RAMP, (9, 1)), 0
    for (t0, n0), (t1, n1) in zip(points, points[1:]):
        d = min(max(seconds - t0, 0), t1 - t0)
        total += d * n0 + (n1 - n0) * d * d / (t1 - t0) / 2
    return total


def unslowed(out):
    low, high = 0, 9
    for _ in range(60):
        mid = (low + high) / 2
        low, high = (mid, high) if slowed(mid) < out else (low, mid)
    return low


@test('a ramp: every frame shows its moment, sound, subtitles and chapters go along')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'nullsrc=size=128x64:rate=25:duration=2,format=gray,'
           r"geq=lum='if(lt(hypot(X-16-1.7*N\,Y-32)\,10)\,230\,80+40*sin(X/7)*cos(Y/5))'", '-c:v', 'ffv1',
           work / 'v.mkv')
    (work / 's.srt').write_text('1\n00:00:01,000 --> 00:00:01,700\nA line.\n')
    (work / 'c.txt').write_text(';FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1200\n'
                                '[CHAPTER]\nTIMEBASE=1/1000\nSTART=1200\nEND=2000\n')
    ffmpeg('-i', work / 'v.mkv', '-f', 'lavfi', '-i',
           "aevalsrc='if(between(t,1.8,1.83),sin(6283*t),0)':d=2:s=48000", '-i', work / 's.srt', '-i', work / 'c.txt',
           '-map', 0, '-map', 1, '-map', 2, '-map_chapters', 3, '-c:v', 'copy', '-c:a', 'flac', '-c:s', 'srt',
           work / 'in.mkv')
    for args in ((), ('--segment', 30)):
        dain('-y', '--no-lock', '-c', 'ffv1', '--slowmo', RAMP_TEXT, '--slowmo-audio', *args, work / 'in.mkv',
             work / 'out.mkv')
        out = raw_frames(work / 'out.mkv', 'gray')
        equal(len(out), math.ceil(slowed(2) * 25 - 1e-6), 'frames')
        near_times(work / 'out.mkv', grid(len(out), 25))
        for j, frame in enumerate(out[:-8]):
            spots = [i % 128 for i, v in enumerate(frame) if v > 170]
            x, want = sum(spots) / len(spots), 16 + 1.7 * 25 * unslowed(j / 25)
            check(abs(x - want) < 0.6, f'frame {j}: the disc is at {x:.2f}, not {want:.2f}')
        line = ffmpeg('-i', work / 'out.mkv', '-map', '0:s:0', '-f', 'srt', '-').decode()
        for t in (1, 1.7):
            check(f'{slowed(t):.3f}'.replace('.', ',') in line, f'{slowed(t)} not in {line}')
        chapters = probe(work / 'out.mkv', '-show_chapters')['chapters']
        check(abs(float(chapters[1]['start_time']) - slowed(1.2)) < 0.002, f'{chapters}')
        heard = sound(work / 'out.mkv')
        first = next(i for i, v in enumerate(heard) if abs(v) > 3000) / 8000
        check(abs(first - slowed(1.8)) < 0.15, f'the click is at {first} s, not {slowed(1.8)}')
    told = json.loads(dain('--dry-run', '--progress', 'json', '--slowmo', RAMP_TEXT, work / 'in.mkv', work / 'no.mkv')
                      .stderr.splitlines()[0])
    equal(told['frames_expected'], len(out), 'forecast')


@test('sound on a ramp that begins slow or fast is in step after it, whatever the decoder gives at once')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25:duration=5', '-f', 'lavfi', '-i',
           "aevalsrc='if(lt(mod(t,1),0.1),sin(4400*t)*random(0),0)':s=48000:d=5", '-c:v', 'ffv1', '-c:a', 'flac', work / 'in.mkv')
    # After the points the rest is as long as it was; before them lies the integral of the factor.
    for ramp, shift in (('0=4,2=1', 3), ('0=0.25,2=1', -0.75), ('0=1,1=3,2=1', 2)):
        for codec in ('flac', 'pcm_s16le'):
            ffmpeg('-y', '-i', work / 'in.mkv', '-c:v', 'copy', '-c:a', codec, work / 'own.mkv')
            dain('-y', '--no-scene', '--slowmo', ramp, '--slowmo-audio', work / 'own.mkv', work / 'out.mkv')
            heard = sound(work / 'out.mkv')
            for second in (3, 4):
                first = int((second + shift - 0.3) * 8000)
                energy = [v * v for v in heard[first:first + 6400]]
                middle = (first + sum(i * e for i, e in enumerate(energy)) / sum(energy)) / 8000
                check(abs(middle - second - shift - 0.05) < 0.02, f'{ramp}, {codec}: a beep at {middle:.3f} s')


@test('a ramp where the picture begins after the sound: neither sound nor chapters are lost')
def _(work):
    clip(work / 'v.mkv', frames=25)
    (work / 'c.txt').write_text(';FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=700\n')
    ffmpeg('-itsoffset', '0.52', '-i', work / 'v.mkv', '-f', 'lavfi', '-i',
           "aevalsrc='if(between(t,0.1,0.13),sin(6283*t),0)':d=1.5:s=48000", '-i', work / 'c.txt', '-map', 0, '-map', 1,
           '-map_chapters', 2, '-c:v', 'copy', '-c:a', 'flac', work / 'in.mkv')
    start = float(frame_times(work / 'in.mkv')[0])
    dain('--slowmo', '0=4,9=4', '--slowmo-audio', work / 'in.mkv', work / 'out.mkv')
    check(abs(float(frame_times(work / 'out.mkv')[0]) - 4 * start) < 0.01, 'the picture begins at the wrong time')
    heard = sound(work / 'out.mkv')
    first = next(i for i, v in enumerate(heard) if abs(v) > 3000) / 8000
    check(abs(first - 0.4) < 0.15, f'the click is at {first} s, not 0.4')


@test('a ramp in a part of the video, at another rate, and what is wrong with one')
def _(work):
    clip(work / 'in.mp4', frames=50)
    dain('-y', '--slowmo', '1=1,1.4=3', '--start', '1', '--fps', '50', work / 'in.mp4', work / 'out.mp4')
    # 1 s of source: the factor rises from 1 to 3 in 0.4 s, then it is 3.
    near_times(work / 'out.mp4', grid(math.ceil((0.4 * 2 + 0.6 * 3) * 50 - 1e-6), 50))
    for wrong in ('1=2,1=3', '2=1,1=1', '0=0', '=2', '1=', '0=1,x=2', '0=1,,1=2', '0=1,', '0=2000', ','.join(f'{i}=1' for i in range(33))):
        one_line(dain('--slowmo', wrong, work / 'in.mp4', work / 'x.mp4', code=2), '--slowmo')
    one_line(dain('--slowmo', RAMP_TEXT, '--vfr', work / 'in.mp4', work / 'x.mp4', code=2), '--vfr')
    one_line(dain('--slowmo', RAMP_TEXT, '-n', '9', work / 'in.mp4', work / 'x.mp4', code=2), '--frames')


main()
