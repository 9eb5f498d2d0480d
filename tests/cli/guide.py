"""The user's guide and the answers to complaints: every command in them works. The files that they
name are made small here.

A block is run as one shell script. The comment after a block says what must come out:
NAME: N fps, N frames, N files, WxH, a codec, a pixel format, a transfer, xN (times as long as
clip.mp4), as long as FILE.
"""
import re

from harness import *

GUIDE = (ROOT / 'docs' / 'guide.md').read_text()
COMPLAINTS = (ROOT / 'docs' / 'complaints.md').read_text()


def source(path, rate, frames, *more, size='96x64', codec=('-c:v', 'libx264', '-qp', '0'), sound=True, vf='null'):
    """A moving picture, with sound unless told otherwise."""
    seconds = f'{frames / float(rate):.4f}'
    ffmpeg('-f', 'lavfi', '-i', f'testsrc2=size={size}:rate={rate}:duration={seconds}',
           *(('-f', 'lavfi', '-i', f'sine=duration={seconds}', '-c:a', 'aac') if sound else ()),
           '-vf', vf, *codec, *more, path)


def stand_ins(work):
    (work / 'film.srt').write_text('1\n00:00:00,100 --> 00:00:00,400\nNow.\n')
    source(work / 'sound.mkv', '24', 16)
    ffmpeg('-i', work / 'sound.mkv', '-i', work / 'film.srt', '-map', 0, '-map', 1, '-c', 'copy', work / 'film.mkv')
    source(work / 'still.mkv', '24', 5, sound=False, vf='select=eq(n\\,0),loop=5:1,setpts=N/24/TB')
    source(work / 'odd.mkv', '24', 4, codec=('-c:v', 'ffv1'), sound=False, vf='format=yuv444p,scale=63:49')
    source(work / 'sprite.mkv', '24', 4, codec=('-c:v', 'ffv1', '-pix_fmt', 'gbrap'), sound=False,
           vf='format=gbrap,geq=r=p(X\\,Y):g=p(X\\,Y):b=p(X\\,Y):a=X*2')
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=96x64:rate=24:duration=0.25', '-f', 'lavfi', '-i',
           'mandelbrot=size=96x64:rate=24', '-filter_complex',
           '[1]trim=end_frame=6,setpts=PTS-STARTPTS[b];[0][b]concat', '-c:v', 'libx264', '-qp', 0, work / 'cuts.mkv')
    source(work / 'clip.mp4', '25', 8)
    source(work / 'anime.mkv', '24', 16, vf="select='not(mod(n\\,2))',fps=24")
    source(work / 'hdr.mkv', '24', 6, '-pix_fmt', 'yuv420p10le', '-color_trc', 'smpte2084', '-color_primaries',
           'bt2020', '-colorspace', 'bt2020nc', codec=('-c:v', 'libx265', '-x265-params', 'log-level=error'))
    source(work / 'turn.gif', '10', 8, codec=(), sound=False)
    source(work / 'camera.mp4', '5', 5, sound=False)
    source(work / 'screen.mkv', '30', 12, '-fps_mode', 'vfr', sound=False, vf="select='mod(n\\,5)'")
    source(work / 'tape.mkv', '25', 6, '-flags', '+ildct+ilme', vf='fps=50,interlace',
           codec=('-c:v', 'mpeg2video', '-q:v', '2'))
    (work / 'frames').mkdir()
    clip(work / 'frames' / '%04d.png', frames=6, size='96x64', codec=())
    (work / 'holiday').mkdir()
    for name in ('day1.mp4', 'day2.mkv'):
        source(work / 'holiday' / name, '25', 4)
    (work / 'holiday' / 'notes.txt').write_text('sunny')


def length(path):
    return float(probe(path, '-show_format')['format']['duration'])


