"""Colours come out as they went in: source frames bit by bit, new frames within one code."""
from harness import *
import itertools

FFV1 = ('-c:v', 'ffv1')


def planes(path, pix_fmt):
    """Decoded frames as lists of integers."""
    wide = any(d in pix_fmt for d in ('10', '12', '14', '16'))
    return [memoryview(f).cast('H') if wide else f for f in raw_frames(path, pix_fmt)]


@test('source frames reach a lossless encoder bit by bit, whatever their format')
def _(work):
    formats = ['yuv420p', 'yuv422p', 'yuv444p', 'yuv411p', 'yuv420p10le', 'yuv422p10le', 'yuv444p12le',
               'yuv420p16le', 'gray', 'gray10le', 'gray16le', 'gbrp10le', 'gbrp16le', 'bgr0', 'bgra',
               'yuva420p', 'yuva444p10le']
    for fmt in formats:
        clip(work / 'in.mkv', frames=4, codec=FFV1, vf=f'format={fmt}')
        equal(video(work / 'in.mkv')['pix_fmt'], fmt, 'format to test with')
        dain('-y', '-q', '-c', 'ffv1', work / 'in.mkv', work / 'out.mkv')
        equal(video(work / 'out.mkv')['pix_fmt'], fmt, 'format')
        a, b = frame_hashes(work / 'in.mkv'), frame_hashes(work / 'out.mkv')
        equal(b[::2], a, f'source frames of {fmt}')
        check(b[5] not in a, f'{fmt}: no new frame')  # the first three are one


@test('formats that come packed keep their samples')
def _(work):
    for codec, fmt in (('rawvideo', 'yuyv422'), ('rawvideo', 'nv12'), ('rawvideo', 'rgb24'),
                       ('png', 'rgb24'), ('png', 'rgba'), ('png', 'gray16be')):
        clip(work / 'in.nut', frames=3, codec=('-c:v', codec), vf=f'format={fmt}')
        dain('-y', '-q', '-c', 'ffv1', work / 'in.nut', work / 'out.mkv')
        want = {'yuyv422': 'yuv422p', 'nv12': 'yuv420p', 'gray16be': 'gray16le'}.get(fmt, fmt)
        equal(frame_hashes(work / 'out.mkv', want)[::2], frame_hashes(work / 'in.nut', want),
              f'source frames of {codec} {fmt}')


