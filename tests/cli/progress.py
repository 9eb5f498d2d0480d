"""Progress: the line on a terminal, and JSON for programs."""
import pty
import re
import signal
import time

from harness import *


def events(run):
    """Standard error as a list of objects: nothing else may be there."""
    return [json.loads(line) for line in run.stderr.splitlines()]


def on_terminal(*args, columns=200):
    """What dain writes on a terminal of that width."""
    import fcntl
    import struct
    import termios
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    run = subprocess.Popen([DAIN, *map(str, args)], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    data = b''
    while True:
        try:
            more = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not more:
            break
        data += more
    os.close(ours)
    equal(run.wait(), 0, 'exit code')
    return data.decode()


@test('JSON: a start, progress, an end, with the documented keys')
def _(work):
    clip(work / 'in.mp4', frames=12, size='320x240')
    run = dain('--progress', 'json', work / 'in.mp4', work / 'out.mp4')
    got = events(run)
    equal(got[0]['event'], 'start', 'first event')
    equal(got[-1]['event'], 'end', 'last event')
    check(any(e['event'] == 'progress' for e in got), 'no progress')
    documented = (ROOT / 'docs' / 'progress.md').read_text()
    for event in got:
        for key in event:
            check(f'`{key}`' in documented, f'{key} is not documented')
    start, end = got[0], got[-1]
    equal((start['width'], start['height'], start['rate_in'], start['rate_out']), (320, 240, '25', '50'), 'start')
    equal((start['decoder'], start['encoder']), ('h264', 'libx264'), 'codecs')
    equal((end['status'], end['exit_code'], end['kept']), ('done', 0, True), 'end')
    equal((end['frames_in'], end['frames_out'], end['frames_expected'], end['new'], end['repeated']),
          (12, 24, 24, 11, 1), 'counts')
    before = 0
    for e in got:
        if e['event'] == 'progress':
            check(e['frames_out'] >= before and e['frames_expected'] == 24, f'counts: {e}')
            before = e['frames_out']
            check(abs(e['fps'] * e['elapsed'] - e['frames_out']) < 0.01 * e['frames_out'] + 0.01, f'fps: {e}')
            check(abs(e['speed'] * e['elapsed'] - e['seconds_in']) < 0.01 * e['seconds_in'] + 1e-6, f'speed: {e}')
            left = (24 - e['frames_out']) / e['fps']
            check(abs(e['eta'] - left) < 0.01 * left + 0.01, f'eta: {e}')
    check(abs(end['seconds_in'] - 11 / 25) < 1e-3, f'seconds: {end}')


@test('JSON: errors and warnings are events too')
def _(work):
    got = events(dain('--progress', 'json', work / 'no.mp4', work / 'out.mp4', code=1))
    equal([e['event'] for e in got], ['message', 'end'], 'events')
    equal((got[0]['level'], got[1]['status'], got[1]['kept']), ('error', 'failed', False), 'what it says')
    check('no.mp4' in got[0]['text'], got[0])
    got = events(dain('--progress', 'json', '-m', work / 'no.safetensors', 'a.mp4', work / 'out.mp4', code=1))
    equal([e['event'] for e in got], ['message', 'end'], 'events without a model')
    clip(work / 'in.mkv', frames=100, codec=('-c:v', 'ffv1'))
    data = (work / 'in.mkv').read_bytes()
    (work / 'cut.mkv').write_bytes(data[:len(data) * 2 // 3])
    got = events(dain('--progress', 'json', work / 'cut.mkv', work / 'out.mkv', code=3))
    equal((got[-1]['status'], got[-1]['exit_code']), ('damaged', 3), 'end')
    check(any(e['event'] == 'message' and 'damaged' in e['text'] for e in got), 'no message')


@test('JSON: an interruption is told')
def _(work):
    clip(work / 'in.mp4', frames=60, size='640x480')
    run = subprocess.Popen([DAIN, '--progress', 'json', work / 'in.mp4', work / 'out.mp4'],
                           stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    lines = []
    for line in run.stderr:
        lines.append(json.loads(line))
        if lines[-1]['event'] == 'progress' and len(lines) == 2:
            run.send_signal(signal.SIGINT)
    equal(run.wait(), 130, 'exit code')
    equal((lines[-1]['event'], lines[-1]['status'], lines[-1]['exit_code']), ('end', 'interrupted', 130), 'end')


@test('on a terminal: a bar, fps, speed and the time left, not wider than the window')
def _(work):
    clip(work / 'in.mp4', frames=12, size='320x240')
    text = on_terminal(work / 'in.mp4', work / 'out.mp4')
    found = re.search(r'\[#*\.*\] +\d+ %  \d+/24 frames  [\d.]+ fps  [\d.e+-]+x  [\d:-]+ left', text)
    check(found, f'no such line in {text!r}')
    text = on_terminal('-y', work / 'in.mp4', work / 'out.mp4', columns=40)
    for line in re.split(r'[\r\n]', text.split('out.mp4:')[0]):
        check(len(line) < 40, f'too wide: {line!r}')
    equal(on_terminal('-y', '--progress', 'none', work / 'in.mp4', work / 'out.mp4').count('\r'), 1,
          'carriage returns without a line of progress')
    check('left' in on_terminal('-y', '-q', '--progress', 'line', work / 'in.mp4', work / 'out.mp4'),
          'the line, when asked for')


@test('an unknown kind of progress is refused')
def _(work):
    one_line(dain('--progress', 'jsn', 'a', 'b', code=2), '--progress jsn', 'json')


@test('a long run in 32-bit floats says once that there are 8 bits; not who chose a precision')
def _(work):
    ffmpeg('-stream_loop', 800, '-i', DEMO, '-an', '-c', 'copy', work / 'in.mp4')  # more than an hour
    for args, told in (((), True), (('--precision', 'f32'), False), (('-q',), False)):
        run = subprocess.Popen([DAIN, '-y', '--progress', 'none', *args, '--preset', 'ultrafast', work / 'in.mp4',
                                work / 'out.mp4'], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if told:
            line = run.stderr.readline()
            check('--precision int8' in line and ' more; ' in line, line)
        else:
            time.sleep(12)
        run.send_signal(signal.SIGINT)
        rest = run.communicate(timeout=60)[1]
        check('--precision' not in rest, rest)


main()
