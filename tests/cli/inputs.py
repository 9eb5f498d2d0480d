"""What goes in beside video files: pictures, URLs, pipes; interlaced video; a choice of streams; names that are
not as usual."""
import functools
import http.server
import signal
import threading

from dying import *


def pictures(work, folder, pattern='%05d.png', fmt='rgb24', frames=6, size='64x48', start=1, extra=()):
    """A sequence of pictures in a new folder."""
    (work / folder).mkdir()
    ffmpeg('-f', 'lavfi', '-i', f'testsrc2=size={size}:rate=25', '-frames:v', frames, '-vf',
           f'format={fmt}', '-start_number', start, *extra, work / folder / pattern)
    return work / folder


def sequence_hashes(pattern, fmt, start=1):
    lines = ffmpeg('-start_number', start, '-i', pattern, '-pix_fmt', fmt, '-f', 'framemd5',
                   '-').decode().splitlines()
    return [line.split(',')[-1].strip() for line in lines if line and line[0] != '#']


@test('a folder and a pattern of pictures are a video of 24 frames a second, or what is said')
def _(work):
    pictures(work, 'in')
    want = sequence_hashes(work / 'in' / '%05d.png', 'rgb24')
    for name in (work / 'in', f'{work}/in/', work / 'in' / '%05d.png', work / 'in' / '%d.png'):
        if name == work / 'in' / '%d.png':  # zeros in front are no number without a width
            one_line(dain('-y', name, work / 'out.mkv', code=1), 'no file of such a name')
            continue
        run = dain('-y', '-c', 'ffv1', name, work / 'out.mkv')
        check('24 frames a second' in run.stderr and '--input-fps' in run.stderr, run.stderr)
        equal(frame_hashes(work / 'out.mkv', 'rgb24')[::2], want, 'source frames')
        equal(video(work / 'out.mkv')['avg_frame_rate'], '48/1', 'rate')
    run = dain('-y', '--input-fps', 'ntsc', work / 'in', work / 'out.mp4')
    equal(run.stderr.count('\n'), 1, 'lines on standard error')
    equal(frame_times(work / 'out.mp4'), [Fraction(i * 1001, 60000) for i in range(12)], 'times')
    dain('-y', '--input-fps', '10', '--fps', '25', work / 'in', work / 'out.mp4')
    equal(frame_times(work / 'out.mp4'), [Fraction(i, 25) for i in range(15)], 'times')


@test('PNG, JPEG, TIFF, WebP, BMP, EXR, PPM of 8 and 16 bits keep their samples')
def _(work):
    kinds = [('png', 'rgb24', 'bgr0'), ('png', 'rgba', 'bgra'), ('png', 'gray', 'gray'),
             ('png', 'rgb48be', 'gbrp16le'), ('png', 'rgba64be', 'gbrap16le'),
             ('png', 'gray16be', 'gray16le'), ('jpg', 'yuvj420p', 'yuv420p'),
             ('jpg', 'yuvj444p', 'yuv444p'), ('tif', 'rgb24', 'bgr0'), ('tif', 'rgb48le', 'gbrp16le'),
             ('bmp', 'bgr24', 'bgr0'), ('ppm', 'rgb24', 'bgr0'), ('ppm', 'rgb48be', 'gbrp16le')]
    if have_encoder('libwebp'):
        kinds.append(('webp', 'bgra', 'bgra'))
    for i, (ending, fmt, same) in enumerate(kinds):
        folder = pictures(work, str(i), f'a_%d.{ending}', fmt, frames=2, extra=(
            ('-c:v', 'libwebp', '-lossless', 1) if ending == 'webp' else ()))
        dain('-y', '-q', '-c', 'ffv1', folder, work / 'out.mkv')
        equal(video(work / 'out.mkv')['pix_fmt'], same, f'format of {ending} {fmt}')
        equal(frame_hashes(work / 'out.mkv', fmt)[::2], sequence_hashes(folder / f'a_%d.{ending}', fmt),
              f'{ending} {fmt}')
    # Pictures with a palette: new ones have colours between, and are no worse for it.
    (work / 'pal').mkdir()
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=25:duration=0.12', '-vf',
           'split[a][b];[a]palettegen[p];[b][p]paletteuse', work / 'pal' / 'a_%d.png')
    dain('-q', work / 'pal', f'{work}/pal-out/')
    equal(video(work / 'pal' / 'a_1.png')['pix_fmt'], 'pal8', 'format of the source')
    equal(video(work / 'pal-out' / '00000002.png')['pix_fmt'], 'rgba', 'format of new pictures')
    equal(sequence_hashes(work / 'pal-out' / '%08d.png', 'rgba')[:5:2], sequence_hashes(work / 'pal' / 'a_%d.png', 'rgba'),
          'source pictures')
    if have_encoder('exr'):
        folder = pictures(work, 'exr', 'a_%d.exr', 'gbrpf32le', frames=2)
        dain('-y', '-q', '-c', 'ffv1', folder, work / 'out.mkv')
        equal(video(work / 'out.mkv')['pix_fmt'], 'gbrp16le', 'format of EXR')
        a, b = (raw(work, n) for n in (work / 'exr' / 'a_1.exr', work / 'out.mkv'))
        check(max(abs(x - y) for x, y in zip(a, b)) <= 1, 'EXR: other colours')


