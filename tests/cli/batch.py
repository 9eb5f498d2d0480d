"""Several videos at once."""
import signal

from harness import *


def files(folder):
    return sorted(p.name for p in folder.iterdir())


def prepare(work):
    """A folder as people have them: videos, a broken one, and what is no video."""
    folder = work / 'in'
    folder.mkdir()
    for name in ('clip10.mp4', 'clip2.mkv', 'old.m4v'):
        clip(folder / name, frames=3)
    (folder / 'broken.mp4').write_bytes(b'no video')
    (folder / 'notes.txt').write_text('notes')
    (folder / '.hidden.mp4').write_text('')
    (folder / 'sub.mp4').mkdir()
    return folder


@test('a folder: every video is made, failures are counted, the exit code tells')
def _(work):
    folder = prepare(work)
    run = dain('--batch', folder, work / 'out', code=1)
    equal(files(work / 'out'), ['clip10.mp4', 'clip2.mkv', 'old.mp4'], 'results')
    equal(len(frame_hashes(work / 'out' / 'clip2.mkv')), 6, 'frames')
    check('4 videos in' in run.stderr and '3 done, 0 damaged, 0 there already, 1 failed' in run.stderr, run.stderr)
    table = run.stderr.split('result    frames')[1]
    for name, says in (('broken.mp4', 'failed: '), ('clip2.mkv', 'done'), ('clip10.mp4', 'done'), ('old.m4v', 'done')):
        check(any(name in line and says in line for line in table.splitlines()), f'no {name} in {table}')
    check(table.index('clip2.mkv') < table.index('clip10.mp4'), 'numbers are not sorted as numbers')
    check('3 -> 6' in table, table)
    check('1 file not named like a video left out' in run.stderr, run.stderr)


@test('the part that an interrupted run leaves is not taken for the whole by the next one')
def _(work):
    folder = work / 'in'
    folder.mkdir()
    clip(folder / 'one.mkv', size='640x480', frames=150, codec=('-c:v', 'libx264', '-preset', 'ultrafast'))
    process = subprocess.Popen([DAIN, '-j', '1', '--progress', 'json', '--batch', folder, work / 'out'],
                               stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if '"new":4' in line:
            break
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=60)[1]
    equal(process.returncode, 130, error)
    equal(files(work / 'out'), ['one.unfinished.mkv'], error)
    one_line(dain('--batch', folder, '--scenes', work / 'cuts.txt', work / 'out2', code=2), '--scenes')
    run = dain('--batch', folder, work / 'out', '--end', '0.5')
    check('1 done' in run.stderr and '0 there already' in run.stderr, run.stderr)


@test('what exists is left alone, unless -y is given')
def _(work):
    folder = prepare(work)
    (folder / 'broken.mp4').unlink()
    (work / 'out').mkdir()
    (work / 'out' / 'clip2.mkv').write_text('mine')
    run = dain('--batch', folder, '-o', work / 'out')
    check('2 done, 0 damaged, 1 there already, 0 failed' in run.stderr, run.stderr)
    equal((work / 'out' / 'clip2.mkv').read_text(), 'mine', 'the file that was there')
    run = dain('--batch', folder, work / 'out')
    check('0 done, 0 damaged, 3 there already' in run.stderr, run.stderr)
    run = dain('-y', '--batch', folder, work / 'out')
    check('3 done' in run.stderr, run.stderr)
    equal(len(frame_hashes(work / 'out' / 'clip2.mkv')), 6, 'frames')


@test('several names and a folder; names that would be the same')
def _(work):
    for sub in ('a', 'b'):
        (work / sub).mkdir()
        clip(work / sub / 'x.mkv', frames=3)
    clip(work / 'y.mkv', frames=3)
    dain(work / 'a' / 'x.mkv', work / 'y.mkv', f'{work}/out/')
    equal(files(work / 'out'), ['x.mkv', 'y.mkv'], 'results')
    run = dain('-y', work / 'a' / 'x.mkv', work / 'b' / 'x.mkv', work / 'out', code=1)
    check('would both become' in run.stderr and '1 done' in run.stderr, run.stderr)
    data = (work / 'y.mkv').read_bytes()
    dain('-q', '-y', work / 'y.mkv', work / 'a' / 'x.mkv', work, code=1)
    equal((work / 'y.mkv').read_bytes(), data, 'an input')


@test('a damaged one gives exit code 3; with -q only errors are said; JSON counts')
def _(work):
    (work / 'in').mkdir()
    clip(work / 'in' / 'a.mkv', frames=100, codec=('-c:v', 'ffv1'))
    data = (work / 'in' / 'a.mkv').read_bytes()
    (work / 'in' / 'a.mkv').write_bytes(data[:len(data) // 3])
    clip(work / 'in' / 'b.mkv', frames=3)
    run = dain('-q', '--batch', work / 'in', work / 'out', code=3)
    one_line(run, 'a.mkv is damaged')
    run = dain('-y', '--progress', 'json', '--batch', work / 'in', work / 'out', code=3)
    last = json.loads(run.stderr.splitlines()[-1])
    equal([last[k] for k in ('event', 'done', 'damaged', 'skipped', 'failed', 'waiting')],
          ['batch', 1, 1, 0, 0, 0], 'last event')
    documented = (ROOT / 'docs' / 'progress.md').read_text()
    check(all(f'`{key}`' in documented for key in last), f'not all keys are documented: {last}')


@test('Ctrl-C ends all of it')
def _(work):
    (work / 'in').mkdir()
    for name in ('a.mkv', 'b.mkv'):
        clip(work / 'in' / name, frames=60, size='640x480')
    run = subprocess.Popen([DAIN, '--progress', 'json', '--batch', work / 'in', work / 'out'],
                           stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    lines = []
    for line in run.stderr:
        lines.append(json.loads(line))
        if lines[-1]['event'] == 'progress' and not any(e['event'] == 'progress' for e in lines[:-1]):
            run.send_signal(signal.SIGINT)
    equal(run.wait(), 130, 'exit code')
    equal((lines[-1]['event'], lines[-1]['waiting']), ('batch', 2), 'last event')
    check(not (work / 'out' / 'b.mkv').exists(), 'the second one')


@test('mistakes are told')
def _(work):
    clip(work / 'a.mkv', frames=3)
    one_line(dain('--batch', work, code=2), 'needs a folder for the results')
    one_line(dain('--batch', work, work / 'a.mkv', work / 'out', code=2), 'not both')
    one_line(dain('--batch', work, work, code=1), 'folder of their own')
    one_line(dain('--batch', work / 'no', work / 'out', code=1), 'no: No such file')
    (work / 'empty').mkdir()
    one_line(dain('--batch', work / 'empty', work / 'out', code=1), 'no videos')
    one_line(dain('--batch', work, work / 'a.mkv', code=1), 'is no folder')
    one_line(dain('--batch', work, '--preview', 3, work / 'out', code=2), '--preview')


main()
