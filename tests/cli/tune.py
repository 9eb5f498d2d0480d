#!/usr/bin/env python3
"""dain tune: what it keeps, that later runs use it and give the same bits, damaged files."""
import json

from harness import DEMO, Skip, check, dain, equal, ffmpeg, main, one_line, test


def checksum(text):
    """FNV-1a of 64 bits."""
    h = 14695981039346656037
    for byte in text.encode():
        h = (h ^ byte) * 1099511628211 % 2**64
    return f'{h:016x}'


def tuned(work, **changes):
    """The file that dain tune made, with some values replaced; its environment."""
    env = {'XDG_CACHE_HOME': str(work / 'cache')}
    folder = work / 'cache' / 'dain'
    if not folder.exists():
        dain('tune', '--seconds', 1, env=env)
    file, = folder.iterdir()
    lines = [line.split(' ', 1) for line in file.read_text().splitlines()[:-1]]
    text = ''.join(f'{name} {changes.get(name.replace("-", "_"), value)}\n' for name, value in lines)
    file.write_text(text + f'sum {checksum(text)}\n')
    return env, file


def threads(env, *more):
    run = dain('info', '--json', *more, env=env)
    check(not run.stderr, run.stderr)
    return json.loads(run.stdout)['threads']


@test('with time for it, the depth of the queue is measured on a clip')
def _(work):
    run = dain('tune', '-n', '-m', 'edge-small', env={'XDG_CACHE_HOME': str(work / 'cache')})
    if 'depth' not in run.stdout:
        raise Skip('no time left on this machine')
    check(len(run.stdout.split('depth')[1].splitlines()[0].split(':')) > 2, run.stdout)


@test('the result is kept, used later, and overruled by -j and --no-tune')
def _(work):
    env, file = tuned(work)
    check(oct(file.parent.stat().st_mode)[-3:] == '700', 'the folder is open to others')
    usual = threads({})
    equal(threads(env), int(file.read_text().split('threads ')[1].split()[0]), 'threads')
    env, _ = tuned(work, threads=3)
    equal(threads(env), 3, 'threads of the file')
    equal(threads(env, '-j', 5), 5, 'threads asked for')
    equal(threads(env, '--no-tune'), usual, 'threads without tuning')
    equal(threads({**env, 'DAIN_CPU': 'c'}), usual, 'threads with other instruction sets')


@test('pictures are the same to the bit, the fastest precision is only used when asked for')
def _(work):
    ffmpeg('-i', DEMO, '-vf', 'scale=1280:720', '-frames:v', 2, work / 'frame%d.png')
    env, _ = tuned(work, threads=2, strip_rows=16, depth=1, fastest='int8')

    def picture(name, *more):
        dain('-0', work / 'frame1.png', '-1', work / 'frame2.png', '-o', work / name, *more, env=env, timeout=300)
        return ffmpeg('-i', work / name, '-f', 'rawvideo', '-')
    plain = picture('plain.png', '--no-tune')
    check(picture('tuned.png') == plain, 'the tuned picture differs')
    fastest = picture('fastest.png', '--precision', 'fastest')
    check(fastest != plain and fastest == picture('int8.png', '--precision', 'int8'), 'fastest is not int8')


@test('a damaged file is ignored with a warning, an absent one without')
def _(work):
    env, file = tuned(work)
    whole = file.read_text()
    for text in ('', 'nonsense', whole[:-9], whole.replace('threads ', 'threads 1'), 'x' * 5000,
                 whole.replace('dain 0', 'dain 9')):
        file.write_text(text)
        run = dain('info', '--json', env=env)
        one_line(run, 'warning', 'damaged', str(file))
        equal(json.loads(run.stdout)['threads'], threads({}), f'threads with {text[:20]!r}')
    file.write_text(whole)
    env, file = tuned(work, threads=99)
    one_line(dain('info', env=env), 'damaged')
    file.unlink()
    check(not dain('info', env=env).stderr, 'a warning without a file')
    one_line(dain('info', '--precision', 'fastest', env=env), 'warning', 'dain tune')


@test('what cannot be is told')
def _(work):
    one_line(dain('tune', 'file', code=2), 'takes no file')
    one_line(dain('tune', '--model', work / 'absent.safetensors', code=1), 'absent')
    (work / 'file').write_text('')
    one_line(dain('tune', '--seconds', 1, code=1, env={'XDG_CACHE_HOME': str(work / 'file')}), 'file')
    one_line(dain('tune', '--seconds', 1, '-q', code=1, env={'XDG_CACHE_HOME': '', 'HOME': ''}), 'HOME')


main()
