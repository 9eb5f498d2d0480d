"""Bad input: one clear line, an exit code that is not zero, nothing under the final name."""
import random

from harness import *


def refused(work, *args, says=(), code=1, keeps=()):
    run = dain(*args, code=code)
    one_line(run, *says)
    nothing_left(work, *keeps)
    return run


@test('a missing file, a folder, an empty file and a text are refused')
def _(work):
    out = work / 'out.mp4'
    refused(work, work / 'no.mp4', out, says=('no.mp4', 'No such file'))
    refused(work, work, out, says=('no pictures in this folder',))
    (work / 'empty.mp4').touch()
    refused(work, work / 'empty.mp4', out, says=('empty.mp4 is empty',), keeps=['empty.mp4'])
    (work / 'empty.mp4').unlink()
    (work / 'text.mp4').write_text('This is not a video.\n' * 100)
    refused(work, work / 'text.mp4', out, says=('text.mp4',), keeps=['text.mp4'])


@test('sound alone, and sound with cover art, have no video stream')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'sine=duration=0.2', work / 'a.m4a')
    refused(work, work / 'a.m4a', work / 'out.mp4', says=('a.m4a has no video stream',),
            keeps=['a.m4a'])
    ffmpeg('-f', 'lavfi', '-i', 'color=red:size=32x32', '-frames:v', 1, work / 'c.png')
    ffmpeg('-i', work / 'a.m4a', '-i', work / 'c.png', '-map', 0, '-map', 1, '-c', 'copy',
           '-disposition:v:0', 'attached_pic', work / 'b.m4a')
    for name in ('a.m4a', 'c.png'):
        (work / name).unlink()
    refused(work, work / 'b.m4a', work / 'out.mp4', says=('no video stream',), keeps=['b.m4a'])