def outcome(work, name, want):
    path = work / name
    check(path.exists(), f'{name} is not there')
    if want.endswith(' files'):
        return equal(len(list(path.iterdir())), int(want.split()[0]), f'number of files in {name}')
    if re.fullmatch(r'x\d+', want):
        times = length(path) / (8 / 25)
        return check(abs(times - int(want[1:])) < 0.3, f'{name} is {times:.2f} times as long')
    if want.startswith('as long as '):
        other = length(work / want.split()[-1])
        return check(abs(length(path) - other) < 0.1, f'{name} lasts {length(path)}, not {other}')
    s = video(path)
    if want.endswith(' frames'):
        return equal(len(frame_times(path)), int(want.split()[0]), f'number of frames in {name}')
    if re.fullmatch(r'\d+x\d+', want):
        return equal(f'{s["width"]}x{s["height"]}', want, f'size of {name}')
    if want.endswith(' fps'):
        times = frame_times(path)
        rate = Fraction(want.split()[0])
        for i, t in enumerate(times):
            check(abs(t - times[0] - i / rate) <= Fraction(1, 900), f'{name}: frame {i} at {float(t)}')
        return None
    return check(want in (s['codec_name'], s['pix_fmt'], s.get('color_transfer')), f'{name} is not {want}: {s}')


def run_page(work, text, least):
    """Runs all blocks of a page; there must be at least so many commands."""
    stand_ins(work)
    (work / 'bin').mkdir()
    (work / 'bin' / 'dain').symlink_to(DAIN)
    (work / 'bin' / 'mpv').write_text('#!/bin/sh\nexec ffmpeg -v error -i "$1" -map 0:v -map 0:a -f null -\n')
    (work / 'bin' / 'mpv').chmod(0o755)
    env = {**os.environ, 'PATH': f'{work}/bin:{os.environ["PATH"]}', 'HOME': str(work)}
    commands = 0
    for script, wants in re.findall(r'^```sh\n(.*?)^```\n(?:<!-- (.*?) -->)?', text, re.M | re.S):
        # bash -e takes no notice of what is turned around by "!".
        lines = [f'if {line[2:]}; then echo this should fail; exit 1; fi' if line.startswith('! ') else line
                 for line in script.splitlines()]
        run = subprocess.run(['bash', '-e', '-o', 'pipefail', '-c', '\n'.join(lines)], cwd=work, env=env, timeout=300,
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, errors='replace')
        if run.returncode:
            raise AssertionError(f'exit code {run.returncode} of\n{script}{run.stdout}{run.stderr}')
        commands += len(re.findall(r'^.*\bdain ', script, re.M))
        for one in filter(None, (w.strip() for w in wants.split(';'))):
            name, results = one.split(': ')
            for want in results.split(', '):
                outcome(work, name, want)
    check(commands >= least, f'{commands} commands')


@test('every command of the guide works')
def _(work):
    run_page(work, GUIDE, 30)


@test('every complaint has an answer that works')
def _(work):
    numbers = [int(n) for n in re.findall(r'\*\*(\d+)\. ', COMPLAINTS)]
    equal(numbers, list(range(1, 34)), 'numbers')
    run_page(work, COMPLAINTS, 30)


@test('the guide\'s options exist, and its configuration is accepted')
def _(work):
    known = set(re.findall(r'--([a-z-]+)', ''.join(dain(*c, '--help').stdout for c in ((), ('eval',), ('info',), ('bench',)))))
    for o in set(re.findall(r'(?<![\w-])--([a-z][a-z-]+)', GUIDE + COMPLAINTS)):
        check(o in known | {'version', 'completion'}, f'--{o} is no option')
    text = re.search(r'^    # mine\n(?:    .*\n)+', GUIDE, re.M).group(0)
    (work / 'config').write_text(text)
    clip(work / 'in.mp4', frames=3)
    out = dain('--config', work / 'config', '--dry-run', work / 'in.mp4', work / 'out.mp4').stdout
    check('60 fps' in out and 'libx265' in out, out)


@test('its links lead somewhere')
def _(work):
    for target in re.findall(r'\]\(([^)]+)\)', GUIDE + COMPLAINTS):
        if target.startswith('#'):
            heads = [re.sub(r'[^\w -]', '', h.lower()).replace(' ', '-') for h in re.findall(r'^#+ (.*)$', GUIDE, re.M)]
            check(target[1:] in heads, f'{target} is no heading')
        else:
            check((ROOT / 'docs' / target).exists(), f'{target} does not exist')


main()
