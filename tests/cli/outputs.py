"""What comes out beside video files: folders and patterns of pictures, YUV4MPEG."""
from harness import *


def pictures(folder, fmt='rgb24', frames=5, ending='png', size='64x48'):
    folder.mkdir()
    ffmpeg('-f', 'lavfi', '-i', f'testsrc2=size={size}:rate=10', '-frames:v', frames, '-vf',
           f'format={fmt}', folder / f'%03d.{ending}')
    return folder


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def hashes(path, fmt):
    return ffmpeg('-i', path, '-frames:v', 1, '-pix_fmt', fmt, '-f', 'framemd5', '-').split()[-1]


@test('a folder of pictures becomes one of twice as many, as the tools for pictures do it')
def _(work):
    pictures(work / 'in')
    (work / 'out').mkdir()
    run = dain('-i', work / 'in', '-o', work / 'out')
    equal(names(work / 'out'), [f'{i:08}.png' for i in range(1, 11)], 'pictures')
    check('--input-fps' not in run.stderr, 'pictures have no rate to speak of')
    for i in range(5):
        equal(hashes(work / 'out' / f'{2 * i + 1:08}.png', 'rgb24'),
              hashes(work / 'in' / f'{i + 1:03}.png', 'rgb24'), f'source picture {i}')
    same = hashes(work / 'out' / '00000010.png', 'rgb24')
    equal(same, hashes(work / 'in' / '005.png', 'rgb24'), 'the last picture, held')
    # -n, -f, -j, -v as rife-ncnn-vulkan has them.
    run = dain('-i', work / 'in', '-o', work / 'n', '-n', '13', '-f', 'f_%03d.jpg', '-j', '1:2:2', '-v')
    equal(names(work / 'n'), [f'f_{i:03}.jpg' for i in range(1, 14)], 'pictures')
    check('f_013.jpg' in run.stderr, 'no line for each picture')


@test('pictures keep their depth and kind: 8 and 16 bits, gray, alpha, EXR')
def _(work):
    for i, (ending, fmt) in enumerate((('png', 'rgb48be'), ('png', 'rgba'), ('png', 'gray16be'),
                                       ('png', 'gray'), ('tif', 'rgb48le'), ('tif', 'rgb24'))):
        pictures(work / f'{i}', fmt, 2, ending)
        dain('-q', work / f'{i}', f'{work}/o{i}/', '-f',
             f'%d.{ending}')
        equal(video(work / f'o{i}' / f'1.{ending}')['pix_fmt'], fmt, f'format of {ending}')
        equal(hashes(work / f'o{i}' / f'3.{ending}', fmt), hashes(work / f'{i}' / f'002.{ending}', fmt),
              f'{ending} {fmt}')
    if have_encoder('exr'):
        pictures(work / 'e', 'gbrpf32le', 2, 'exr')
        dain('-q', work / 'e', f'{work}/f/', '-f', '%d.exr')
        equal(hashes(work / 'f' / '3.exr', 'gbrpf32le'), hashes(work / 'e' / '002.exr', 'gbrpf32le'), 'EXR')


@test('a video becomes pictures of the right colours')
def _(work):
    for fmt, matrix, out in (('yuv420p', 'bt709', 'a'), ('yuv444p', 'smpte170m', 'b')):
        name = 'bt601' if matrix == 'smpte170m' else matrix
        ffmpeg('-f', 'lavfi', '-i', 'color=0xc08040:size=64x48:rate=5', '-f', 'lavfi', '-i',
               'sine=duration=0.4', '-vf', f'format=gbrp,scale=out_color_matrix={name}:out_range=tv,'
               f'format={fmt}', '-frames:v', 2, '-c:v', 'ffv1', '-colorspace', matrix, '-color_range',
               'tv', work / 'in.mkv')
        for ending in ('png', 'jpg', 'tif', *(['webp'] if have_encoder('libwebp') else [])):
            run = dain('-y', '--no-scene', work / 'in.mkv', f'{work}/{out}/', '-f', f'%02d.{ending}')
            check('pictures hold no sound' in run.stderr, run.stderr)
            for i in range(1, 5):
                data = ffmpeg('-i', work / out / f'{i:02}.{ending}', '-pix_fmt', 'rgb24', '-f',
                              'rawvideo', '-')
                got = data[3 * (24 * 64 + 32):][:3]
                check(all(abs(g - w) <= 3 for g, w in zip(got, (0xc0, 0x80, 0x40))),
                      f'{ending} {i} of {matrix}: {tuple(got)}')