def raw(work, path):
    """The first frame in 8-bit RGB."""
    return ffmpeg('-i', path, '-frames:v', 1, '-pix_fmt', 'gbrp', '-f', 'rawvideo', '-')


@test('pictures of a folder come in the order of their numbers, others are left out and counted')
def _(work):
    pictures(work, 'in', 'frame_%d.png', frames=11)
    (work / 'in' / '.DS_Store').write_bytes(b'junk')
    (work / 'in' / 'Thumbs.db').write_bytes(b'junk')
    (work / 'in' / 'sub.png').mkdir()
    run = dain('-c', 'ffv1', work / 'in', work / 'out.mkv')
    check('2 other things in the folder left out' in run.stderr, run.stderr)
    equal(frame_hashes(work / 'out.mkv', 'rgb24')[::2],
          sequence_hashes(work / 'in' / 'frame_%d.png', 'rgb24'), 'order')


@test('a number that is missing leaves its time, a common step is none')
def _(work):
    folder = pictures(work, 'in', 'a%03d.png', frames=6, start=10)
    (folder / 'a012.png').unlink()
    run = dain('--fps', '24', '-c', 'ffv1', folder / 'a%03d.png', work / 'out.mkv', code=3)
    check('1 missing picture' in run.stderr, run.stderr)
    equal(len(frame_hashes(work / 'out.mkv')), 6, 'frame count')
    one_line(dain('-q', '-y', '--strict', folder / 'a%03d.png', work / 'out.mkv', code=1),
             'numbers are missing', '--strict')
    for n in (13, 15):
        (folder / f'a{n:03}.png').unlink()
    (folder / 'a011.png').rename(folder / 'a012.png')
    dain('-y', folder / 'a%03d.png', work / 'out.mkv')  # 10, 12, 14
    equal(len(frame_hashes(work / 'out.mkv')), 6, 'frame count')


@test('broken pictures: the rest is made and they are named; --strict stops')
def _(work):
    for ending, fmt in (('png', 'rgb24'), ('jpg', 'yuvj420p'), ('tif', 'rgb24'), ('bmp', 'bgr24')):
        folder = pictures(work, ending, f'%02d.{ending}', fmt)
        (folder / f'03.{ending}').write_text('no picture at all')
        data = (folder / f'05.{ending}').read_bytes()
        (folder / f'05.{ending}').write_bytes(data[:len(data) * 6 // 10])
        run = dain('-y', '-c', 'ffv1', folder, work / 'out.mkv', code=3)
        for name in (f'03.{ending}', f'05.{ending}', 'is damaged'):
            check(name in run.stderr, f'{name}: {run.stderr}')
        count = len(frame_hashes(work / 'out.mkv'))
        check(count in (8, 10), f'{count} frames')
        run = dain('-y', '-q', '--strict', folder, work / 'strict.mkv', code=1)
        one_line(run, '--strict', 'broken picture')
        check(not (work / 'strict.mkv').exists(), 'an output in spite of --strict')
    empty = work / 'empty'
    empty.mkdir()
    one_line(dain(empty, work / 'no.mkv', code=1), 'no pictures in this folder')
    (empty / 'a.png').write_bytes(b'x' * 50)
    one_line(dain('-q', empty, work / 'no.mkv', code=1), 'not one of its pictures can be decoded')
    one_line(dain(empty / 'b%d.png', work / 'no.mkv', code=1), 'no file of such a name')


@test('pictures of several sizes and kinds in one sequence do no harm')
def _(work):
    folder = pictures(work, 'in', '%d.png', frames=3)
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=80x40', '-frames:v', 1, folder / '4.png')
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x48', '-frames:v', 1, '-pix_fmt', 'gray16be',
           folder / '5.png')
    dain('-q', '-c', 'ffv1', folder, work / 'out.mkv')
    s = video(work / 'out.mkv')
    equal((s['width'], s['height'], len(frame_hashes(work / 'out.mkv'))), (64, 48, 10), 'output')


@test('--deinterlace makes a frame of each field, in place')
def _(work):
    # 50 pictures a second woven into 25 interlaced frames, which must come apart again.
    for order, name in (('tff', 'tff.mkv'), ('bff', 'bff.mkv')):
        ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=50', '-frames:v', 10, '-vf',
               f'interlace=scan={order}:lowpass=0,format=yuv420p', '-c:v', 'ffv1', work / name)
        run = dain('-q', work / name, work / 'no.mkv', code=1)
        check('--deinterlace' in run.stderr, run.stderr)
        dain('--deinterlace', '-c', 'ffv1', work / name, work / 'out.mkv')
        times = frame_times(work / 'out.mkv')
        equal(len(times), 40, 'frame count')
        equal(times, [Fraction(i, 100) for i in range(40)], 'times')
        ffmpeg('-i', work / name, '-vf', 'bwdif=send_field:auto:all', '-c:v', 'ffv1', work / 'want.mkv')
        equal(frame_hashes(work / 'out.mkv')[::2], frame_hashes(work / 'want.mkv'), 'whole frames')
        equal(video(work / 'out.mkv').get('field_order', 'progressive'), 'progressive', 'field order')
        (work / 'want.mkv').unlink()
        (work / 'out.mkv').unlink()
    one_line(dain('--deinterlace', '--progressive', work / 'tff.mkv', work / 'o.mkv', code=2), 'exclude')
    dain('--deinterlace', '-n', '60', work / 'tff.mkv', work / 'n.mkv')
    equal(len(frame_hashes(work / 'n.mkv')), 60, 'frame count')


