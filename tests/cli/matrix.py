"""Formats, containers and rates in all sorts of combinations, each looked at from all sides.

A cell is a short clip in a lossless codec, its upper half moving (generated or real), its lower half
flat patches, with sound, aspect and colour tags. dain doubles it, or brings it to another rate, in
the same codec and container. Then: the number of frames, their times and the duration; source
frames bit by bit; the patches of new frames within one code; pixel format, tags, aspect; the
packets of the sound.
"""
from array import array

from harness import *

FRAMES, WIDTH, HEIGHT, PATCH = 3, 96, 64, 32
COLOURS = ('red', 'lime', 'blue', 'white', 'black', 'gray', '0xc08040', '0x204060')
RATES = ('24000/1001', '25', '30000/1001', '24', '50', '60000/1001')
# name: matrix, primaries, transfer as ffprobe has them; scale's name of the matrix
TAGS = (('bt709', 'bt709', 'bt709', 'bt709'), ('smpte170m', 'smpte170m', 'smpte170m', 'bt601'),
        ('bt2020nc', 'bt2020', 'smpte2084', 'bt2020'), ('bt2020nc', 'bt2020', 'arib-std-b67', 'bt2020'))

X264 = (('-c:v', 'libx264', '-qp', '0', '-preset', 'ultrafast'),
        ('-c', 'libx264', '-e', 'qp=0', '--preset', 'ultrafast'))