@test('a variable rate and holes are filled: pictures stand at even times')
def _(work):
    pictures(work / 'in', frames=6)
    (work / 'in' / '003.png').unlink()
    dain('-q', work / 'in' / '%03d.png', work / '%02d.png', code=3)
    equal(len([n for n in names(work) if n.endswith('.png')]), 12, 'pictures')
    a = [hashes(work / f'{i:02}.png', 'rgb24') for i in range(1, 13)]
    equal(a[6], hashes(work / 'in' / '004.png', 'rgb24'), 'a picture behind the hole')
    equal(len(set(a)), 11, 'different pictures')


@test('pictures that exist are kept unless -y says otherwise; leftovers are named')
def _(work):
    pictures(work / 'in', frames=3)
    (work / 'out').mkdir()
    (work / 'out' / '00000001.png').write_text('precious')
    one_line(dain('-q', work / 'in', work / 'out', code=1), '00000001.png exists already')
    equal((work / 'out' / '00000001.png').read_text(), 'precious', 'the old picture')
    (work / 'out' / '00000007.png').write_text('old')
    run = dain('-y', work / 'in', work / 'out')
    check('00000007.png and what follows it are left from before' in run.stderr, run.stderr)
    (work / 'out' / '00000001.png').unlink()
    (work / 'out' / '00000004.png').write_text('in the middle')
    one_line(dain('-q', work / 'in', work / 'out', code=1), 'exists already')
    nothing_left(work / 'out', *[f'{i:08}.png' for i in range(1, 8)])


@test('outputs that are no place for pictures are refused')
def _(work):
    pictures(work / 'in', frames=2)
    clip(work / 'in.mkv', frames=2)
    for args, says, code in (((work / 'in', work / 'in'), 'would mix', 1),
                             (('-y', work / 'in', work / 'in' / 'n%d.png'), 'would mix', 1),
                             ((work / 'in.mkv', work / 'out.png'), 'one picture holds no video', 1),
                             ((work / 'in.mkv', work / 'out' / '%d.png'), 'cannot write', 1),
                             ((work / 'in.mkv', work, '-f', 'x.png'), 'with one %d', 2),
                             ((work / 'in.mkv', work, '-f', '%d%d.png'), 'with one %d', 2),
                             ((work / 'in.mkv', work, '-f', 'a/%d.png'), 'with one %d', 2),
                             ((work / 'in.mkv', work, '-f', '%d.xyz'), 'with one %d', 2),
                             ((work / 'in.mkv', work / 'in.mkv', '-f', '%d.png'), 'Not a directory', 1),
                             ((work / 'in.mkv', work), 'in / for a folder of pictures', 1),
                             ((work / 'in.mkv', f'{work}/', '-c', 'nonsense'), 'no video encoder', 2)):
        one_line(dain('-q', *args, code=code), says)
    equal(names(work / 'in'), ['001.png', '002.png'], 'the input')
    nothing_left(work, 'in', 'in.mkv')


@test('a percent sign in the name of a folder is one, for pictures, patterns and videos')
def _(work):
    pictures(work / 'in', frames=3)
    for folder in ('100% done', 'x%y', '50%d', '%%', '%d%d'):
        out = work / folder
        dain(work / 'in', f'{out}/')
        equal(names(out), [f'{n:08}.png' for n in range(1, 7)], f'pictures in {folder}')
        dain('--dry-run', work / 'in', f'{work}/new {folder}/')
        dain('-y', work / 'in', out / 'n%02d.jpg')
        check((out / 'n06.jpg').exists(), f'a pattern in {folder}')
        for pattern in (out, f'{out}/%08d.png'):
            run = dain('-y', '-c', 'ffv1', '--segment', '4', pattern, work / 'back.mkv')
            check('24 frames a second' in run.stderr, run.stderr)
        equal(len(frame_hashes(work / 'back.mkv')), 12, f'frames from a pattern in {folder}')
        for ending in ('mkv', 'mp4', 'gif'):
            dain('--segment', '4', work / 'back.mkv', out / f'v.{ending}')
            check((out / f'v.{ending}').exists(), f'.{ending} in {folder}')
        dain('-q', '-y', out / '00000001.png', work / 'one.mkv')
        dain('-q', '-y', out / 'v.gif', work / 'gif.mkv')
    one_line(dain(work / 'in', work / 'x%y' / 'out.png', code=1), 'one picture holds no video')


