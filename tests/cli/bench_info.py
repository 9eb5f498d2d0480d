"""bench and info: figures that hang together, JSON that can be read."""
from harness import *


@test('bench counts its frames, and its stages add up to its time')
def _(work):
    b = json.loads(dain('bench', '--size', '160x96', '--frames', '3', '-j', '1', '--json').stdout)
    equal((b['width'], b['height'], b['threads'], b['new_frames']), (160, 96, 1, 3), 'settings')
    check(abs(b['fps'] * b['seconds'] - 3) < 0.01, 'frames a second times seconds')
    check(b['ms_best'] <= b['ms_median'] <= b['ms_worst'], 'order of times')
    share = sum(s['share'] for s in b['stages'])
    check(0.5 < share <= 1.001, f'the stages take {share} of the time')
    per_frame = sum(s['ms_per_frame'] for s in b['stages'])
    check(per_frame <= 1e3 * b['seconds'] / 3 * 1.001, 'time of the stages')
    check({s['rate'] for s in b['stages']} == {'frame', 'pair', 'time'}, 'rates of the stages')
    # What info says the arithmetic is must be what bench has counted.
    i = json.loads(dain('info', '--size', '160x96', '--json').stdout)
    counted = b['gmac_per_second'] * b['seconds'] * 1e9 / 3 / (160 * 96)
    check(abs(counted / i['macs_per_pixel'] - 1) < 0.02, f'{counted} counted, {i["macs_per_pixel"]} told')


@test('more times in a pair share its frame and pair parts')
def _(work):
    """By what was run, not by time: times on a busy machine prove nothing."""
    runs = {}
    for times in (1, 4):
        made = json.loads(dain('bench', '--size', '160x96', '--frames', '4', '-j', '1', '--times', times,
                               '--json').stdout)
        equal(made['new_frames'], 4 * times, 'new frames')
        runs[times] = {(s['name'], s['rate']): s['runs'] for s in made['stages']}
    equal(set(runs[1]), set(runs[4]), 'stages')
    for stage, n in runs[1].items():
        equal(runs[4][stage], 4 * n if stage[1] == 'time' else n, f'runs of {stage} at four times')


@test('the text of bench has the table')
def _(work):
    out = dain('bench', '--size', '64x48', '--frames', '1').stdout
    for part in ('new frames/s', 'GMAC/s', 'share', 'compose', '64x48'):
        check(part in out, f'no {part} in {out}')


@test('the table has every model found and every precision it can be computed in')
def _(work):
    args = ('bench', '--table', '--size', '64x48', '--frames', '1', '-j', '1')
    models = sorted(path.stem for path in (ROOT / 'models').glob('*.safetensors'))
    env = {'DAIN_MODEL_PATH': str(ROOT / 'models'), 'XDG_DATA_HOME': str(work)}
    text = dain(*args, env=env).stdout
    rows = [[cell.strip() for cell in line.strip('|').split('|')] for line in text.splitlines() if line[:1] == '|'][2:]
    check(set(models) <= {row[0] for row in rows}, f'{models} are not all in {text}')
    equal([row[2] for row in rows if row[0] == 'edge'], ['f32', 'bf16', 'int8'], 'precisions of edge')
    table = json.loads(dain(*args, '--json', env=env).stdout)
    equal(len(table['rows']), len(rows), 'rows in JSON')
    for row in table['rows']:
        check(row['fps'] > 0 and row['latency_ms'] > 0 and 4 < row['peak_mib'] < 400 and row['model_mib'] > 1, str(row))
        check(0 < row['processors_busy'] < 1.2 and row['threads'] == 1, f'more processors than threads: {row}')
    plain = work / 'plain.safetensors'
    dain('prune', ROOT / 'models' / 'edge.safetensors', '-o', plain, '--ratio', '0.5', '-q')
    text = dain(*args, '-m', plain).stdout
    check('bf16' in text and 'int8' not in text, text)
    one_line(dain(*args, '-m', plain, '--precision', 'int8', code=1), 'int8')
    one_line(dain(*args, '-m', work / 'absent.safetensors', code=1), 'absent')
    one_line(dain(*args, '--precision', 'best', code=2), '--precision')


@test('info tells model, processor, memory and card')
def _(work):
    out = dain('info', '--size', '320x240').stdout
    for part in ('dain ', 'libavformat', 'zimg', 'processors', 'edge', 'parameters', 'at 320x240, MiB',
                 'card', 'mac_per_pixel'):
        check(part in out, f'no {part} in {out}')
    i = json.loads(dain('info', '--json').stdout)
    equal(i['network'], 'edge', 'network')
    check(i['parameters'] > 100000 and i['arena_bytes'] > 0, 'figures')
    by_name = json.loads(dain('info', '--json', ROOT / 'models' / 'edge.safetensors').stdout)
    equal(by_name['parameters'], i['parameters'], 'parameters of the same model by name')
    capped = json.loads(dain('info', '--json', env={'DAIN_CPU': 'c'}).stdout)
    equal(capped['cpu_used'], 'c', 'processor in use under DAIN_CPU=c')


@test('their mistakes are told')
def _(work):
    one_line(dain('bench', 'file', code=2), 'takes no file')
    one_line(dain('bench', '--size', 'big', code=2), 'a size like 1280x720')
    one_line(dain('bench', '--size', '8x8', code=1), '16')
    one_line(dain('info', 'no.safetensors', code=1), 'no.safetensors')
    with open('/dev/full', 'w') as full:
        run = subprocess.run([DAIN, 'info'], stdout=full, stderr=subprocess.PIPE, text=True)
    equal(run.returncode, 1, 'exit code with a full disk')
    check('No space left' in run.stderr, run.stderr)


main()
