"""--resume together with everything that looks back, counts, or writes something beside the video."""
import re
import signal

from dying import *


def summary(error):
    """What the closing line says, but for the time it took."""
    lines = [line for line in error.splitlines() if ' -> ' in line and ' fps' in line and 'repeated' in line]
    check(lines, f'no summary: {error}')
    return re.sub(r',? in \d+:.*', '', lines[-1].split(': ', 1)[1])


def everything(path):
    """Frames, times, and the packets of all other streams."""
    count = len(streams(path))
    return (frame_hashes(path), frame_times(path), [packet_hashes(path, i) for i in range(1, count)])


def survives(work, *args, source_file='in.mkv', kills=(2,)):
    """A run that is killed when so many segments are complete, and goes on, makes what an undisturbed one
    makes. Returns what the last run said."""
    whole = dain(*FAST, '-v', *args, work / source_file, work / 'whole.mkv')
    for i, count in enumerate(kills):
        kill_after(work, 'out.mkv', count, *FAST, *args, *(('--resume',) if i else ()), work / source_file,
                   work / 'out.mkv')
    again = dain(*FAST, '-v', '--resume', *args, work / source_file, work / 'out.mkv').stderr
    check('going on after frame' in again, f'it began anew: {again}')
    for got, want, what in zip(everything(work / 'out.mkv'), everything(work / 'whole.mkv'),
                               ('frames', 'times', 'packets of other streams')):
        equal(got, want, f'{what} with {args}')
    equal(summary(again), summary(whole.stderr), f'summary with {args}')
    for name in ('out.mkv', 'whole.mkv'):
        (work / name).unlink()
    return again


def with_logo(work):
    """A moving picture under a logo that stands still, with cuts, a flash and repeated frames."""
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=160x96:rate=25:duration=3.6',
           '-f', 'lavfi', '-i', 'mandelbrot=size=160x96:rate=25:start_scale=0.3',
           '-f', 'lavfi', '-i', 'sine=duration=3.6', '-filter_complex',
           "[0][1]overlay=enable='between(t,1,1.8)+between(t,2.6,3)',"
           'drawbox=x=8:y=8:w=32:h=16:c=white:t=fill,drawbox=x=14:y=12:w=20:h=8:c=black:t=fill[v]', '-map', '[v]',
           '-map', '2', '-frames:v', 90, '-c:v', 'libx264', '-qp', '0', '-g', '20', '-c:a', 'aac', work / 'in.mkv')


@test('what stands still is counted as if nothing had happened, and so are cuts')
def _(work):
    with_logo(work)
    said = survives(work, kills=(1, 3))
    check(re.search(r'still things held in [1-9]', said) and re.search(r'[1-9] cut', said), said)


@test('doubtful frames, sharpening, motion on denoised copies')
def _(work):
    with_logo(work)
    survives(work, '--fallback', '0.9', '--match', '--denoise-flow')


@test('the list of cuts is whole after a kill')
def _(work):
    with_logo(work)
    dain('-q', *FAST, '--scenes', work / 'want.txt', work / 'in.mkv', work / 'whole.mkv')
    (work / 'whole.mkv').unlink()
    args = (*FAST, '--scenes', work / 'cuts.txt', work / 'in.mkv', work / 'out.mkv')
    kill_after(work, 'out.mkv', 3, *args)
    check(not (work / 'cuts.txt').exists(), 'a list of a part')
    dain('-q', '--resume', *args)
    equal((work / 'cuts.txt').read_text(), (work / 'want.txt').read_text(), 'list of cuts')
    check(len((work / 'want.txt').read_text().splitlines()) >= 3, 'too few cuts to tell')
    # Cuts from a list that came from elsewhere.
    (work / 'out.mkv').unlink()
    survives(work, '--scene-list', work / 'want.txt')
    nothing_left(work, 'in.mkv', 'cuts.txt', 'want.txt')


