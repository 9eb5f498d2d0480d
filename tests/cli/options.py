"""The command line: help, mistakes, the letters that users of other tools know."""
import re

from harness import *


def wrong(*args, says=()):
    run = dain(*args, code=2)
    one_line(run, *says)


@test('help goes to standard output and lists every option')
def _(work):
    run = dain('--help')
    equal(run.stderr, '', 'standard error')
    equal(dain('-h').stdout, run.stdout, 'help of -h')
    equal(dain('interpolate', '--help').stdout, run.stdout, 'help of the command')
    check(all(len(line) <= 100 for line in run.stdout.splitlines()), 'a line of over 100 characters')
    for option in ('--factor', '--fps', '--model', '--threads', '--scene-threshold', '--no-scene',
                   '--crf', '--codec', '--overwrite', '--quiet', '--verbose', '-0,', '-1,', '-s,', '-i,',
                   '-o,', '-n,', '-m,', '-j,'):
        check(option in run.stdout, f'{option} is missing')


@test('without arguments it shows the help and fails')
def _(work):
    run = dain(code=2)
    check('usage: dain' in run.stderr, run.stderr)


@test('each command has help')
def _(work):
    names = re.findall(r'^  (\w+) +\w', dain('--help').stdout.split('\ncommands')[1], re.M)
    check('interpolate' in names, f'commands: {names}')
    for name in names:
        check(f'usage: dain' in dain(name, '--help').stdout, f'help of {name}')
        equal(dain('help', name).stdout, dain(name, '--help').stdout, f'help of {name}')


@test('the version is the library\'s')
def _(work):
    check(re.fullmatch(r'dain \d+\.\d+\.\d+\n', dain('--version').stdout), 'version')


@test('misspelt options get a suggestion')
def _(work):
    wrong('--factr', '2', 'a', 'b', says=('no option --factr', 'did you mean --factor?'))
    wrong('--no-scnee', 'a', 'b', says=('did you mean --no-scene?',))
    wrong('--xyzzy', 'a', 'b', says=('no option --xyzzy',))
    wrong('-Z', 'a', 'b', says=('no option -Z',))


@test('misspelt words, encoders, presets and models too')
def _(work):
    wrong('--precision', 'int', 'a', 'b', says=('--precision int', 'f32|bf16|int8', 'did you mean int8?'))
    wrong('--pad', 'orignal', 'a', 'b', says=('did you mean original?',))
    clip(work / 'in.mp4', frames=3)
    for more, says in ((('-c', 'libx256'), 'did you mean libx265?'), (('-c', 'xyzzy42'), 'no video encoder xyzzy42'),
                       (('--preset', 'fasst'), 'did you mean fast?'),
                       (('-c', 'libx265', '--preset', 'slwo'), 'did you mean slow?')):
        wrong(*more, work / 'in.mp4', work / 'out.mp4', says=(says,))
    one_line(dain('-m', 'egde', work / 'in.mp4', work / 'out.mp4', code=1), 'did you mean edge?')
    dain('--preset', 'ultrafast', work / 'in.mp4', work / 'out.mp4')
    nothing_left(work, 'in.mp4', 'out.mp4')


@test('values are checked, and their range is named')
def _(work):
    wrong('--crf', '99', 'a', 'b', says=('--crf 99', 'from 0 to 63'))
    wrong('--crf', 'good', 'a', 'b', says=('--crf good',))
    wrong('--factor', '0', 'a', 'b', says=('--factor 0', '5/2'))
    wrong('--fps', 'fast', 'a', 'b', says=('--fps fast', '59.94'))
    wrong('-j', '0', 'a', 'b', says=('--threads 0', 'from 1 to 64'))
    wrong('-j', '65', 'a', 'b', says=('--threads 65',))
    wrong('-s', '1.5', '-0', 'a', '-1', 'b', '-o', 'c', says=('--time 1.5',))
    wrong('--scene-threshold', 'nan', 'a', 'b', says=('--scene-threshold nan',))
    wrong('--factor', says=('--factor needs a value',))
    wrong('--quiet=yes', 'a', 'b', says=('takes no value',))


@test('a word that is wrong whatever the files are is wrong usage, in a batch and a dry run too')
def _(work):
    clip(work / 'in.mp4', frames=3)
    for more in (('--streams', 'q'), ('-e', 'foo'), ('-e', '=1'), ('-c', 'nope'), ('--pix-fmt', 'nope'),
                 ('--container', 'nope'), ('--preset', 'nope'), ('--engine', 'foo')):
        wrong(*more, work / 'in.mp4', work / 'out.mp4', says=(more[1],))
        wrong(*more, '--dry-run', '--progress', 'json', work / 'in.mp4', work / 'out.mp4', says=(more[1],))
        if more[0] not in ('--container', '--preset'):
            wrong(*more, '--batch', work, work / 'out', says=(more[1],))
    # Of the file, or of what an encoder has: known when they are open.
    for more in (('--streams', '9'), ('--pix-fmt', 'yuv410p'), ('-e', 'foo=1'), ('-c', 'ffv1', '--preset', 'fast')):
        one_line(dain(*more, work / 'in.mp4', work / 'out.mp4', code=1))
    nothing_left(work, 'in.mp4')


@test('what does not fit together is refused')
def _(work):
    wrong('in.mp4', says=('no output file',))
    wrong('--factor', '2', says=('no input file',))
    wrong('a', 'b', 'c', says=('one file too many: c',))
    wrong('--factor', '2', '--fps', '60', 'a', 'b', says=('exclude each other',))
    wrong('-0', 'a', '-o', 'c', says=('two pictures',))
    wrong('-0', 'a', '-1', 'b', '-i', 'v', '-o', 'c', says=('not both',))
    wrong('-s', '0.5', 'a', 'b', says=('for two pictures',))