@test('YUV4MPEG to standard output, with depth and rate, and into the next program')
def _(work):
    for fmt in ('yuv420p', 'yuv422p10le', 'yuv444p12le', 'gray', 'yuv420p16le'):
        clip(work / 'in.mkv', frames=4, codec=('-c:v', 'ffv1'), vf=f'format={fmt}')
        run = subprocess.run([DAIN, '-q', work / 'in.mkv', '-'], capture_output=True)
        equal((run.returncode, run.stderr), (0, b''), 'exit code and messages')
        check(run.stdout.startswith(b'YUV4MPEG2 W64 H48 F50:1'), run.stdout[:60])
        (work / 'out.y4m').write_bytes(run.stdout)
        equal(video(work / 'out.y4m')['pix_fmt'], fmt, 'format')
        equal(frame_hashes(work / 'out.y4m')[::2], frame_hashes(work / 'in.mkv'), 'source frames')
    # RGB and alpha have no place there: the nearest.
    clip(work / 'in.mkv', frames=2, codec=('-c:v', 'ffv1'), vf='format=bgra')
    dain('-q', work / 'in.mkv', work / 'rgb.y4m')
    equal(video(work / 'rgb.y4m')['pix_fmt'], 'yuv444p', 'format')
    # Through two of them.
    clip(work / 'in.mkv', frames=4, codec=('-c:v', 'ffv1'))
    run = subprocess.run(f'"{DAIN}" -q "{work}/in.mkv" - | "{DAIN}" -q -c ffv1 - "{work}/out.mkv"',
                         shell=True, capture_output=True, text=True)
    equal((run.returncode, run.stderr), (0, ''), 'exit code and messages')
    equal(frame_hashes(work / 'out.mkv')[::4], frame_hashes(work / 'in.mkv'), 'source frames')


@test('codecs by the names that people say; colours are never dropped; RGB pictures give a video that plays')
def _(work):
    clip(work / 'in.mkv', frames=3, codec=('-c:v', 'ffv1'))
    for name, codec in (('h264', 'h264'), ('x264', 'h264'), ('avc', 'h264'), ('mpeg4', 'mpeg4')):
        dain('-y', '-q', '-c', name, work / 'in.mkv', work / 'out.mkv')
        equal(video(work / 'out.mkv')['codec_name'], codec, f'-c {name}')
    one_line(dain('-c', 'nonsense', work / 'in.mkv', work / 'no.mkv', code=2), 'no video encoder nonsense')
    one_line(dain('-y', '-c', 'pgm', work / 'in.mkv', work / 'out.mkv', code=1), 'would lose the colours')
    dain('-q', '--pix-fmt', 'gray', work / 'in.mkv', work / 'out.gif')
    pictures(work / 'rgb', 'rgb24', 3, 'png')
    for ending, fmt in (('mp4', 'yuv420p'), ('mov', 'yuv420p'), ('mkv', 'yuv444p')):
        dain('-q', '--input-fps', '24', work / 'rgb', work / f'rgb.{ending}')
        equal(video(work / f'rgb.{ending}')['pix_fmt'], fmt, f'pictures into .{ending}')
    one_line(dain('--fps', '48', work / 'in.mkv', work / 'odd.mpg', code=1), 'mpeg1video refuses', '48/1 fps')


@test('a folder for one video is told; one that a failed run made is taken away again')
def _(work):
    clip(work / 'in.mkv', frames=2, codec=('-c:v', 'ffv1'))
    run = dain(work / 'in.mkv', f'{work}/out/')
    check('a picture for each frame goes there' in run.stderr, run.stderr)
    equal(sorted(p.name for p in (work / 'out').iterdir()), [f'{i:08}.png' for i in range(1, 5)], 'pictures')
    dain(work / 'nosuch.mkv', f'{work}/made/', code=1)
    check(not (work / 'made').exists(), 'the folder is left')
    dain('-y', work / 'nosuch.mkv', f'{work}/out/', code=1)
    check((work / 'out' / '00000001.png').exists(), 'a folder that was there is gone')


