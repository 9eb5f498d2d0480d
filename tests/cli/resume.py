"""Runs that die: --resume redoes only what is unfinished, and the video is as if nothing had happened."""
import random
import re
import resource
import signal
import time

from dying import *

@test('killed at twenty random moments, the video is the same')
def _(work):
    source(work)
    begun = time.monotonic()
    dain('-q', *FAST, work / 'in.mkv', work / 'whole.mkv')
    length = time.monotonic() - begun
    want = frame_hashes(work / 'whole.mkv')
    equal(len(want), 160, 'frame count')
    seed = random.randrange(1 << 30)
    dice = random.Random(seed)
    kills = 0
    while kills < 20:
        process = start('-q', *FAST, '--resume', work / 'in.mkv', work / 'out.mkv')
        try:
            error = process.communicate(timeout=dice.uniform(0.05, 1) * length)[1]
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
            if (work / 'out.mkv').exists():  # killed after the file got its name
                equal(frame_hashes(work / 'out.mkv'), want, f'frames of a file under its name (seed {seed})')
                if not closed(work, 'out.mkv'):
                    (work / 'out.mkv').unlink()
            continue
        equal(process.returncode, 0, f'exit code (seed {seed}: {error})')
        equal(frame_hashes(work / 'out.mkv'), want, f'frames after kills (seed {seed})')
        (work / 'out.mkv').unlink()
    dain('-q', *FAST, '--resume', work / 'in.mkv', work / 'out.mkv')
    equal(frame_hashes(work / 'out.mkv'), want, f'frames after kills (seed {seed})')
    nothing_left(work, 'in.mkv', 'out.mkv', 'whole.mkv')


@test('a resumed run makes only what is missing')
def _(work):
    source(work)
    kill_after(work, 'out.mkv', 3, *FAST, work / 'in.mkv', work / 'out.mkv')
    done = closed(work, 'out.mkv')
    times = {n: (work / '.out.mkv.dain-segments' / n).stat().st_mtime_ns
             for n in segments(work, 'out.mkv')[:done]}
    process = until_closed(work, 'out.mkv', done + 1, *FAST, '--resume', work / 'in.mkv', work / 'out.mkv')
    process.kill()
    process.communicate()
    for name, then in times.items():
        equal((work / '.out.mkv.dain-segments' / name).stat().st_mtime_ns, then, f'time of segment {name}')
    error = dain(*FAST, '-v', '--resume', work / 'in.mkv', work / 'out.mkv').stderr
    check(f'going on after frame {SEGMENT * (done + 1)}' in error or
          f'going on after frame {SEGMENT * (done + 2)}' in error, error)
    check('reading from its start' not in error, error)
    check('80 -> 160 frames' in error and '79 new' in error, error)


@test('a resumed run tells programs where it goes on')
def _(work):
    source(work)
    json_to = (*FAST, '--progress', 'json', '--resume', work / 'in.mkv', work / 'out.mkv')
    kill_after(work, 'out.mkv', 2, *json_to)
    done = SEGMENT * closed(work, 'out.mkv')
    events = [json.loads(line) for line in dain(*json_to).stderr.splitlines()]
    begin, end = events[0], events[-1]
    equal((begin['event'], begin['done']), ('start', done), 'the first event')
    equal((end['event'], end['frames_out'], end['resumable']), ('end', 160, 0), 'the last event')
    check(end['fps'] * end['elapsed'] <= 160 - done + 1, f'the speed counts what was done: {end}')
    check(0 < end['engine_seconds'] and end['processor_seconds'] > 0, end)


@test('with segments all streams are as without')
def _(work):
    source(work)
    for name in ('out.mkv', 'out.mp4'):
        one, many = work / f'one-{name}', work / f'many-{name}'
        dain('-q', '-c', 'libx264', '--crf', '0', '--segment', 0, work / 'in.mkv', one)
        dain('-q', '-c', 'libx264', '--crf', '0', '--segment', SEGMENT, work / 'in.mkv', many)
        equal(frame_hashes(many), frame_hashes(one), 'frames')
        equal(frame_times(many), frame_times(one), 'times')
        equal([(s['codec_name'], s.get('tags')) for s in streams(many)][1:],
              [(s['codec_name'], s.get('tags')) for s in streams(one)][1:], 'streams')
        for i in range(1, len(streams(one))):
            equal(packet_hashes(many, i), packet_hashes(one, i), f'packets of stream {i}')
        for what in ('-show_chapters', '-show_format'):
            a, b = probe(one, what), probe(many, what)
            if 'format' in a:
                a, b = a['format']['tags'], b['format']['tags']
            equal(b, a, what)