@test('--deinterlace keeps sound in step and takes one frame, and formats that change')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=60000/1001', '-f', 'lavfi', '-i',
           'sine=duration=0.4', '-frames:v', 12, '-vf', 'interlace=lowpass=0,format=yuv422p10',
           '-c:v', 'ffv1', '-c:a', 'aac', work / 'in.mov')
    dain('--deinterlace', work / 'in.mov', work / 'out.mp4')
    equal(frame_times(work / 'out.mp4'), [Fraction(i * 1001, 120000) for i in range(48)], 'times')
    equal(packet_hashes(work / 'out.mp4', 'a:0'), packet_hashes(work / 'in.mov', 'a:0'), 'sound')
    clip(work / 'one.mkv', frames=1)
    dain('--deinterlace', '-c', 'ffv1', work / 'one.mkv', work / 'a.mkv')
    equal(len(frame_hashes(work / 'a.mkv')), 4, 'frame count of one frame')
    clip(work / '1.ts', frames=4)
    clip(work / '2.ts', frames=4, size='80x64')
    (work / 'two.ts').write_bytes((work / '1.ts').read_bytes() + (work / '2.ts').read_bytes())
    dain('-q', '--deinterlace', '-c', 'ffv1', work / 'two.ts', work / 'b.mkv', code=None)
    check(len(frame_hashes(work / 'b.mkv')) >= 16, 'too few frames')


@test('--streams chooses streams by kind, number and language')
def _(work):
    clip(work / 'v.mkv', frames=6)
    clip(work / 'w.mkv', frames=6, size='32x32')
    (work / 'a.srt').write_text('1\n00:00:00,000 --> 00:00:00,200\nHello\n')
    tone = ('-f', 'lavfi', '-i', 'sine=duration=0.24')
    ffmpeg('-i', work / 'v.mkv', *tone, *tone, '-i', work / 'a.srt', '-i', work / 'w.mkv', '-map', 0,
           '-map', 1, '-map', 2, '-map', 3, '-map', 4, '-c', 'copy', '-c:a:0', 'aac', '-c:a:1', 'flac',
           '-metadata:s:a:0', 'language=eng', '-metadata:s:a:1', 'language=deu', '-metadata:s:s:0',
           'language=fra', work / 'in.mkv')
    everything = ['h264', 'aac', 'flac', 'subrip', 'h264']
    for choice, want in (('all', everything), ('none', everything[:1]), ('a', everything[:3]),
                         ('a:1', ['h264', 'flac']), ('a:deu,s', ['h264', 'flac', 'subrip']),
                         ('3', ['h264', 'subrip']), ('audio:0,3', ['h264', 'aac', 'subrip']),
                         ('d', everything[:1])):
        dain('-y', '--streams', choice, work / 'in.mkv', work / 'out.mkv')
        equal([s['codec_name'] for s in streams(work / 'out.mkv')], want, f'--streams {choice}')
    # The second video, by number: that is the one that gets new frames.
    dain('-y', '--streams', 'v:1,a:0', '-c', 'ffv1', work / 'in.mkv', work / 'out.mkv')
    equal([s['codec_name'] for s in streams(work / 'out.mkv')], ['aac', 'ffv1'], 'streams')
    equal((video(work / 'out.mkv')['width'], len(frame_hashes(work / 'out.mkv'))), (32, 12), 'video')
    for choice, says, code in (('a:2', 'there is no such stream', 1), ('s:xyz', 'there is no such stream', 1),
                               ('7', 'numbered 0 to 4', 1), ('sound', 'should be all, none', 2),
                               ('a,sound:1', '--streams sound:1', 2), ('a,,s', 'should be all, none', 2)):
        one_line(dain('-y', '--streams', choice, work / 'in.mkv', work / 'out.mkv', code=code), says)