@test('an option for another network is told to do nothing')
def _(work):
    clip(work / 'in.mp4', frames=2)
    run = dain('--pad', 'original', work / 'in.mp4', work / 'out.mp4')
    check('--pad original is for the original network and does nothing with edge' in run.stderr, run.stderr)
    equal(dain('-q', '-y', '--pad', 'minimal', work / 'in.mp4', work / 'out.mp4').stderr, '', 'messages')


@test('slips get advice')
def _(work):
    clip(work / 'a.mp4', frames=3)
    clip(work / 'b.mp4', frames=3)
    clip(work / 'p%d.png', frames=3, codec=())
    (work / 'empty').mkdir()
    here = {'cwd': work}
    for args, says in ((('a.mp4',), 'dain a.mp4 a-2x.mp4, for example'), (('evla',), 'did you mean the command eval?'),
                       (('a.mp4', 'b.mp4', 'c.mp4'), 'several videos need a folder'),
                       (('p1.png', 'p2.png', 'p3.png'), '-0 FIRST -1 SECOND'),
                       (('-fps', '60', 'a.mp4', 'c.mp4'), 'two dashes, --fps'),
                       (('--dry-run', '-0', 'p1.png', '-1', 'p2.png', '-o', 'm.png'), '--dry-run is for videos')):
        one_line(dain(*args, code=2, **here), says)
    one_line(dain('a.mp4', 'empty', code=1, **here), 'end it in / for a folder of pictures')
    one_line(dain('help', 'nothing', code=2), 'no command nothing')
    one_line(dain('a.mp4', 'out.mp3', code=1, **here), 'video container')
    dain('--dry-run', 'a.mp4', 'new/', **here)
    check(not (work / 'new').exists(), 'a dry run made a folder')
    short = dain(code=2).stderr
    check(len(short.splitlines()) < 20 and 'dain --help' in short, short)
    for line in short.splitlines():
        if line.startswith('  dain '):
            for o in re.findall(r'--[a-z-]+', line):
                check(o in dain('--help').stdout, f'{o} of the short help')


@test('absurd rates and factors end with a line')
def _(work):
    clip(work / 'in.mp4', frames=3)
    for more in (('--factor', '1000000'), ('--factor', '1/1000000'), ('--factor', '999999937/999999929'),
                 ('--fps', '1000000000'), ('--fps', '1/1000000000'), ('--fps', '1000'), ('-n', '3000')):
        run = dain(*more, work / 'in.mp4', work / 'out.mp4', code=None)
        check(run.returncode in (0, 1, 2), f'{more}: exit code {run.returncode}: {run.stderr}')
        if run.returncode:
            one_line(run)
            check(not (work / 'out.mp4').exists(), 'output')
        (work / 'out.mp4').unlink(missing_ok=True)


@test('letters of rife-ncnn-vulkan keep their meaning')
def _(work):
    clip(work / 'in.mp4', frames=4)
    dain('-i', work / 'in.mp4', '-o', work / 'out.mp4', '-n', '12', '-j', '1:2:2', '-v', '-m',
         ROOT / 'models' / 'edge.safetensors')
    equal(len(frame_hashes(work / 'out.mp4')), 12, 'frame count')


@test('the result does not depend on the number of threads')
def _(work):
    clip(work / 'in.mkv', frames=4, size='96x64')
    hashes = []
    for threads in (1, 2, 3):
        dain('-j', threads, '-y', '-c', 'ffv1', work / 'in.mkv', work / 'out.mkv')
        hashes.append(frame_hashes(work / 'out.mkv'))
    equal(hashes[1], hashes[0], 'two threads')
    equal(hashes[2], hashes[0], 'three threads')


@test('quiet is quiet, verbose tells, and progress is for terminals')
def _(work):
    clip(work / 'in.mp4', size='160x96', frames=3)
    equal(dain('-q', work / 'in.mp4', work / 'a.mp4').stderr, '', 'what -q says')
    run = dain(work / 'in.mp4', work / 'b.mp4')
    one_line(run, 'b.mp4: 3 -> 6 frames at 50 fps', '2 new')
    check('\r' not in run.stderr, 'progress without a terminal')
    check('libx264' in dain('-v', work / 'in.mp4', work / 'c.mp4').stderr, 'what -v says')
    script = subprocess.run(['script', '-qec', f'{DAIN} {work}/in.mp4 {work}/d.mp4', '/dev/null'],
                            capture_output=True, text=True)
    equal(script.returncode, 0, 'exit code on a terminal')


@test('the manual page knows every option')
def _(work):
    options = re.findall(r'--([a-z-]+)', dain('--help').stdout.split('options:')[1].split('commands')[0])
    man = dain('--dump-man').stdout.replace('\\', '')
    lint = subprocess.run(['man', '--warnings', '-E', 'UTF-8', '-l', '-Tutf8', '-Z', '-'],
                          input=dain('--dump-man').stdout, capture_output=True, text=True) \
        if shutil.which('man') else None
    if lint and lint.returncode == 0:
        equal(lint.stderr, '', 'warnings of man')
    for o in set(options) - {'help'}:
        check(f'--{o}' in man, f'{o} is not in the manual')


@test('the processor\'s instruction sets change nothing')
def _(work):
    clip(work / 'in.mkv', frames=3, size='64x48')
    hashes = set()
    for cpu in ('c', 'avx2', 'avx512'):
        dain('-y', '-c', 'ffv1', work / 'in.mkv', work / 'out.mkv', env={'DAIN_CPU': cpu})
        hashes.add(tuple(frame_hashes(work / 'out.mkv')))
    equal(len(hashes), 1, 'number of different results')


main()