@test('a source that cannot be sought in is read from its start')
def _(work):
    source(work)
    ffmpeg('-i', work / 'in.mkv', '-map', '0:v', '-c', 'copy', '-f', 'h264', work / 'in.h264')
    kill_after(work, 'out.mkv', 2, *FAST, work / 'in.h264', work / 'out.mkv')
    error = dain(*FAST, '-v', '--resume', work / 'in.h264', work / 'out.mkv').stderr
    check('reading from its start' in error, error)
    dain('-q', *FAST, work / 'in.h264', work / 'whole.mkv')
    equal(frame_hashes(work / 'out.mkv'), frame_hashes(work / 'whole.mkv'), 'frames')


@test('so is one whose repeated frames are left out')
def _(work):
    source(work, extra=('-vf', 'setpts=N/FR/TB,framestep=2,fps=25'))
    kill_after(work, 'out.mkv', 2, *FAST, '--dedup', work / 'in.mkv', work / 'out.mkv')
    again = dain(*FAST, '--dedup', '-v', '--resume', work / 'in.mkv', work / 'out.mkv').stderr
    once = dain(*FAST, '--dedup', '-v', work / 'in.mkv', work / 'whole.mkv').stderr
    check('reading from its start' in again, again)
    equal(frame_hashes(work / 'out.mkv'), frame_hashes(work / 'whole.mkv'), 'frames')
    equal(re.findall(r'\d+ (?:new|repeated|duplicate\w*|cut)', again)[:4],
          re.findall(r'\d+ (?:new|repeated|duplicate\w*|cut)', once)[:4], 'the summary')


@test('a changed option or input is noticed and refused')
def _(work):
    source(work)
    work_out = work / 'out.mkv'
    kill_after(work, 'out.mkv', 1, *FAST, work / 'in.mkv', work_out)
    one_line(dain(*FAST, work / 'in.mkv', work_out, code=1), '--resume goes on', '-y begins anew')
    one_line(dain(*FAST, '--resume', '--crf', 30, work / 'in.mkv', work_out, code=1), '--crf', '30')
    one_line(dain('--preset', 'ultrafast', '--segment', 7, '--resume', work / 'in.mkv', work_out, code=1),
             'frames in a segment was 30 and is 7')
    one_line(dain('--preset', 'ultrafast', '--segment', 0, work / 'in.mkv', work_out, code=1), '--resume goes on')
    os.utime(work / 'in.mkv', (1, 1))
    one_line(dain(*FAST, '--resume', work / 'in.mkv', work_out, code=1), 'time of the input')
    check(closed(work, 'out.mkv') >= 1, 'the segments are gone')
    dain('-q', '-y', *FAST, '--crf', 30, work / 'in.mkv', work_out)
    nothing_left(work, 'in.mkv', 'out.mkv')


@test('damage to what was done is noticed')
def _(work):
    source(work)
    dain('-q', *FAST, work / 'in.mkv', work / 'whole.mkv')
    kill_after(work, 'out.mkv', 3, *FAST, work / 'in.mkv', work / 'out.mkv')
    folder = work / '.out.mkv.dain-segments'
    second = folder / '00000001'
    data = bytearray(second.read_bytes())
    data[len(data) // 2] ^= 1
    second.write_bytes(data)
    journal = (folder / 'journal').read_bytes()
    for wrong in (b'', journal[:-3], journal.replace(b'segment', b'segmemt', 1), journal[:40], os.urandom(3000)):
        (folder / 'journal').write_bytes(wrong)
        one_line(dain(*FAST, '--resume', work / 'in.mkv', work / 'out.mkv', code=1), 'journal is damaged')
    (folder / 'journal').write_bytes(journal)
    error = dain(*FAST, '--resume', work / 'in.mkv', work / 'out.mkv').stderr
    check('segment 1 is damaged' in error and f'after frame {SEGMENT}' in error, error)
    equal(frame_hashes(work / 'out.mkv'), frame_hashes(work / 'whole.mkv'), 'frames')


@test('a signal in the middle leaves a file that can be played, and one can go on')
def _(work):
    source(work, frames=200)
    dain('-q', *FAST, work / 'in.mkv', work / 'whole.mp4')
    process = until_closed(work, 'out.mp4', 2, *FAST, '--resume', work / 'in.mkv', work / 'out.mp4')
    process.send_signal(signal.SIGTERM)
    error = process.communicate(timeout=60)[1]
    equal(process.returncode, 143, f'exit code ({error!r})')
    count = len(frame_hashes(work / 'out.mp4'))
    check(2 * SEGMENT <= count < 400 and f'first {count} frames' in error, f'{count} frames, but: {error}')
    check('--resume goes on' in error, error)
    sound = [s for s in streams(work / 'out.mp4') if s['codec_type'] == 'audio'][0]
    check(abs(float(sound['duration']) - count / 50) < 0.2, f'{sound["duration"]} s of sound, {count} frames')
    dain('-q', *FAST, '--resume', work / 'in.mkv', work / 'out.mp4')
    equal(frame_hashes(work / 'out.mp4'), frame_hashes(work / 'whole.mp4'), 'frames')
    nothing_left(work, 'in.mkv', 'out.mp4', 'whole.mp4')


@test('a batch that was interrupted goes on, and takes no part for the whole')
def _(work):
    (work / 'from').mkdir()
    source(work / 'from', 'a.mkv', frames=200)
    batch = (*FAST, '--resume', '--batch', work / 'from', work / 'to')
    folder = work / 'to'
    name = None
    process = start(*batch)
    for _ in range(12000):
        found = [p.parent.name for p in folder.glob('.*.dain-segments/00000002')] if folder.exists() else []
        if found:
            name = found[0][1:-len('.dain-segments')]
            break
        check(process.poll() is None, 'it ended early')
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    check(name and 0 < len(frame_hashes(folder / name)) < 400, 'no part that can be played')
    dain('-q', *batch)
    dain('-q', *FAST, work / 'from' / 'a.mkv', work / 'whole.mkv')
    equal(frame_hashes(folder / name), frame_hashes(work / 'whole.mkv'), 'frames')
    nothing_left(folder, name)


def limited(size, *args):
    """A run that may write no file longer than that: what a full disk does."""
    return dain(*args, code=None, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))