@test('y4m through standard input, and raw H.264 at a rate of its own')
def _(work):
    clip(work / 'in.mkv', frames=5, vf='format=yuv422p10le', codec=('-c:v', 'ffv1'))
    data = ffmpeg('-i', work / 'in.mkv', '-f', 'yuv4mpegpipe', '-strict', '-1', '-')
    run = subprocess.run([DAIN, '-c', 'ffv1', '-', work / 'out.mkv'], input=data, capture_output=True)
    equal(run.returncode, 0, f'exit code ({run.stderr})')
    equal(frame_hashes(work / 'out.mkv')[::2], frame_hashes(work / 'in.mkv'), 'source frames')
    clip(work / 'in.h264', frames=6, extra=('-bf', '0'))
    dain('--input-fps', '10', work / 'in.h264', work / 'out.mp4')
    equal(frame_times(work / 'out.mp4'), [Fraction(i, 20) for i in range(12)], 'times')
    one_line(dain('-y', '--input-fps', '10', work / 'in.mkv', work / 'out.mp4', code=1),
             'has frame times of its own')


@test('a colon in a name is no protocol, in files that are read and in those that are written')
def _(work):
    clip(work / 'in.mkv', frames=6)
    want = frame_hashes(work / 'in.mkv')
    for name in ('Film: 1.mkv', 'pipe:0.mkv', 'data:,1.mkv', 'file:a.mkv', 'subfile,,start,1:x.mkv'):
        (work / name).write_bytes((work / 'in.mkv').read_bytes())
        out = name.replace('.mkv', '.mp4')
        dain('-c', 'libx264', '--crf', 0, name, out, cwd=work)
        equal(frame_hashes(work / out)[::2], want, f'source frames of {name}')
    check('6 frames' in dain('info', 'Film: 1.mkv', cwd=work).stdout, 'what dain info says')
    # A name that FFmpeg is meant to understand.
    dain('-q', '-y', 'file:in.mkv', 'out.mkv', cwd=work)
    for name in ('No film: 1.mkv', 'in.mkv/No: 1.mkv'):
        one_line(dain('-q', '-y', name, 'out.mkv', cwd=work, code=1), f'{name}: No')
    one_line(dain('-q', 'in.mkv', 'none: 1/out.mkv', cwd=work, code=1), 'none: 1/out.mkv')
    (work / 'pic: 1').mkdir()
    ffmpeg('-i', work / 'in.mkv', work / 'pic: 1' / '%d.png')
    dain('-q', '-y', 'pic: 1/%d.png', 'new: 1/', cwd=work)
    equal(len(list((work / 'new: 1').iterdir())), 12, 'pictures')


@test('an output that is a link: the file it leads to is written, interrupted and resumed')
def _(work):
    (work / 'real').mkdir()
    (work / 'l.mkv').symlink_to('real/l.mkv')
    clip(work / 'short.mkv')
    source(work, frames=300)
    for _ in range(2):  # a link to nothing, then one to a file
        dain('-q', '-y', work / 'short.mkv', work / 'l.mkv')
        check((work / 'l.mkv').is_symlink(), 'the link was replaced')
        equal(len(frame_hashes(work / 'real' / 'l.mkv')), 16, 'frame count')
    one_line(dain('-q', work / 'short.mkv', work / 'l.mkv', code=1), 'exists already')
    (work / 'real' / 'l.mkv').unlink()
    args = (*FAST, work / 'in.mkv', work / 'l.mkv')
    process = until_closed(work / 'real', 'l.mkv', 2, *args)
    process.send_signal(signal.SIGINT)
    error = process.communicate()[1]
    equal(process.returncode, 130, f'exit code ({error})')
    dain('-q', '--resume', *args)
    equal(len(frame_hashes(work / 'real' / 'l.mkv')), 600, 'frame count')
    nothing_left(work / 'real', 'l.mkv')
    nothing_left(work, 'in.mkv', 'l.mkv', 'real', 'short.mkv')


@test('a URL is read like a file')
def _(work):
    clip(work / 'in.mp4', frames=6, extra=('-movflags', 'faststart'))
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), functools.partial(Quiet, directory=work))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f'http://127.0.0.1:{server.server_port}/'
        dain('-c', 'ffv1', url + 'in.mp4', work / 'out.mkv')
        equal(frame_hashes(work / 'out.mkv')[::2], frame_hashes(work / 'in.mp4'), 'source frames')
        one_line(dain('-y', url + 'no.mp4', work / 'out2.mkv', code=1), '404')
    finally:
        server.shutdown()
        thread.join()


main()