@test('pipes by the names that shells and systems give them')
def _(work):
    clip(work / 'in.mkv', frames=4, codec=('-c:v', 'ffv1'))
    dain('-q', '-c', 'ffv1', work / 'in.mkv', work / 'want.mkv')
    line = f'"{DAIN}" -q -c ffv1 --container mkv "{work}/in.mkv"'
    for i, command in enumerate((f'{line} /dev/stdout | cat > OUT', f'{line} /dev/fd/1 | cat > OUT',
                                 f'{line} /proc/self/fd/3 3>&1 | cat > OUT', f'{line} --segment 3 >(cat > OUT); wait $!')):
        out = work / f'{i}.mkv'
        run = subprocess.run(['bash', '-c', command.replace('OUT', f'"{out}"')], capture_output=True, text=True)
        equal((run.returncode, run.stderr), (0, ''), f'exit code and messages of {command}')
        equal(frame_hashes(out), frame_hashes(work / 'want.mkv'), f'frames of {command}')
    run = subprocess.run(['bash', '-c', f'{line} --dry-run /dev/stdout | cat'], capture_output=True, text=True)
    check('nothing was written' in run.stdout and 'exists' not in run.stdout, run.stdout + run.stderr)


@test('a file that replaces another keeps its permissions')
def _(work):
    clip(work / 'in.mkv', frames=3)
    for mode in (0o600, 0o640, 0o755, 0o666):
        for name in ('out.mkv', 'link.mkv'):
            (work / 'out.mkv').write_text('old')
            (work / 'out.mkv').chmod(mode)
            if name == 'link.mkv' and not (work / name).exists():
                (work / name).symlink_to('out.mkv')
            dain('-q', '-y', '--segment', '2', work / 'in.mkv', work / name)
            equal(oct((work / 'out.mkv').stat().st_mode & 0o777), oct(mode), f'mode of {name}')
    dain('-q', work / 'in.mkv', work / 'new.mkv')
    (work / 'empty').touch()
    equal((work / 'new.mkv').stat().st_mode, (work / 'empty').stat().st_mode, 'mode of a new file')


@test('a reader of standard output that goes away ends it with a line')
def _(work):
    clip(work / 'in.mkv', size='320x240', frames=60)
    process = subprocess.Popen([DAIN, '-q', work / 'in.mkv', '-'], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdout.read(1000)
    process.stdout.close()
    error = process.stderr.read().decode()
    process.stderr.close()
    equal(process.wait(60), 1, f'exit code ({error})')
    check('Broken pipe' in error and error.count('\n') == 1, error)


@test('GIF to GIF: source frames keep every colour, see-through stays so, times are right')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=64x48:rate=10:duration=1', '-vf',
           "format=rgba,geq=r='r(X\\,Y)':g='g(X\\,Y)':b='b(X\\,Y)':a='if(lt(X\\,16)\\,0\\,255)',split[a][b];[a]palettegen=reserve_transparent=1[p];[b][p]paletteuse",
           work / 'in.gif')
    run = dain('--loop', work / 'in.gif', work / 'out.gif')
    equal(run.stderr.count('warning'), 0, run.stderr)
    s = video(work / 'out.gif')
    equal((s['codec_name'], s['avg_frame_rate']), ('gif', '20/1'), 'stream')
    source, out = raw_frames(work / 'in.gif', 'bgra'), raw_frames(work / 'out.gif', 'bgra')
    equal(len(out), 20, 'frames')
    check(out[::2] == source, 'a source frame has changed')
    for frame in out[1::2]:
        clear = sum(a < 128 for a in frame[3::4]) / (64 * 48)
        check(abs(clear - 0.25) < 0.02, f'{clear:.2f} of a new frame is clear, not a quarter')
    equal(frame_times(work / 'out.gif'), [Fraction(k, 20) for k in range(20)], 'times')
    run = dain('-y', '--fps', '60', work / 'in.gif', work / 'out.gif')
    check('50 frames a second at most' in run.stderr, run.stderr)


def plays(path):
    """How often an animated picture is played, by its bytes: 0 for ever."""
    data = path.read_bytes()
    if data.startswith(b'GIF'):
        at = data.find(b'NETSCAPE2.0')
        count = int.from_bytes(data[at + 13:at + 15], 'little')
        return 1 if at < 0 else count + 1 if count else 0
    at = data.index(b'acTL')
    return int.from_bytes(data[at + 8:at + 12], 'big')