@test('a full disk in a segment or in the join leaves no half file, and one can go on')
def _(work):
    source(work)
    dain('-q', *FAST, work / 'in.mkv', work / 'whole.mkv')
    want = frame_hashes(work / 'whole.mkv')
    run = limited(20000, *FAST, work / 'in.mkv', work / 'out.mkv')
    equal(run.returncode, 1, 'exit code')
    check('File too large' in run.stderr, run.stderr)
    nothing_left(work, 'in.mkv', 'whole.mkv')
    # Room for each segment, not for all together.
    run = limited((work / 'whole.mkv').stat().st_size * 2 // 3, *FAST, work / 'in.mkv', work / 'out.mkv')
    equal(run.returncode, 1, 'exit code')
    check('File too large' in run.stderr and '--resume goes on' in run.stderr, run.stderr)
    check(not (work / 'out.mkv').exists() and not (work / '.out.mkv.dain-part').exists(), 'a half file')
    equal(closed(work, 'out.mkv'), 6, 'segments')
    error = dain(*FAST, '--resume', work / 'in.mkv', work / 'out.mkv').stderr
    check('after frame 160' in error, error)
    equal(frame_hashes(work / 'out.mkv'), want, 'frames')
    nothing_left(work, 'in.mkv', 'out.mkv', 'whole.mkv')


@test('a second run on the same output is refused')
def _(work):
    source(work, frames=200)
    for more in (('--segment', 0), ('--segment', SEGMENT)):
        process = start('-q', '--preset', 'ultrafast', *more, work / 'in.mkv', work / 'out.mkv')
        try:
            for _ in range(12000):
                if (work / '.out.mkv.dain-part').exists():
                    break
                time.sleep(0.01)
            process.send_signal(signal.SIGSTOP)
            for options in ((), ('-y',), ('--resume',)):
                one_line(dain('--preset', 'ultrafast', *more, *options, work / 'in.mkv', work / 'out.mkv', code=1),
                         'another run is writing', 'out.mkv')
            process.send_signal(signal.SIGCONT)
            process.communicate(timeout=120)
        finally:
            process.kill()
        equal(process.returncode, 0, 'exit code')
        equal(len(frame_hashes(work / 'out.mkv')), 400, 'frame count')
        (work / 'out.mkv').unlink()
        nothing_left(work, 'in.mkv')


@test('--resume where it cannot be is refused, and a finished file is not replaced')
def _(work):
    source(work, frames=10)
    os.mkfifo(work / 'pipe')
    writer = subprocess.Popen(['sh', '-c', 'cat "$0" > "$1"', work / 'in.mkv', work / 'pipe'])
    one_line(dain('--resume', work / 'pipe', work / 'out.mkv', code=1), '--resume is not possible')
    writer.kill()
    writer.wait()
    dain('-q', '--resume', work / 'in.mkv', work / 'out.mkv')
    one_line(dain('--resume', work / 'in.mkv', work / 'out.mkv', code=1), 'exists already')
    nothing_left(work, 'in.mkv', 'out.mkv', 'pipe')


main()
