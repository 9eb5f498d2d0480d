"""Every frame at its exact time, and as many as there should be."""
from harness import *


def grid(count, rate, start=Fraction(0)):
    return [start + Fraction(i) / rate for i in range(count)]


def pts_units(path):
    return Fraction(video(path)['time_base'])


def check_times(path, want, exact=True):
    got = frame_times(path)
    equal(len(got), len(want), f'frame count of {path.name}')
    unit = Fraction(0) if exact else pts_units(path) / 2
    for i, (g, w) in enumerate(zip(got, want)):
        check(abs(g - w) <= unit, f'{path.name}: frame {i} is at {g}, not {w}')


@test('twice 25 frames a second is 50, exactly, in MP4 and MOV')
def _(work):
    clip(work / 'in.mp4', frames=9)
    for name in ('out.mp4', 'out.mov'):
        dain(work / 'in.mp4', work / name)
        check_times(work / name, grid(18, 50))
        equal(float(video(work / name)['duration']), 0.36, 'length')


@test('Theora, which knows one duration for all frames, gets all of them')
def _(work):
    if not have_encoder('libtheora'):
        return
    clip(work / 'in.mp4', frames=9)
    for name, args in (('out.ogv', ()), ('out.mkv', ('-c', 'libtheora'))):
        dain(*args, work / 'in.mp4', work / name)
        check_times(work / name, grid(18, 50), exact=False)


@test('23.976 doubles exactly, from milliseconds in Matroska too')
def _(work):
    clip(work / 'in.mkv', rate='24000/1001', frames=30)
    dain(work / 'in.mkv', work / 'out.mp4')
    check_times(work / 'out.mp4', grid(60, Fraction(48000, 1001)))
    dain(work / 'in.mkv', work / 'out.mkv')
    check_times(work / 'out.mkv', grid(60, Fraction(48000, 1001)), exact=False)


@test('24 and 23.976 become 60 exactly, and frames on the grid stay as they were')
def _(work):
    for rate, count in (('24', 60), ('24000/1001', 61)):
        clip(work / 'in.mkv', rate=rate, frames=24)
        dain('--fps', '60', '-c', 'ffv1', '-y', work / 'in.mkv', work / 'out.mkv')
        check_times(work / 'out.mkv', grid(count, 60), exact=False)
        if rate == '24':
            a, b = frame_hashes(work / 'in.mkv'), frame_hashes(work / 'out.mkv')
            equal(b[::5], a[::2], 'frames on the grid')
    dain('--fps', '60', '-y', work / 'in.mkv', work / 'out.mp4')
    check_times(work / 'out.mp4', grid(61, 60))


@test('factors may be fractions, and below one')
def _(work):
    clip(work / 'in.mp4', rate='20', frames=10)
    dain('--factor', '5/2', work / 'in.mp4', work / 'a.mp4')
    check_times(work / 'a.mp4', grid(25, 50))
    dain('--factor', '0.5', work / 'in.mp4', work / 'b.mp4')
    check_times(work / 'b.mp4', grid(5, 10))
    dain('--factor', '3', '-c', 'ffv1', work / 'in.mp4', work / 'c.mkv')
    equal(frame_hashes(work / 'c.mkv')[::3], frame_hashes(work / 'in.mp4'), 'source frames')


@test('-n gives that many frames in all')
def _(work):
    clip(work / 'in.mp4', rate='10', frames=10)
    for n in (20, 25, 10, 7):
        dain('-n', n, '-y', work / 'in.mp4', work / 'out.mp4')
        equal(len(frame_hashes(work / 'out.mp4')), n, 'frame count')


def variable(work, name='in.mp4'):
    """Frames at 0, 40, 80, 200, 240, 360 ms."""
    clip(work / 'even.mkv', frames=10)
    ffmpeg('-i', work / 'even.mkv', '-vf', r"select='not(eq(n\,3)+eq(n\,4)+eq(n\,7)+eq(n\,8))'",
           '-fps_mode', 'vfr', '-c:v', 'libx264', '-qp', '0', work / name)
    times = frame_times(work / name)
    equal(times, [Fraction(t, 1000) for t in (0, 40, 80, 200, 240, 360)], 'source times')
    return times


@test('a variable rate stays variable: each gap is halved')
def _(work):
    times = variable(work)
    dain('-c', 'ffv1', work / 'in.mp4', work / 'out.mkv')
    dain(work / 'in.mp4', work / 'out.mp4')
    want = [t for a, b in zip(times, times[1:]) for t in (a, (a + b) / 2)]
    want += [times[-1], times[-1] + Fraction(20, 1000)]
    check_times(work / 'out.mp4', want)
    equal(frame_hashes(work / 'out.mkv')[::2], frame_hashes(work / 'in.mp4'), 'source frames')


@test('a variable rate becomes constant with --fps')
def _(work):
    variable(work)
    dain('--fps', '50', work / 'in.mp4', work / 'out.mp4')
    check_times(work / 'out.mp4', grid(20, 50))


