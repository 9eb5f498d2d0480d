"""Ctrl-C keeps what is done; a second one keeps nothing; nothing hangs."""
import signal
import time

from harness import *


def long_clip(work):
    return clip(work / 'in.mkv', size='320x240', frames=400, codec=('-c:v', 'libx264', '-qp', '20'),
                extra=('-preset', 'ultrafast'))


def start(*args):
    return subprocess.Popen([DAIN, *map(str, args)], stderr=subprocess.PIPE, text=True)


def wait_for_work(work, process):
    """Until the temporary file has a header and some frames have had time to be made."""
    for _ in range(4500 * PATIENCE):  # a minute and a half: machines can be busy
        if any(p.stat().st_size > 0 for p in work.glob('.*.dain-*')):
            time.sleep(1.0)
            return
        check(process.poll() is None, 'it ended early')
        time.sleep(0.02)
    raise AssertionError('it does not begin')


def interrupt(work, signals, code, *args):
    process = start(*args)
    try:
        wait_for_work(work, process)
        for s in signals:
            process.send_signal(s)
        error = process.communicate(timeout=60 * PATIENCE)[1]
    finally:
        process.kill()
    equal(process.returncode, code, f'exit code ({error!r})')
    return error


@test('Ctrl-C finishes a file that can be played, under its name, and says so')
def _(work):
    long_clip(work)
    for name in ('out.mp4', 'out.mkv'):
        error = interrupt(work, [signal.SIGINT], 130, work / 'in.mkv', work / name)
        check('interrupted' in error and 'can be played' in error, error)
        count = len(frame_hashes(work / name))
        check(0 < count < 800, f'{count} frames')
        check(f'first {count} frames' in error, f'{count} frames, but: {error}')
        (work / name).unlink()
        nothing_left(work, 'in.mkv')


@test('SIGTERM does the same, with its own exit code')
def _(work):
    long_clip(work)
    error = interrupt(work, [signal.SIGTERM], 143, work / 'in.mkv', work / 'out.mp4')
    check('can be played' in error, error)
    check(len(frame_hashes(work / 'out.mp4')) > 0, 'no frame')


@test('a second Ctrl-C ends at once and leaves nothing')
def _(work):
    long_clip(work)
    process = start('--preset', 'placebo', work / 'in.mkv', work / 'out.mp4')
    try:
        wait_for_work(work, process)
        # Too close together, two signals are one.
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60 * PATIENCE)
    finally:
        process.kill()
    equal(process.returncode, 130, 'exit code')
    check(not list(work.glob('.*.dain-*')), 'a temporary file is left')


@test('Ctrl-C while it waits for a slow input ends it')
def _(work):
    os.mkfifo(work / 'in.mkv')
    long_clip_path = clip(work / 'long.mkv', frames=40)
    process = start(work / 'in.mkv', work / 'out.mkv')
    try:
        with open(work / 'in.mkv', 'wb') as pipe:
            pipe.write(long_clip_path.read_bytes()[:3000])
            pipe.flush()
            time.sleep(1)
            process.send_signal(signal.SIGINT)
            error = process.communicate(timeout=60 * PATIENCE)[1]
    finally:
        process.kill()
    equal(process.returncode, 130, f'exit code ({error!r})')


@test('SIGINT that was ignored from outside stays ignored')
def _(work):
    clip(work / 'in.mkv', frames=10)
    process = subprocess.Popen(['sh', '-c', 'trap "" INT; exec "$0" "$@"', DAIN, work / 'in.mkv',
                                work / 'out.mkv'], stderr=subprocess.PIPE, text=True)
    for _ in range(10):
        time.sleep(0.02)
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=300 * PATIENCE)
    equal(process.returncode, 0, 'exit code')
    equal(len(frame_hashes(work / 'out.mkv')), 20, 'frame count')


@test('a reader that goes away is an error, not a death')
def _(work):
    clip(work / 'in.mkv', size='320x240', frames=200)
    os.mkfifo(work / 'out.mkv')
    process = start(work / 'in.mkv', work / 'out.mkv')
    try:
        with open(work / 'out.mkv', 'rb') as pipe:
            pipe.read(100)
        error = process.communicate(timeout=100 * PATIENCE)[1]
    finally:
        process.kill()
    equal(process.returncode, 1, f'exit code ({error!r})')
    check('Broken pipe' in error, error)


main()
