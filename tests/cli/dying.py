"""What the tests of runs that die share: a source with all kinds of streams, and the killing."""
import time

from harness import *

SEGMENT = 30
FAST = ('--preset', 'ultrafast', '--segment', SEGMENT)


def source(work, name='in.mkv', frames=80, size='160x96', extra=()):
    """With sound, subtitles, chapters, B-frames and several key frames."""
    (work / 'sub.srt').write_text('1\n00:00:00,200 --> 00:00:01,000\nHello\n\n'
                                  '2\n00:00:01,500 --> 00:00:02,000\nthere\n')
    (work / 'meta.txt').write_text(';FFMETADATA1\ntitle=A film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\n'
                                   'END=1500\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=1500\nEND=3000\n')
    seconds = frames / 25
    ffmpeg('-f', 'lavfi', '-i', f'testsrc2=size={size}:rate=25:duration={seconds}',
           '-f', 'lavfi', '-i', f'sine=duration={seconds}', '-i', work / 'sub.srt', '-i', work / 'meta.txt',
           '-map', '0', '-map', '1', '-map', '2', '-map_metadata', '3', '-c:v', 'libx264', '-crf', '20',
           '-g', '20', '-bf', '2', '-threads', '1', '-c:a', 'aac', '-c:s', 'copy', *extra, work / name)
    for extra_file in ('sub.srt', 'meta.txt'):
        (work / extra_file).unlink()
    return work / name


def segments(work, name):
    folder = work / f'.{name}.dain-segments'
    return sorted(p.name for p in folder.glob('0*')) if folder.exists() else []


def closed(work, name):
    """Segments that the journal has."""
    journal = work / f'.{name}.dain-segments' / 'journal'
    text = journal.read_text() if journal.exists() else ''
    return sum(line.startswith('segment ') for line in text.splitlines())


def start(*args):
    return subprocess.Popen([DAIN, *map(str, args)], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)


def until_closed(work, name, count, *args):
    """Starts a run and returns it when that many segments are complete."""
    process = start(*args)
    for _ in range(12000):
        if closed(work, name) >= count:
            return process
        check(process.poll() is None, f'it ended early: {process.returncode}')
        time.sleep(0.01)
    process.kill()
    raise AssertionError('it does not begin')


def kill_after(work, name, count, *args):
    """What a run leaves that is killed when so many segments are complete."""
    process = until_closed(work, name, count, *args)
    process.kill()
    process.communicate()