@test('picture and sound keep their distance when they start apart')
def _(work):
    clip(work / 'v.mkv', frames=10)
    ffmpeg('-i', work / 'v.mkv', '-f', 'lavfi', '-i', 'sine=duration=1:sample_rate=44100', '-c:v',
           'copy', '-c:a', 'aac', work / 'even.mp4')
    for name in ('in.mp4', 'in.mkv'):
        ffmpeg('-itsoffset', '0.3', '-i', work / 'even.mp4', '-i', work / 'even.mp4', '-map', '0:v',
               '-map', '1:a', '-c', 'copy', work / name)
        out = work / f'out{name[2:]}'
        dain(work / name, out)
        a, b = frame_times(work / name)[0], frame_times(out)[0]
        check(abs(a - b) < Fraction(2, 1000), f'{name}: picture starts at {float(b)}, not {float(a)}')
        equal(packet_hashes(out, 'a:0'), packet_hashes(work / name, 'a:0'), 'sound')


@test('a stream that starts late in a broadcast starts at zero')
def _(work):
    clip(work / 'v.mkv', frames=10)
    ffmpeg('-i', work / 'v.mkv', '-c', 'copy', '-output_ts_offset', '5000', work / 'in.ts')
    check(frame_times(work / 'in.ts')[0] > 4000, 'the clip starts at zero already')
    dain(work / 'in.ts', work / 'out.mp4')
    check_times(work / 'out.mp4', grid(20, 50))


@test('a jump of the clock in a broadcast is closed')
def _(work):
    clip(work / 'v.mkv', frames=10)
    sound = ('-f', 'lavfi', '-i', 'sine=duration=0.4:sample_rate=44100')
    for i, offset in enumerate((10, 3000, 100)):
        ffmpeg('-i', work / 'v.mkv', *sound, '-c:v', 'copy', '-c:a', 'aac', '-output_ts_offset',
               offset, work / f'{i}.ts')
    (work / 'in.ts').write_bytes(b''.join((work / f'{i}.ts').read_bytes() for i in range(3)))
    dain('--no-scene', work / 'in.ts', work / 'out.mp4')
    times = frame_times(work / 'out.mp4')
    equal(len(times), 60, 'frame count')
    check(times == sorted(times) and times[-1] < 2, f'last frame at {float(times[-1])}')


@test('video without timestamps gets them')
def _(work):
    for codec, name in ((('-c:v', 'libx264', '-bf', '2'), 'in.h264'),
                        (('-c:v', 'mpeg4', '-bf', '0'), 'in.m4v')):
        clip(work / name, frames=12, codec=codec)
        dain('-y', work / name, work / 'out.mp4')
        check_times(work / 'out.mp4', grid(24, 50))


@test('containers of one rate only get one')
def _(work):
    clip(work / 'in.mkv', frames=10)
    dain(work / 'in.mkv', work / 'out.avi')
    equal(len(frame_hashes(work / 'out.avi')), 20, 'frame count')
    equal(video(work / 'out.avi')['avg_frame_rate'], '50/1', 'rate')
    variable(work)
    dain('-y', work / 'in.mp4', work / 'out.avi')
    equal(len(frame_hashes(work / 'out.avi')), 20, 'frame count')


@test('clocks too fine for a header: times stay right, a constant rate is as near as can be said')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=30', '-frames:v', 30, '-video_track_timescale', 10000000,
           work / 'in.mp4')
    dain('-q', '--factor', '2.997', work / 'in.mp4', work / 'out.mp4')
    times = [float(t) for t in frame_times(work / 'out.mp4')]
    equal(len(times), 90, 'frames')
    for i, t in enumerate(times[1:-1], 1):
        check(abs(t - times[0] - i / (30 * 2.997)) < 2e-5, f'frame {i} at {t}')
    run = subprocess.run([DAIN, '-q', '--factor', '2.997', work / 'in.mp4', '-'], capture_output=True)
    check(b' F8991:100 ' in run.stdout[:80], run.stdout[:80])
    # the rate of a phone's variable clock, whose double has no 31-bit terms
    ffmpeg('-i', work / 'in.mp4', '-vf', 'settb=1/90000,setpts=N*3003.07', '-fps_mode', 'passthrough', '-enc_time_base',
           '1/90000', '-video_track_timescale', 90000, '-c:v', 'libx264', work / 'phone.mp4')
    dain('-q', work / 'phone.mp4', work / 'phone2.mp4')
    times = [float(t) for t in frame_times(work / 'phone2.mp4')]
    equal(len(times), 60, 'frames')
    check(abs(times[58] - times[0] - 29 * 3003.07 / 90000) < 1e-3, times[58])


@test('one frame and two frames are videos too')
def _(work):
    for frames in (1, 2):
        clip(work / 'in.mp4', frames=frames)
        dain('-y', '-c', 'ffv1', work / 'in.mp4', work / 'out.mkv')
        check_times(work / 'out.mkv', grid(2 * frames, 50), exact=False)
        a, b = frame_hashes(work / 'in.mp4'), frame_hashes(work / 'out.mkv')
        equal(b[::2], a, 'source frames')
        equal(b[-1], a[-1], 'the frame held at the end')


@test('a long pause is held, not morphed')
def _(work):
    clip(work / 'even.mkv', frames=4)
    ffmpeg('-i', work / 'even.mkv', '-vf', r"setpts='if(gte(N\,2)\,PTS+3/TB\,PTS)'", '-fps_mode',
           'vfr', '-c:v', 'libx264', '-qp', '0', work / 'in.mp4')
    dain('--no-scene', '-c', 'ffv1', work / 'in.mp4', work / 'out.mkv')
    a, b = frame_hashes(work / 'in.mp4'), frame_hashes(work / 'out.mkv')
    equal(len(b), 8, 'frame count')
    equal(b[3], a[1], 'the frame in the pause')
    check(b[1] not in a and b[5] not in a, 'no new frames beside the pause')


main()
