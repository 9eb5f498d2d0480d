"""Clocks that jump: recordings one after the other, a wrap in MPEG-TS, gaps, single times that are wrong."""
import re
import struct

from harness import *


def recording(path, frames=50, sound=True, extra=(), codec=('-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0')):
    seconds = frames / 25
    ffmpeg('-f', 'lavfi', '-i', f'testsrc2=size=64x48:rate=25:duration={seconds}',
           *(('-f', 'lavfi', '-i', f'sine=duration={seconds}') if sound else ()),
           *codec, *(('-c:a', 'mp2') if sound else ()), *extra, path)
    return path


def ends(path):
    """Time of the last frame, and of the last packet of sound if there is some."""
    sound = probe(path, '-select_streams', 'a:0', '-show_entries', 'packet=pts_time')['packets']
    return float(frame_times(path)[-1]), float(sound[-1]['pts_time']) if sound else None


def steady(path, count, step=Fraction(1, 50)):
    """The frames come at even distances, all of them; a bit more where sound is longer than picture."""
    times = frame_times(path)
    equal(len(times), count, 'frame count')
    wrong = [(float(a), float(b)) for a, b in zip(times, times[1:]) if abs(b - a - step) > Fraction(1, 60)]
    check(not wrong, f'frames at other distances: {wrong}')


@test('recordings one after the other: picture and sound go on together, nothing is filled in')
def _(work):
    # Both begin at the same time: the clock goes back by two seconds, less than what a broken clock would.
    recording(work / 'a.ts')
    for name, parts in (('twice.ts', 2), ('thrice.ts', 3)):
        (work / name).write_bytes((work / 'a.ts').read_bytes() * parts)
        run = dain(work / name, work / 'out.mkv', '-y')
        check(f'jumps {parts - 1} time' in run.stderr, run.stderr)
        steady(work / 'out.mkv', 100 * parts)
        picture, sound = ends(work / 'out.mkv')
        check(abs(picture - sound) < 0.15, f'the picture ends at {picture}, the sound at {sound}')


@test('a recording that begins an hour later joins on')
def _(work):
    recording(work / 'a.ts')
    recording(work / 'b.ts', extra=('-output_ts_offset', '3600'))
    for first, second in (('a', 'b'), ('b', 'a')):
        (work / 'in.ts').write_bytes((work / f'{first}.ts').read_bytes() + (work / f'{second}.ts').read_bytes())
        run = dain(work / 'in.ts', work / 'out.mkv', '-y')
        check('jumps 1 time' in run.stderr, run.stderr)
        steady(work / 'out.mkv', 200)
        picture, sound = ends(work / 'out.mkv')
        check(abs(picture - sound) < 0.15, f'the picture ends at {picture}, the sound at {sound}')


@test('the clock of MPEG-TS wraps after 26 hours: nobody notices')
def _(work):
    recording(work / 'in.ts', extra=('-output_ts_offset', str(2 ** 33 / 90000 - 2.4)))
    run = dain(work / 'in.ts', work / 'out.mkv')
    steady(work / 'out.mkv', 100)
    picture, sound = ends(work / 'out.mkv')
    check(abs(picture - sound) < 0.15 and 'jumps' not in run.stderr, f'{picture} {sound} {run.stderr}')


def with_gap(work, name, seconds, sound):
    """Frame 25 and all after it come so much later; sound: it has the gap too."""
    recording(work / 'even.mkv')
    gap = int(1000 * seconds)
    # Sound of 24 ms a packet: one second is 42 packets, which is where the picture's gap is.
    late = f'if(gte(PTS\\,1000)\\,PTS+{gap}\\,PTS)'
    ffmpeg('-i', work / 'even.mkv', '-c', 'copy', '-bsf:v', f"setts=pts='{late}':dts='{late}'",
           *(('-bsf:a', f"setts=pts='{late}':dts='{late}'") if sound else ()), work / name)
    return work / name