X265 = (('-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'lossless=1:log-level=none'),
        ('-c', 'libx265', '-e', 'x265-params=lossless=1:log-level=none', '--preset', 'ultrafast'))
VP9 = (('-c:v', 'libvpx-vp9', '-lossless', '1', '-cpu-used', '8'),
       ('-c', 'libvpx-vp9', '-e', 'lossless=1', '-e', 'cpu-used=8'))


def plain(codec):
    return ('-c:v', codec), ('-c', codec)


FFV1 = plain('ffv1')
CELLS = {
    'Matroska': [('mkv', FFV1, f) for f in (
        'yuv420p', 'yuv422p', 'yuv444p', 'yuv411p', 'yuv440p', 'yuv420p10le', 'yuv422p10le', 'yuv444p10le',
        'yuv420p12le', 'yuv422p12le', 'yuv444p12le', 'yuv420p16le', 'yuv422p16le', 'yuv444p16le', 'gray',
        'gray10le', 'gray12le', 'gray16le', 'bgr0', 'bgra', 'gbrp10le', 'gbrp12le', 'gbrp16le', 'gbrap12le',
        'yuva420p', 'yuva422p', 'yuva444p', 'yuva420p10le', 'yuva444p16le')] +
    [('mkv', X264, f) for f in ('yuv420p', 'yuv444p10le')] + [('mkv', plain('huffyuv'), 'yuv422p')],
    'MP4': [('mp4', X264, f) for f in ('yuv420p', 'yuv422p', 'yuv444p', 'yuv420p10le', 'yuv422p10le',
                                       'yuvj420p')] +
    [('mp4', X265, f) for f in ('yuv420p', 'yuv420p10le', 'yuv422p10le', 'yuv444p12le', 'gray')],
    'QuickTime': [('mov', plain('png'), f) for f in ('rgb24', 'rgba', 'rgb48be', 'gray16be')] +
    [('mov', plain('qtrle'), 'rgb24'), ('mov', plain('v210'), 'yuv422p10le'), ('mov', X264, 'yuv420p')],
    'AVI': [('avi', FFV1, f) for f in ('yuv420p', 'yuv422p10le', 'bgra')] +
    [('avi', plain('utvideo'), f) for f in ('gbrp', 'yuv420p')],
    'NUT, MPEG-TS, FLV, YUV4MPEG': [
        ('nut', FFV1, 'gbrap16le'), ('nut', plain('rawvideo'), 'yuv422p12le'), ('ts', X264, 'yuv420p'),
        ('ts', X264, 'yuv422p10le'), ('flv', X264, 'yuv420p'), ('y4m', (('-strict', '-1'), ()), 'yuv444p10le'),
        ('y4m', ((), ()), 'yuv420p')],
    'WebM': [('webm', VP9, f) for f in ('yuv420p', 'yuv444p', 'yuv420p10le')],
    'all rates': [(c, e, 'yuv420p') for c, e in (('mkv', FFV1), ('mp4', X264), ('mov', X264))
                  for _ in RATES],
}
# What a container does not tell: times exactly, aspect, colour tags.
# (FFmpeg's WebM demuxer takes the 7 ms that Opus begins early off the sound, its muxer adds nothing.)
ROUGH = {'mkv': Fraction(1, 1999), 'webm': Fraction(8, 1000), 'flv': Fraction(3, 2000),
         'ts': Fraction(1, 90000)}
NO_ASPECT = ('avi', 'flv', 'y4m', 'ts')
NO_TAGS = ('avi', 'y4m', 'nut')
SOUND = {'mkv': 'aac', 'mp4': 'aac', 'mov': 'aac', 'avi': 'pcm_s16le', 'nut': 'pcm_s16le', 'ts': 'aac',
         'flv': 'aac', 'webm': 'libopus'}
number = 0


def layout(fmt):
    """Planes of a frame as (samples in a row, rows, samples of a pixel, horizontal and vertical
    shift) and the bytes of a sample."""
    wide = any(d in fmt for d in ('10', '12', '16', '48'))
    packed = {'bgr0': 4, 'bgra': 4, 'rgba': 4, 'rgb24': 3, 'rgb48be': 3}.get(fmt)
    if packed:
        return [(WIDTH * packed, HEIGHT, packed, 0, 0)], 2 if wide else 1
    if fmt.startswith('gray'):
        return [(WIDTH, HEIGHT, 1, 0, 0)], 2 if wide else 1
    x, y = next((v for k, v in {'420': (1, 1), '422': (1, 0), '411': (2, 0), '440': (0, 1)}.items()
                 if k in fmt), (0, 0))
    full = (WIDTH, HEIGHT, 1, 0, 0)
    chroma = (WIDTH >> x, HEIGHT >> y, 1, x, y)
    planes = [full, chroma, chroma] if 'yuv' in fmt else [full] * 3
    return planes + [full] * ('yuva' in fmt or 'gbrap' in fmt), 2 if wide else 1


def samples(data, fmt, size):
    out = array('H' if size == 2 else 'B', data)
    if fmt.endswith('be'):
        out.byteswap()
    return out


def check_patches(old, new, fmt, what):
    """The middles of the patches are the same within one code, of 16 bits within one of 12."""
    most = 16 if '16' in fmt or '48' in fmt else 1
    planes, size = layout(fmt)
    a, b = samples(old, fmt, size), samples(new, fmt, size)
    at = 0
    for row, rows, step, sx, sy in planes:
        for y in range((PATCH + 10) >> sy, (PATCH + 22) >> sy):
            for patch in range(WIDTH // PATCH):
                first = at + y * row + ((patch * PATCH + 10) >> sx) * step
                last = at + y * row + ((patch * PATCH + 22) >> sx) * step
                off = max(abs(p - q) for p, q in zip(a[first:last], b[first:last]))
                check(off <= most, f'{what}: a patch is off by {off} codes')
        at += row * rows
    equal(len(a), at, f'{what}: samples of a frame')


def generate(work, ending, options, fmt, rate, tags, range_, real):
    """The clip; returns its frames as they went into the encoder."""
    matrix, primaries, transfer, name = tags
    colours = [COLOURS[(number + i) % len(COLOURS)] for i in range(3)]
    source = ['-i', DEMO] if real else ['-f', 'lavfi', '-i', f'testsrc2=size={WIDTH}x{PATCH}:rate={rate}']
    top = f'scale={WIDTH}:{PATCH},setpts=N/({rate})/TB,fps={rate}' if real else 'null'
    patches = ';'.join(f'color={c}:size={PATCH}x{PATCH}:rate={rate}[c{i}]' for i, c in enumerate(colours))
    rgb = fmt.startswith(('gbr', 'bgr', 'rgb')) or fmt == 'bgra'
    way = '' if rgb else f',scale=out_color_matrix={name}:out_range={range_}'
    graph = (f'[0:v]{top}[top];{patches};[c0][c1][c2]hstack=3[bottom];[top]format=gbrp[t];'
             f'[bottom]format=gbrp[b];[t][b]vstack{way},format={fmt},setsar=4/3,split[v][w]')
    sound = SOUND.get(ending)
    more = (['-map', '1:a', '-c:a', sound] if sound else []) + ([] if rgb else ['-colorspace', matrix])
    ffmpeg(*source, '-f', 'lavfi', '-i', 'sine=sample_rate=48000:duration=0.1', '-filter_complex', graph,
           '-map', '[v]', '-frames:v', FRAMES, *options, '-color_range', 'pc' if rgb else range_,
           '-color_primaries', primaries, '-color_trc', transfer, *more, '-fflags', '+bitexact',
           work / f'in.{ending}', '-map', '[w]', '-frames:v', FRAMES, '-f', 'rawvideo', work / 'in.raw')
    return (work / 'in.raw').read_bytes()


def no_padding(data, fmt):
    """Without what stands in the byte that means nothing."""
    if fmt == 'bgr0':
        data = bytearray(data)
        data[3::4] = bytes(len(data) // 4)
    return bytes(data)


def look(path):
    """Streams and packets, in one go."""
    return probe(path, '-show_streams', '-show_packets', '-show_data_hash', 'MD5')


def check_cell(work, ending, codec, fmt):
    global number
    rate, tags, range_ = RATES[number % 6], TAGS[number % 4], ('tv', 'pc')[number // 4 % 2]
    if fmt.startswith('yuvj'):
        range_ = 'pc'
    if codec[1] == ('-c', 'v210'):
        range_ = 'tv'  # it has no codes 0 to 3 and 1020 to 1023
    if ending in NO_TAGS:
        tags, range_ = TAGS[1], 'tv'  # what is taken for granted where nothing is said
    what = f'{ending} {codec[0][1] if len(codec[0]) > 1 else ""} {fmt} at {rate}, {tags[0]} {range_}'
    old = generate(work, ending, codec[0], fmt, rate, tags, range_, real=number % 2)
    number += 1
    size = len(old) // FRAMES
    old = no_padding(old, fmt)
    old = [old[i * size:(i + 1) * size] for i in range(FRAMES)]
    run = dain('-y', '--no-scene', *codec[1], work / f'in.{ending}', work / f'out.{ending}')
    check('warning' not in run.stderr, f'{what}: {run.stderr}')
    before, after = look(work / f'in.{ending}'), look(work / f'out.{ending}')
    v, w = ([s for s in x['streams'] if s['codec_type'] == 'video'][0] for x in (before, after))
    # Format, tags, aspect.
    equal(w['pix_fmt'], v['pix_fmt'], f'{what}: pixel format')
    if ending not in NO_TAGS:
        for key in ('color_range', 'color_space', 'color_primaries', 'color_transfer'):
            equal(w.get(key), v.get(key), f'{what}: {key}')
        if codec in (FFV1, X264, X265, VP9) and fmt not in ('bgr0', 'bgra') and 'gb' not in fmt:
            equal((v.get('color_primaries'), v.get('color_transfer')), tags[1:3], f'{what}: tags of the input')
    if ending not in NO_ASPECT:
        equal(w.get('sample_aspect_ratio'), '4:3', f'{what}: aspect')
    # Times.
    base, step = Fraction(w['time_base']), 1 / (2 * Fraction(rate))
    packets = [p for p in after['packets'] if p['stream_index'] == w['index']]
    equal(len(packets), 2 * FRAMES, f'{what}: number of frames')
    if ending not in ('avi', 'y4m'):
        times = sorted(int(p['pts']) * base for p in packets)
        start = 0
        if ending in ROUGH:  # where sound begins earlier than the picture, all is moved
            start = min(int(p['pts']) * Fraction(v['time_base']) for p in before['packets']
                        if p['stream_index'] == v['index'])
            start = times[0] if ending == 'ts' else start
        for i, t in enumerate(times):
            check(abs(t - start - i * step) <= ROUGH.get(ending, 0), f'{what}: frame {i} is at {t - start}')
        check(all(a < b for a, b in zip(times, times[1:])), f'{what}: times do not rise')
    if ending in ('mp4', 'mov', 'avi'):
        equal(Fraction(int(w['duration_ts'])) * base, 2 * FRAMES * step, f'{what}: duration')
    # Sound, bit by bit.
    sound = [[(p['size'], p['data_hash']) for p in x['packets'] if p['codec_type'] == 'audio']
             for x in (before, after)]
    equal(sound[1], sound[0], f'{what}: sound')
    equal([s['codec_name'] for s in after['streams']], [s['codec_name'] for s in before['streams']],
          f'{what}: streams')
    # Source frames and patches.
    data = ffmpeg('-i', work / f'out.{ending}', '-map', '0:v', '-fps_mode', 'passthrough', '-f', 'rawvideo', '-')
    data = no_padding(data, fmt)
    equal(len(data), 2 * FRAMES * size, f'{what}: bytes')
    for i in range(FRAMES):
        equal(data[2 * i * size:(2 * i + 1) * size] == old[i], True, f'{what}: source frame {i} is the same')
    check(data[size:2 * size] not in old, f'{what}: no new frame')
    for i in range(FRAMES):
        check_patches(old[i], data[(2 * i + 1) * size:(2 * i + 2) * size], fmt, what)
    for path in work.iterdir():
        path.unlink()


def add(name, cells):
    @test(f'{len(cells)} cells of {name}')
    def _(work):
        for ending, codec, fmt in cells:
            encoder = codec[1][1] if codec[1] else None
            if encoder and not have_encoder(encoder):
                continue
            check_cell(work, ending, codec, fmt)


for name, cells in CELLS.items():
    add(name, cells)
main()