@test('GIF and APNG are played as often as the source, for ever where that does not say')
def _(work):
    source = ('-f', 'lavfi', '-i', 'testsrc2=size=32x32:rate=10:duration=0.4')
    for name, *how in (('endless.gif', '-loop', 0), ('once.gif', '-loop', -1), ('six.gif', '-loop', 5),
                       ('endless.apng', '-plays', 0), ('once.apng', '-plays', 1), ('six.apng', '-plays', 6)):
        ffmpeg(*source, *how, work / name)
        want = {'endless': 0, 'once': 1, 'six': 6}[name.split('.')[0]]
        equal(plays(work / name), want, f'plays of {name}')
        for out in ('gif', 'apng'):
            dain('-q', '-y', '--segment', 3, work / name, work / f'out.{out}')
            equal(plays(work / f'out.{out}'), want, f'plays of {name} as {out}')
            dain('-q', '-y', '--loop', work / name, work / f'out.{out}')
            # What leads back to its beginning is not to stop there.
            equal(plays(work / f'out.{out}'), want if want > 1 else 0, f'plays of {name} as {out} with --loop')
    # The extension stands behind a comment; the count is the greatest; the file comes through a pipe.
    ffmpeg(*source, '-loop', 65535, work / 'much.gif')
    data = (work / 'much.gif').read_bytes()
    at = data.index(b'\x21\xff\x0bNETSCAPE2.0')
    (work / 'late.gif').write_bytes(data[:at] + b'\x21\xfe' + (b'\xff' + bytes(255)) * 20 + b'\0' + data[at:])
    dain('-q', '-y', work / 'late.gif', work / 'out.gif')
    equal(plays(work / 'out.gif'), 65536, 'plays behind a comment')
    dain('-q', '-y', work / 'late.gif', work / 'out.apng')
    equal(plays(work / 'out.apng'), 65535, 'plays of APNG at most')
    run = subprocess.run(f'cat "{work}/six.gif" | "{DAIN}" -q -y - "{work}/out.gif"', shell=True)
    equal((run.returncode, plays(work / 'out.gif')), (0, 6), 'exit code and plays through a pipe')
    clip(work / 'in.mp4', frames=4)
    for out in ('gif', 'apng'):
        dain('-q', '-y', work / 'in.mp4', work / f'out.{out}')
        equal(plays(work / f'out.{out}'), 0, f'plays of a video as {out}')


@test('a video as GIF: 256 colours for each frame, near to its own')
def _(work):
    ffmpeg('-i', DEMO, '-frames:v', 4, '-vf', 'scale=96:54', '-an', '-c:v', 'ffv1', '-pix_fmt', 'gbrp', work / 'in.mkv')
    dain(work / 'in.mkv', work / 'out.gif')
    source, out = raw_frames(work / 'in.mkv', 'rgb24'), raw_frames(work / 'out.gif', 'rgb24')
    equal(len(out), 8, 'frames')
    for a, b in zip(source, out[::2]):
        check(sum(abs(x - y) for x, y in zip(a, b)) / len(a) < 6, 'colours are far off')
    for frame in out:
        check(len({frame[i:i + 3] for i in range(0, len(frame), 3)}) <= 256, 'more than 256 colours')


@test('--container: Matroska through a pipe with its sound, a name without an end; what cannot be is refused')
def _(work):
    clip(work / 'v.mkv', frames=6)
    ffmpeg('-i', work / 'v.mkv', '-f', 'lavfi', '-i', 'sine=duration=0.24', '-c:v', 'copy', '-c:a', 'aac', work / 'in.mkv')
    dain('-q', '-c', 'ffv1', work / 'in.mkv', work / 'want.mkv')
    with open(work / 'out.mkv', 'wb') as out:
        run = subprocess.run([DAIN, '-q', '-c', 'ffv1', '--container', 'mkv', work / 'in.mkv', '-'], stdout=out,
                             stderr=subprocess.PIPE, text=True)
    equal((run.returncode, run.stderr), (0, ''), 'exit code and messages')
    equal([s['codec_name'] for s in streams(work / 'out.mkv')], ['ffv1', 'aac'], 'streams')
    equal(frame_hashes(work / 'out.mkv'), frame_hashes(work / 'want.mkv'), 'frames')
    equal(packet_hashes(work / 'out.mkv', 1), packet_hashes(work / 'in.mkv', 1), 'sound')
    dain('-q', '--container', 'nut', work / 'in.mkv', work / 'film')
    check(probe(work / 'film', '-show_format')['format']['format_name'] == 'nut', 'no NUT file')
    one_line(subprocess.run([DAIN, '--container', 'mp4', work / 'in.mkv', '-'], capture_output=True, text=True), 'mp4')
    for wrong in ('png', 'nonsense', 'mp3', 'hls', 'image2'):
        one_line(dain('--container', wrong, work / 'in.mkv', work / 'x.mkv', code=2), '--container')
    one_line(dain('--container', 'mkv', work / 'in.mkv', work / '%d.png', code=1), '--container')
    nothing_left(work, 'v.mkv', 'in.mkv', 'want.mkv', 'out.mkv', 'film')


main()