@test('a gap of minutes is kept, and said; --max-gap closes it')
def _(work):
    source = with_gap(work, 'in.mkv', 120, True)
    run = dain('--fps', 25, source, work / 'out.mkv')
    check('comes 120.0 s after the one before' in run.stderr and '1 pause (120.0 s)' in run.stderr, run.stderr)
    equal(len(frame_times(work / 'out.mkv')), 50 + 3000, 'frame count')
    run = dain('--max-gap', 30, source, work / 'out.mkv', '-y')
    check('jumps 1 time' in run.stderr and 'pause' not in run.stderr, run.stderr)
    steady(work / 'out.mkv', 100)
    picture, sound = ends(work / 'out.mkv')
    check(abs(picture - sound) < 0.15, f'the picture ends at {picture}, the sound at {sound}')


@test('a gap in the picture alone is none to close: the sound goes on in it')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25:duration=2', '-f', 'lavfi', '-i', 'sine=duration=20',
           '-c:v', 'libx264', '-bf', '0', '-c:a', 'mp2', work / 'even.mkv')
    late = 'if(gte(PTS\\,1000)\\,PTS+15000\\,PTS)'
    ffmpeg('-i', work / 'even.mkv', '-c', 'copy', '-bsf:v', f"setts=pts='{late}':dts='{late}'", work / 'in.mkv')
    ffmpeg('-i', work / 'in.mkv', '-c', 'copy', work / 'in.ts')
    for name in ('in.mkv', 'in.ts'):
        run = dain('--max-gap', 5, work / name, work / 'out.mkv', '-y')
        check('jumps' not in run.stderr and '1 pause' in run.stderr, run.stderr)
        check(abs(ends(work / 'out.mkv')[0] - 16.98) < 0.05, f'the picture ends at {ends(work / "out.mkv")}')


@test('one wrong time is no gap, in the picture or in the sound')
def _(work):
    recording(work / 'even.mkv')
    for stream, wild in (('v', 'if(eq(N\\,20)\\,PTS+5000/TB\\,PTS)'), ('v', 'if(eq(N\\,20)\\,PTS+20/TB\\,PTS)'),
                         ('a', 'if(eq(N\\,20)\\,PTS+5000/TB\\,PTS)')):
        for name in ('in.mkv', 'in.ts'):
            ffmpeg('-i', work / 'even.mkv', '-c', 'copy', f'-bsf:{stream}', f"setts=pts='{wild}'", work / name)
            run = dain(work / name, work / 'out.mkv', '-y')
            check('pause' not in run.stderr, f'{stream} {wild} {name}: {run.stderr}')
            steady(work / 'out.mkv', 100)


