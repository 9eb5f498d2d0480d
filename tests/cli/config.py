"""The configuration file, and models by name."""
from harness import *


def told(*args, home=None, code=0, **env):
    """What a dry run would do: the object of its plan, or the run if it fails."""
    env = {'XDG_CONFIG_HOME': str(home) if home else '/dev/null/none', **env}
    run = dain('--dry-run', '--progress', 'json', *args, code=code, env=env)
    return json.loads(run.stderr.splitlines()[-2]) if code == 0 else run


def config(work, text):
    (work / 'home' / 'dain').mkdir(parents=True, exist_ok=True)
    (work / 'home' / 'dain' / 'config').write_text(text)
    return work / 'home'


@test('options come from the file; the command line wins')
def _(work):
    clip(work / 'in.mp4', frames=5)
    files = (work / 'in.mp4', work / 'out.mkv')
    home = config(work, '# mine\n\nfps = 60\n  codec ffv1\nno-streams\n--crf=20\nthreads 1\n')
    equal(told(*files)['rate_out'], '50', 'rate without a file')
    one_line(dain(*files, code=1, env={'XDG_CONFIG_HOME': str(home)}), 'ffv1 has no constant quality')
    home = config(work, '# mine\n\nfps = 60\n  codec ffv1\nno-streams\nthreads 1\n')
    plan = told(*files, home=home)
    equal((plan['rate_out'], plan['encoder']), ('60', 'ffv1'), 'options of the file')
    plan = told('--fps', '30', '-c', 'libx264', *files, home=home)
    equal((plan['rate_out'], plan['encoder']), ('30', 'libx264'), 'options of the command line')
    equal(told('--factor', '3', *files, home=home)['rate_out'], '75', 'factor against the fps of the file')
    equal(told('-n', '10', *files, home=home)['frames_expected'], 10, 'frames against the fps of the file')
    plan = told('--no-config', *files, home=home)
    equal((plan['rate_out'], plan['encoder']), ('50', 'libx264'), 'without the file')
    (work / 'other').write_text('factor=5/2')
    equal(told('--config', work / 'other', *files, home=home)['rate_out'], '125/2', 'another file')
    dain('info', '--json', env={'XDG_CONFIG_HOME': str(home)})
    equal(told(*files, XDG_CONFIG_HOME='', HOME=str(work))['rate_out'], '50', 'no file at home')
    (work / '.config').symlink_to(work / 'home')
    equal(told(*files, XDG_CONFIG_HOME='', HOME=str(work))['rate_out'], '60', 'file at home')


@test('lists are joined, flags can be off, values may be quoted')
def _(work):
    clip(work / 'in.mp4', frames=3)
    home = config(work, 'encoder-option = nonsense=1\nencoder-option = crf=1\nquiet = no\nno-scene = yes\ncodec = "libx264"\n')
    run = dain(work / 'in.mp4', work / 'out.mp4', code=1, env={'XDG_CONFIG_HOME': str(home)})
    one_line(run, 'nonsense')
    home = config(work, 'encoder-option = qp=40\nquiet = no\n')
    env = {'XDG_CONFIG_HOME': str(home)}
    dain('-e', 'qp=0', '-e', 'preset=ultrafast', work / 'in.mp4', work / 'a.mp4', env=env)
    dain('--no-config', '-e', 'qp=0', '-e', 'preset=ultrafast', work / 'in.mp4', work / 'b.mp4', env=env)
    equal(frame_hashes(work / 'a.mp4'), frame_hashes(work / 'b.mp4'), 'frames with the later value')
    config(work, 'quiet\n')
    equal(dain(work / 'in.mp4', work / 'c.mp4', env=env).stderr, '', 'what a quiet one says')
    check('a.mp4' in dain('-v', '-y', work / 'in.mp4', work / 'a.mp4', env=env).stderr, '-v against quiet')


@test('mistakes name the file and the line')
def _(work):
    clip(work / 'in.mp4', frames=3)
    for text, says in (('\nfps = 60\nfsp = 60\n', ('config:3:', 'no option fsp', 'did you mean fps?')),
                       ('fps = fast', ('config:1:', '--fps fast', '59.94')),
                       ('crf', ('config:1:', 'crf needs a value')),
                       ('no-scene = maybe', ('config:1:', 'no-scene is on or off')),
                       ('precision int4', ('config:1:', 'one of f32|bf16|int8', 'int8?')),
                       ('output = x.mp4', ('config:1:', 'belongs on the command line')),
                       ('fps = 60\0\n', ('config', 'no text')), ('#' * 100000, ('config', 'too long'))):
        home = config(work, text)
        one_line(dain(work / 'in.mp4', work / 'out.mp4', code=2, env={'XDG_CONFIG_HOME': str(home)}), *says)
    one_line(dain('--config', work / 'no', 'a', 'b', code=2), f'{work}/no: No such file')
    one_line(dain('--config', work, 'a', 'b', code=2), 'directory')
    check(not (work / 'out.mp4').exists(), 'output')


@test('models have names')
def _(work):
    listed = dain('info', '--list').stdout.split()
    shipped = sorted(p.stem for p in (ROOT / 'models').glob('*.safetensors'))
    check(set(shipped) <= set(listed), f'{listed}, not {shipped}')
    shutil.copy(ROOT / 'models' / 'edge.safetensors', work / 'mine.safetensors')
    env = {'DAIN_MODEL_PATH': f'/nonexistent:{work}'}
    check('mine' in dain('info', '--list', env=env).stdout.split(), 'a model of $DAIN_MODEL_PATH')
    info = json.loads(dain('info', '--json', 'mine', env=env).stdout)
    equal(info['model'], f'{work}/mine.safetensors', 'path')
    check({'name': 'mine', 'path': f'{work}/mine.safetensors'} in info['models'], info['models'])
    (work / 'dain').mkdir()
    (work / 'mine.safetensors').rename(work / 'dain' / 'edge.safetensors')
    env = {'XDG_DATA_HOME': str(work)}
    equal(json.loads(dain('info', '--json', '-m', 'edge', env=env).stdout)['model'],
          f'{work}/dain/edge.safetensors', 'the user\'s own comes first')
    clip(work / 'in.mp4', frames=3)
    dain('-m', 'edge', work / 'in.mp4', work / 'out.mp4', env=env)
    one_line(dain('-m', 'rife', work / 'in.mp4', work / 'x.mp4', code=1, env=env), 'rife', 'edge')


main()