@test('a truncated file: what is there is made, and the exit code says so')
def _(work):
    clip(work / 'whole.mkv', frames=40, codec=('-c:v', 'libx264', '-g', '5'))
    clip(work / 'whole.mp4', frames=40, codec=('-c:v', 'libx264', '-g', '5', '-movflags', 'faststart'))
    for name in ('whole.mkv', 'whole.mp4'):
        data = (work / name).read_bytes()
        part = work / f'part{name[5:]}'
        part.write_bytes(data[:len(data) * 6 // 10])
        run = dain('-y', part, work / 'out.mp4', code=3)
        check('is damaged' in run.stderr and 'frames could be used' in run.stderr, run.stderr)
        count = len(frame_hashes(work / 'out.mp4'))
        check(20 <= count < 80, f'{count} frames')


@test('a file without its index, or with nothing that decodes, leaves nothing')
def _(work):
    clip(work / 'whole.mp4', frames=10)
    data = (work / 'whole.mp4').read_bytes()
    (work / 'whole.mp4').unlink()
    (work / 'in.mp4').write_bytes(data[:data.index(b'moov') - 4])
    refused(work, work / 'in.mp4', work / 'out.mp4', says=('in.mp4',), keeps=['in.mp4'])
    at = data.index(b'mdat') + 4
    size = int.from_bytes(data[at - 8:at - 4], 'big') - 8
    (work / 'in.mp4').write_bytes(data[:at] + bytes(size) + data[at + size:])
    refused(work, work / 'in.mp4', work / 'out.mp4', says=('in.mp4',), keeps=['in.mp4'])


@test('cut at a hundred points, a file never crashes, hangs or leaves a stump')
def _(work):
    clip(work / 'whole.mkv', frames=6, size='32x32')
    clip(work / 'whole.mp4', frames=6, size='32x32', extra=('-movflags', 'faststart'))
    for name in ('whole.mkv', 'whole.mp4'):
        data = (work / name).read_bytes()
        for i in range(50):
            (work / 'in').write_bytes(data[:len(data) * i // 50])
            run = dain('-q', '-y', work / 'in', work / 'out.mkv', code=None, timeout=30)
            check(run.returncode in (0, 1, 3), f'{name} cut at {i}/50: exit code {run.returncode}')
            there = (work / 'out.mkv').exists()
            check(there == (run.returncode != 1), f'{name} cut at {i}/50: output {there}')
            if there:
                check(len(frame_hashes(work / 'out.mkv')) > 0, 'no frame in the output')
                (work / 'out.mkv').unlink()
            nothing_left(work, 'in', 'whole.mkv', 'whole.mp4')


@test('random damage never crashes or hangs it')
def _(work):
    rng = random.Random(7)
    names = []
    for name, codec in (('a.mkv', ('-c:v', 'libx264', '-g', '4')), ('b.mp4', ('-c:v', 'mpeg4')),
                        ('c.ts', ('-c:v', 'mpeg2video')), ('d.avi', ('-c:v', 'ffv1'))):
        clip(work / name, frames=8, size='32x32', codec=codec)
        names.append(name)
    for i in range(60):
        data = bytearray((work / names[i % 4]).read_bytes())
        for _ in range(rng.choice((1, 5, 40))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        (work / 'in').write_bytes(data)
        run = dain('-q', '-y', work / 'in', work / 'out.mkv', code=None, timeout=60)
        check(run.returncode in (0, 1, 3), f'{i} ({names[i % 4]}): exit code {run.returncode}: '
                                           f'{run.stderr}')
        check((work / 'out.mkv').exists() == (run.returncode != 1), f'{i}: output')
        (work / 'out.mkv').unlink(missing_ok=True)


@test('broken packets in the middle are skipped and counted')
def _(work):
    clip(work / 'in.mkv', frames=20, codec=('-c:v', 'libx264', '-g', '1', '-bf', '0', '-qp', '20'))
    data = bytearray((work / 'in.mkv').read_bytes())
    at = len(data) // 2
    data[at:at + 700] = bytes(700)
    (work / 'in.mkv').write_bytes(data)
    run = dain(work / 'in.mkv', work / 'out.mp4', code=3)
    check('is damaged' in run.stderr, run.stderr)
    check(len(frame_hashes(work / 'out.mp4')) > 20, 'too few frames')


@test('an output that exists is kept unless -y says otherwise')
def _(work):
    clip(work / 'in.mp4', frames=3)
    (work / 'out.mp4').write_text('precious')
    refused(work, work / 'in.mp4', work / 'out.mp4', says=('out.mp4 exists already',),
            keeps=['in.mp4', 'out.mp4'])
    equal((work / 'out.mp4').read_text(), 'precious', 'the old file')
    dain('-y', work / 'in.mp4', work / 'out.mp4')
    equal(len(frame_hashes(work / 'out.mp4')), 6, 'frame count')


@test('the input is never the output, by another name neither')
def _(work):
    clip(work / 'in.mp4', frames=3)
    before = (work / 'in.mp4').read_bytes()
    (work / 'link.mp4').symlink_to('in.mp4')
    os.link(work / 'in.mp4', work / 'hard.mp4')
    for name in ('in.mp4', 'link.mp4', 'hard.mp4', '../' + work.name + '/in.mp4'):
        refused(work, '-y', work / 'in.mp4', work / name, says=('is the input itself',),
                keeps=['hard.mp4', 'in.mp4', 'link.mp4'])
    equal((work / 'in.mp4').read_bytes(), before, 'the input')


@test('a symbolic link as output is followed')
def _(work):
    clip(work / 'in.mp4', frames=3)
    (work / 'there.mp4').write_text('old')
    (work / 'link.mp4').symlink_to('there.mp4')
    dain('-y', work / 'in.mp4', work / 'link.mp4')
    check((work / 'link.mp4').is_symlink(), 'the link is gone')
    equal(len(frame_hashes(work / 'there.mp4')), 6, 'frame count')


@test('outputs that cannot be written are refused before any work')
def _(work):
    clip(work / 'in.mp4', frames=3)
    refused(work, work / 'in.mp4', work / 'no' / 'out.mp4', says=('cannot write',), keeps=['in.mp4'])
    refused(work, work / 'in.mp4', work, says=('is a folder',), keeps=['in.mp4'])
    (work / 'dir.mp4').mkdir()
    refused(work, '-y', work / 'in.mp4', work / 'dir.mp4', says=('is a folder',),
            keeps=['dir.mp4', 'in.mp4'])
    refused(work, work / 'in.mp4', work / 'out.xyz', says=('does not tell a video container', '.mkv'),
            keeps=['dir.mp4', 'in.mp4'])
    refused(work, work / 'in.mp4', work / 'out', says=('does not tell a video container',),
            keeps=['dir.mp4', 'in.mp4'])
    if os.geteuid():
        (work / 'dir.mp4').chmod(0o500)
        refused(work, work / 'in.mp4', work / 'dir.mp4' / 'out.mp4', says=('cannot write',),
                keeps=['dir.mp4', 'in.mp4'])


@test('a codec that the container cannot hold is refused, and what works is named')
def _(work):
    clip(work / 'in.mp4', frames=3)
    refused(work, '-c', 'ffv1', work / 'in.mp4', work / 'out.mp4', says=('mp4', 'ffv1', 'here work: libx264', '.mkv'),
            keeps=['in.mp4'])
    refused(work, '-c', 'libx264', work / 'in.mp4', work / 'out.webm', says=('webm', 'h264', 'libvpx-vp9'),
            keeps=['in.mp4'])
    refused(work, '-c', 'nonsense', work / 'in.mp4', work / 'out.mp4', code=2, says=('no video encoder nonsense',),
            keeps=['in.mp4'])
    refused(work, '-e', 'nonsense=1', work / 'in.mp4', work / 'out.mp4', says=('has no option nonsense',),
            keeps=['in.mp4'])


@test('a full disk ends with a line and no file')
def _(work):
    clip(work / 'in.mp4', frames=30, size='128x96')
    (work / 'full.mkv').symlink_to('/dev/full')
    one_line(dain(work / 'in.mp4', work / 'full.mkv', code=1), 'No space left on device')
    if os.geteuid():
        raise Skip('the rest needs to mount a small disk')
    small = work / 'small'
    small.mkdir()
    mount = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small],
                           capture_output=True)
    if mount.returncode:
        raise Skip('the rest needs to mount a small disk')
    try:
        for name in ('out.mkv', 'out.mp4'):
            one_line(dain('--crf', '0', work / 'in.mp4', small / name, code=1),
                     'No space left on device')
            nothing_left(small)
    finally:
        subprocess.run(['umount', small], check=True)


@test('wrong, empty and truncated models are refused')
def _(work):
    clip(work / 'in.mp4', frames=3)
    model = (ROOT / 'models' / 'edge.safetensors').read_bytes()
    for name, data in (('text', b'hello' * 100), ('empty', b''), ('short', model[:len(model) // 2]),
                       ('head', model[:64]), ('huge', b'\xff' * 8 + model[8:4096])):
        (work / 'm.safetensors').write_bytes(data)
        refused(work, '-m', work / 'm.safetensors', work / 'in.mp4', work / 'out.mp4',
                says=('m.safetensors',), keeps=['in.mp4', 'm.safetensors'])
    (work / 'm.safetensors').unlink()
    refused(work, '-m', work / 'no.safetensors', work / 'in.mp4', work / 'out.mp4',
            says=('no.safetensors',), keeps=['in.mp4'])


@test('a video smaller than 16 pixels is refused')
def _(work):
    clip(work / 'in.mkv', size='16x8', frames=3, vf='scroll=h=0.2', codec=('-c:v', 'ffv1'))
    refused(work, work / 'in.mkv', work / 'out.mkv', says=('16',), keeps=['in.mkv'])


@test('interlaced video is refused with advice, unless its flag is wrong')
def _(work):
    clip(work / 'in.mkv', frames=6, codec=('-c:v', 'libx264', '-flags', '+ildct+ilme'),
         vf='setfield=tff', extra=('-field_order', 'tt'))
    refused(work, work / 'in.mkv', work / 'out.mkv', says=('interlaced', 'top field first', 'bwdif', '--deinterlace'),
            keeps=['in.mkv'])
    dain('--progressive', work / 'in.mkv', work / 'out.mkv')
    equal(len(frame_hashes(work / 'out.mkv')), 12, 'frame count')


@test('lack of memory ends with a line, wherever it strikes')
def _(work):
    clip(work / 'in.mkv', size='32x32', frames=3)
    for n, more in [*((n, ()) for n in [*range(1, 60), *range(60, 400, 17)]),
                    *((n, ('--dedup',)) for n in range(200, 640, 8))]:
        run = dain('-q', '-y', '-j', '1', *more, work / 'in.mkv', work / 'out.mkv', code=None,
                   env={'DAIN_FAIL_ALLOC': str(n)}, timeout=60)
        check(run.returncode in (0, 1), f'allocation {n}: exit code {run.returncode}: {run.stderr}')
        if run.returncode == 1:
            one_line(run, 'memory')
        equal((work / 'out.mkv').exists(), run.returncode == 0, f'output, allocation {n}')
        (work / 'out.mkv').unlink(missing_ok=True)
        nothing_left(work, 'in.mkv')


main()