@test('flat patches keep their codes in new frames: 601, 709, 2020, limited, full, 8 and 10 bit')
def _(work):
    matrices = {'bt709': 'bt709', 'smpte170m': 'bt601', 'bt470bg': 'bt601', 'bt2020nc': 'bt2020'}
    colours = ('red', 'lime', 'blue', 'white', 'black', 'gray', '0xc08040')
    grid = '+'.join(f'gt(X,{16 * i})' for i in range(1, len(colours)))
    del grid
    for fmt, (matrix, name), range_ in itertools.product(
            ('yuv420p', 'yuv444p', 'yuv420p10le', 'yuv422p10le'), matrices.items(), ('tv', 'pc')):
        inputs = [a for c in colours for a in ('-f', 'lavfi', '-i', f'color={c}:size=32x48:rate=10')]
        ffmpeg(*inputs, '-filter_complex',
               # the frames differ in a corner: between equal ones nothing would be computed
               f"hstack={len(colours)},drawbox=w=2:h=2:c=gray:t=fill:enable='mod(n\\,2)',"
               f'format=gbrp,scale=out_color_matrix={name}:out_range={range_}'
               f',format={fmt}', '-frames:v', 2, '-c:v', 'ffv1', '-colorspace', matrix,
               '-color_range', range_, work / 'in.mkv')
        what = f'{fmt} {matrix} {range_}'
        s = video(work / 'in.mkv')
        equal((s['pix_fmt'], s['color_space'], s['color_range']), (fmt, matrix, range_), what)
        dain('-y', '-q', '--no-scene', '-c', 'ffv1', work / 'in.mkv', work / 'out.mkv')
        frames = planes(work / 'out.mkv', fmt)
        want, got = frames[0], frames[1]
        # The middle of each patch, 8 samples away from its neighbours.
        width, height, sub = 32 * len(colours), 48, {'420': (2, 2), '422': (2, 1), '444': (1, 1)}
        sx, sy = next(v for k, v in sub.items() if k in fmt)
        base = 0
        for w, h, x in ((width, height, 1), (width // sx, height // sy, sx), (width // sx, height // sy, sx)):
            for y in range(h):
                for patch in range(len(colours)):
                    for at in range(patch * 32 // x + 8 // x, (patch * 32 + 24) // x):
                        i = base + y * w + at
                        if abs(got[i] - want[i]) > 1:
                            raise AssertionError(f'{what}: {colours[patch]} became {got[i]}, not '
                                                 f'{want[i]}, at {at}, {y}')
            base += w * h


@test('10-bit video stays 10-bit H.264')
def _(work):
    clip(work / 'in.mkv', frames=4, vf='format=yuv420p10le')
    dain(work / 'in.mkv', work / 'out.mp4')
    s = video(work / 'out.mp4')
    equal((s['codec_name'], s['pix_fmt']), ('h264', 'yuv420p10le'), 'output')


@test('a deeper video goes to the deepest format that the encoder has')
def _(work):
    clip(work / 'in.mkv', frames=3, codec=FFV1, vf='format=yuv420p12le')
    dain(work / 'in.mkv', work / 'out.mp4')
    equal(video(work / 'out.mp4')['pix_fmt'], 'yuv420p10le', 'format')


@test('colour tags, chroma location and light levels are carried over')
def _(work):
    clip(work / 'in.mkv', frames=3, vf='format=yuv420p10le', codec=(
        '-c:v', 'libx265', '-x265-params',
        'log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:range=limited:'
        'chromaloc=2:hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)'
        'L(10000000,50):max-cll=1000,400'))
    keys = ('color_range', 'color_space', 'color_transfer', 'color_primaries', 'chroma_location')
    def light(path):
        """Side data of the stream, or else of the first frame."""
        found = video(path).get('side_data_list', [])
        found += probe(path, '-select_streams', 'v', '-show_frames')['frames'][0].get(
            'side_data_list', [])
        kinds = ('Mastering display metadata', 'Content light level metadata')
        return {(d['side_data_type'], k): Fraction(str(v)) for d in reversed(found)
                if d['side_data_type'] in kinds for k, v in d.items() if k != 'side_data_type'}
    before = light(work / 'in.mkv')
    equal(len(before), 12, 'number of values to test with')
    for name, more in (('out.mp4', ()), ('out.mkv', ('-c', 'libx265')), ('ffv1.mkv', ('-c', 'ffv1'))):
        dain(*more, work / 'in.mkv', work / name)
        a, b = video(work / 'in.mkv'), video(work / name)
        for k in keys:
            if name != 'ffv1.mkv' or k != 'chroma_location':
                equal(b.get(k), a.get(k), f'{k} of {name}')
        equal(light(work / name), before, f'light levels of {name}')
    # In the H.264 stream itself too; this ffprobe does not look there.
    run = subprocess.run(['ffmpeg', '-v', 'verbose', '-i', work / 'out.mp4', '-c', 'copy', '-bsf:v',
                          'trace_headers', '-f', 'null', '-'], capture_output=True, text=True)
    for value in ('13250', '34500', '10000000', '1000', '400'):
        check(f'= {value}' in run.stderr, f'{value} is not in the stream')


@test('RGB video gets a matrix, and says which')
def _(work):
    clip(work / 'in.mkv', frames=3, codec=FFV1, vf='format=bgr0', size='64x48')
    dain(work / 'in.mkv', work / 'out.mp4')
    s = video(work / 'out.mp4')
    equal((s['pix_fmt'], s['color_space'], s['color_range']), ('yuv420p', 'smpte170m', 'tv'), 'output')


@test('odd sizes work: whole with ffv1, less the last line with H.264')
def _(work):
    for size in ('63x49', '64x49', '63x48'):
        for fmt in ('yuv420p', 'yuv444p'):
            clip(work / 'in.mkv', frames=3, codec=FFV1,
                 vf=f'scale={size.replace("x", ":")},format={fmt}')
            dain('-y', '-c', 'ffv1', work / 'in.mkv', work / 'out.mkv')
            s = video(work / 'out.mkv')
            equal(f'{s["width"]}x{s["height"]}', size, 'size')
            equal(frame_hashes(work / 'out.mkv')[::2], frame_hashes(work / 'in.mkv'), 'source frames')
            run = dain('-y', work / 'in.mkv', work / 'out.mp4')
            s = video(work / 'out.mp4')
            if fmt == 'yuv444p':
                equal(f'{s["width"]}x{s["height"]}', size, 'size in H.264')
                equal('warning' in run.stderr, False, 'a warning')
            else:
                equal((s['width'], s['height']), (int(size[:2]) & ~1, int(size[3:]) & ~1), 'size')
                check('cut off' in run.stderr, run.stderr)


@test('--pix-fmt chooses, and a wrong one is named')
def _(work):
    clip(work / 'in.mkv', frames=3)
    dain('--pix-fmt', 'yuv420p10le', work / 'in.mkv', work / 'a.mp4')
    equal(video(work / 'a.mp4')['pix_fmt'], 'yuv420p10le', 'format')
    one_line(dain('--pix-fmt', 'yuv410p', work / 'in.mkv', work / 'b.mp4', code=1),
             'libx264 does not take pixel format yuv410p', 'yuv420p10le')
    one_line(dain('--pix-fmt', 'nonsense', work / 'in.mkv', work / 'b.mp4', code=2),
             'unknown pixel format nonsense')


@test('white above white does not flicker')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'color=black:size=64x48:rate=10', '-vf',
           'format=yuv420p,geq=lum=250:cb=128:cr=128', '-frames:v', 2, '-c:v', 'ffv1', work / 'in.mkv')
    dain('-c', 'ffv1', work / 'in.mkv', work / 'out.mkv')
    frames = planes(work / 'out.mkv', 'yuv420p')
    check(abs(frames[1][64 * 24 + 32] - 250) <= 1, f'250 became {frames[1][64 * 24 + 32]}')


main()