@test('a list of cuts, where only the join is missing')
def _(work):
    import resource
    with_logo(work)
    dain('-q', *FAST, '--scenes', work / 'want.txt', work / 'in.mkv', work / 'whole.mkv')
    size = (work / 'whole.mkv').stat().st_size * 2 // 3
    args = (*FAST, '--scenes', work / 'cuts.txt', work / 'in.mkv', work / 'out.mkv')
    dain('-q', *args, code=1, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
    equal(closed(work, 'out.mkv'), 6, 'segments')
    dain('-q', '--resume', *args)
    equal((work / 'cuts.txt').read_text(), (work / 'want.txt').read_text(), 'list of cuts')
    equal(frame_hashes(work / 'out.mkv'), frame_hashes(work / 'whole.mkv'), 'frames')


@test('stretched sound')
def _(work):
    source(work)
    survives(work, '--slowmo', '2', '--slowmo-audio')
    survives(work, '--slowmo', '0=1,1=3,2=1')
    one = work / 'one.mkv'
    dain('-q', '--preset', 'ultrafast', '--segment', 0, '--slowmo', '2', '--slowmo-audio', work / 'in.mkv', one)
    dain('-q', *FAST, '--slowmo', '2', '--slowmo-audio', work / 'in.mkv', work / 'many.mkv')
    for i in range(1, len(streams(one))):
        equal(packet_hashes(work / 'many.mkv', i), packet_hashes(one, i), f'packets of stream {i}')


@test('a signal in slow motion leaves sound as long as the picture, and one can go on')
def _(work):
    source(work, frames=150)
    args = (*FAST, '--slowmo', '2', '--slowmo-audio', '--resume', work / 'in.mkv', work / 'out.mkv')
    process = until_closed(work, 'out.mkv', 2, *args)
    process.send_signal(signal.SIGTERM)
    error = process.communicate(timeout=60 * PATIENCE)[1]
    equal(process.returncode, 143, f'exit code ({error!r})')
    picture = float(frame_times(work / 'out.mkv')[-1])
    sound = probe(work / 'out.mkv', '-select_streams', 'a:0', '-show_entries', 'packet=pts_time')['packets']
    check(abs(float(sound[-1]['pts_time']) - picture) < 0.3, f'{sound[-1]} s of sound, {picture} of picture')
    dain('-q', *args)
    dain('-q', *FAST, '--slowmo', '2', '--slowmo-audio', work / 'in.mkv', work / 'whole.mkv')
    equal(everything(work / 'out.mkv'), everything(work / 'whole.mkv'), 'the video')


@test('rates that vary, and parts of a video')
def _(work):
    source(work, frames=100, extra=('-vf', "select='mod(n\\,3)'", '-fps_mode', 'vfr'))
    survives(work, '--vfr', '--fps', '60')
    survives(work, '--vfr')
    survives(work, '--start', '0.5', '--end', '3.5', '--factor', '5/2')


@test('chosen streams, doubled fields')
def _(work):
    source(work)
    survives(work, '--streams', 'video,audio')
    ffmpeg('-i', work / 'in.mkv', '-vf', 'tinterlace=interleave_top,fieldorder=tff', '-c:v', 'libx264', '-flags',
           '+ildct+ilme', '-c:a', 'copy', '-c:s', 'copy', work / 'fields.mkv')
    survives(work, '--deinterlace', source_file='fields.mkv')


@test('a source whose clock jumps')
def _(work):
    source(work, name='a.ts', frames=40)
    (work / 'in.ts').write_bytes((work / 'a.ts').read_bytes() * 2)
    survives(work, source_file='in.ts', kills=(1, 3))


@test('a source with damage in the middle')
def _(work):
    source(work)
    data = bytearray((work / 'in.mkv').read_bytes())
    for at in (len(data) // 4, len(data) // 2):
        data[at:at + 40] = bytes(40)
    (work / 'broken.mkv').write_bytes(data)
    whole = dain(*FAST, work / 'broken.mkv', work / 'whole.mkv', code=3).stderr
    kill_after(work, 'out.mkv', 3, *FAST, work / 'broken.mkv', work / 'out.mkv')
    again = dain(*FAST, '--resume', work / 'broken.mkv', work / 'out.mkv', code=3).stderr
    equal(everything(work / 'out.mkv'), everything(work / 'whole.mkv'), 'the video')
    equal(summary(again), summary(whole), 'summary')
    equal(again.splitlines()[-1], whole.splitlines()[-1], 'what is said of the damage')


@test('damage is told where only the join is missing')
def _(work):
    import resource
    source(work)
    data = bytearray((work / 'in.mkv').read_bytes())
    at = len(data) // 2
    data[at:at + 40] = bytes(40)
    (work / 'broken.mkv').write_bytes(data)
    whole = dain(*FAST, work / 'broken.mkv', work / 'whole.mkv', code=3).stderr
    size = (work / 'whole.mkv').stat().st_size * 2 // 3
    dain('-q', *FAST, work / 'broken.mkv', work / 'out.mkv', code=1,
         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
    again = dain(*FAST, '--resume', work / 'broken.mkv', work / 'out.mkv', code=3).stderr
    equal(everything(work / 'out.mkv'), everything(work / 'whole.mkv'), 'the video')
    equal(again.splitlines()[-1], whole.splitlines()[-1], 'what is said of the damage')


@test('pictures are not gone on with, and that is said before any work')
def _(work):
    source(work, frames=10)
    for name in ('out/', 'out/%05d.png', '-'):
        one_line(dain('-q', '--resume', work / 'in.mkv', f'{work}/{name}' if name != '-' else '-', code=None),
                 '--resume')
    check(not (work / 'out').exists(), 'a folder')


main()