@test('a file without its end says so, by the length of its parts')
def _(work):
    codecs = {'mkv': 'ffv1', 'webm': 'libvpx', 'mp4': 'libx264', 'avi': 'mpeg4', 'ogv': 'libtheora'}
    for ending, codec in codecs.items():
        whole, short = work / f'in.{ending}', work / f'short.{ending}'
        ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25:duration=0.8', '-c:v', codec, '-g', 4,
               *(('-movflags', '+faststart') if ending == 'mp4' else ()), whole)
        data = whole.read_bytes()
        equal(dain('-q', '--strict', whole, work / 'out.mkv', '-y').stderr, '', f'what is said of {whole.name}')
        for size in (len(data) * 3 // 4, len(data) - 1):
            short.write_bytes(data[:size])
            run = dain(short, work / 'out.mkv', '-y', code=3)
            check('ends before the length that its header gives' in run.stderr, run.stderr)
            one_line(dain('--strict', '-q', short, work / 'strict.mkv', code=1), '--strict')
            check(not (work / 'strict.mkv').exists(), 'a file in spite of --strict')
    # A live recording, whose whole length nobody has written down.
    data = ffmpeg('-i', work / 'in.mkv', '-c', 'copy', '-f', 'matroska', '-live', 1, '-')
    (work / 'live.mkv').write_bytes(data)
    dain('-q', work / 'live.mkv', work / 'out.mkv', '-y')
    (work / 'live.mkv').write_bytes(data[:len(data) // 2])
    dain('-q', work / 'live.mkv', work / 'out.mkv', '-y', code=3)


@test('what follows a whole MP4 is no part that is missing')
def _(work):
    for name, flags in (('last.mp4', ()), ('first.mp4', ('-movflags', '+faststart'))):
        clip(work / name)
        data = (work / name).read_bytes()
        for tail in (b'\n', b'CAMERA-TRAILER-V1 0123456789', bytes(40), struct.pack('>I', 9999) + b'SEFH more'):
            (work / 'in.mp4').write_bytes(data + tail)
            equal(dain('-q', '-y', '--strict', work / 'in.mp4', work / 'out.mkv').stderr, '', f'what {tail} gives')
        (work / 'in.mp4').write_bytes(data + struct.pack('>I', 9999) + b'mdat and more')
        dain('-q', '-y', work / 'in.mp4', work / 'out.mkv', code=3)


def trimmed(data, start, length, header):
    """The MP4 with an edit list that begins so many seconds late; header: the film's length says so too."""
    data = bytearray(data)
    movie, edit = data.index(b'mvhd'), data.index(b'elst')
    media = data.index(b'mdhd')
    scale, ticks = (struct.unpack_from('>I', data, at + 16)[0] for at in (movie, media))
    first = struct.unpack_from('>i', data, edit + 16)[0]
    struct.pack_into('>Ii', data, edit + 12, int(length * scale), first + int(start * ticks))
    if header:
        struct.pack_into('>I', data, movie + 20, int(length * scale))
    return bytes(data)


@test('an MP4 trimmed by its edit list is whole, and without its end it is not')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25:duration=4', '-c:v', 'libx264', '-g', 10,
           '-movflags', '+faststart', work / 'all.mp4')
    for header in (True, False):
        data = trimmed((work / 'all.mp4').read_bytes(), 2, 2, header)
        (work / 'in.mp4').write_bytes(data)
        equal(dain('-q', '-y', '--strict', work / 'in.mp4', work / 'out.mkv').stderr, '', f'what {header} gives')
        equal(len(frame_times(work / 'out.mkv')), 100, 'frame count')
        (work / 'in.mp4').write_bytes(data[:len(data) * 4 // 5])
        dain('-q', '-y', work / 'in.mp4', work / 'out.mkv', code=3)
        # Through a pipe only the number of frames tells.
        with open(work / 'in.mp4', 'rb') as pipe:
            cut = subprocess.run([DAIN, '-q', '-y', '-', str(work / 'out.mkv')], input=pipe.read(), capture_output=True)
        equal(cut.returncode, 3, f'exit code through a pipe ({cut.stderr})')


@test('a video of many frames a second at uneven times has their average as its rate')
def _(work):
    # The clock's tick is no rate, and nothing is laid out on it.
    ffmpeg('-f', 'lavfi', '-i', "testsrc2=size=64x48:rate=120,settb=1/90000,setpts='N*750+mod(N*N*37,601)'",
           '-frames:v', 120, '-fps_mode', 'passthrough', '-enc_time_base', '1/90000', '-c:v', 'libx264', '-bf', 0,
           '-video_track_timescale', 90000, work / 'in.mp4')
    check(Fraction(video(work / 'in.mp4')['r_frame_rate']) > 1000, 'FFmpeg guesses better: nothing to test')
    check(re.search(r'\b1(19|20)(\.\d+)? fps', dain('info', work / 'in.mp4').stdout), 'the rate of dain info')
    for name in ('out.avi', 'out.mkv'):
        run = dain('--dedup', work / 'in.mp4', work / name)
        check(re.search(r' at 2(39|40)(\.\d+)? fps', run.stderr), run.stderr)
        check(abs(len(frame_hashes(work / name)) - 240) <= 4, 'frame count')


@test('sound that is longer than the picture is no early end')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25:duration=0.8', '-f', 'lavfi', '-i', 'sine=duration=3',
           '-c:v', 'libx264', '-c:a', 'aac', work / 'in.mkv')
    for args in ((), ('--streams', 'video'), ('--no-streams',), ('--end', '0.5')):
        equal(dain('-q', '-y', '--strict', *args, work / 'in.mkv', work / 'out.mkv').stderr, '', f'{args}')


main()
