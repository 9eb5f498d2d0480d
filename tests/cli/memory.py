"""Memory limits and motion at reduced resolution, from outside."""
from harness import *


def plan(*args, code=0):
    return dain('info', '--json', '--no-tune', *args, code=code)


def total(*args):
    i = json.loads(plan(*args).stdout)
    return i['total_bytes'], i


@test('less is needed in lower precision, and 4K in 8 bits fits half a GiB')
def _(work):
    size = ('--size', '3840x2160', '-j', '2', '--motion', 'linear')
    need = [total(*size, '--precision', p)[0] for p in ('f32', 'bf16', 'int8')]
    check(need == sorted(need, reverse=True), f'f32, bf16, int8: {need}')
    check(need[2] < 512 << 20, f'{need[2]} bytes in 8 bits')
    check(need[0] < 1 << 30, f'{need[0]} bytes in f32')


@test('a limit takes what costs least and says so, and what cannot fit is refused with the need')
def _(work):
    size = ('--size', '1920x1080', '-j', '2', '--motion', 'linear')
    need = {p: total(*size, '--precision', p)[0] for p in ('f32', 'bf16', 'int8')}
    for limit, precision in ((need['f32'], 'f32'), (need['bf16'], 'bf16'), (need['int8'], 'int8')):
        got, i = total(*size, '--mem-limit', f'{(limit >> 20) + 1}M')
        equal(i['precision'], precision, f'precision within {limit} bytes')
        check(got <= limit + (1 << 20), f'{got} bytes within {limit}')
    # asked for, it is not lowered
    run = plan(*size, '--precision', 'f32', '--mem-limit', '100M', code=1)
    check(run.stderr.count('\n') == 1 and 'need' in run.stderr and '100 MiB' in run.stderr, run.stderr)
    run = plan(*size, '--mem-limit', '16M', code=1)
    check(run.stderr.count('\n') == 1 and 'need' in run.stderr, run.stderr)
    out = dain('bench', '--no-tune', '--size', '640x480', '--frames', '1', '--warmup', '0', '-j', '1', '--mem-limit', '34M')
    check('warning: ' in out.stderr and ', bf16,' in out.stdout and 'bf16' in out.stderr, out.stderr + out.stdout)


@test('the path of the motion goes before 8 bits come, and comes back with them')
def _(work):
    size, got = ('--size', '1920x1080', '-j', '2'), []
    curved, linear = ({p: total(*size, '--motion', m, '--precision', p)[0] for p in ('bf16', 'int8')}
                      for m in ('curved', 'linear'))
    check(linear['int8'] < linear['bf16'] < curved['int8'] < curved['bf16'], f'{curved} and {linear}')
    for limit in (curved['bf16'], linear['bf16'] + (8 << 20), linear['bf16'], linear['int8']):
        i = total(*size, '--mem-limit', limit)[1]
        got.append((i['precision'], i['frames'], i['pairs']))
    equal(got, [('bf16', 3, 3), ('bf16', 2, 1), ('bf16', 2, 1), ('int8', 2, 1)], 'precision, frames and pairs')
    text = dain('info', '--no-tune', *size, '--mem-limit', linear['bf16']).stdout
    check('chosen: bf16, linear motion' in text, text)


@test('motion at reduced resolution makes other pictures for less work')
def _(work):
    for n, t in (('a', 0), ('b', 0.5)):
        ffmpeg('-f', 'lavfi', '-i', f'testsrc2=s=320x240:d=1', '-ss', str(t), '-frames:v', '1', work / f'{n}.png')
    made = {}
    for scale in ('1', '0.5', '0.25', 'auto'):
        dain('-0', work / 'a.png', '-1', work / 'b.png', '-o', work / 'o.png', '-y', '-q', '--scale', scale)
        made[scale] = (work / 'o.png').read_bytes()
    equal(made['auto'], made['1'], 'automatic at this size')
    check(len(set(made.values())) == 3, 'scales make the same picture')
    macs = [json.loads(plan('--scale', s).stdout)['macs_per_pixel'] for s in ('1', '0.5', '0.25')]
    check(macs == sorted(macs, reverse=True) and macs[1] < macs[0], f'multiply-adds: {macs}')
    equal([json.loads(plan('--scale', 'auto', '--size', s).stdout)['flow_divisor']
           for s in ('1280x720', '1920x1080', '3840x2160')], [1, 2, 4], 'automatic scales')


@test('limits and scales that make no sense are refused in a line')
def _(work):
    for bad in ('0', '-1', '-5M', '5X', 'many', '', '1e99', 'nan', '2000000G', '1023K', '3MM', '0x10'):
        run = dain('info', '--mem-limit', bad, code=2)
        check(run.stderr.count('\n') == 1 and 'mem-limit' in run.stderr, f'{bad}: {run.stderr}')
    for bad in ('0', '-1', '2', 'half', '', '0.3', 'nan'):
        run = dain('info', '--scale', bad, code=2)
        check(run.stderr.count('\n') == 1 and 'scale' in run.stderr, f'{bad}: {run.stderr}')
    for good in ('512M', '0.5G', '600000K', '1GiB', '536870912', '512m'):
        plan('--mem-limit', good)


def peak(*args):
    """MiB that the tool had in memory at most, and what it said."""
    # Meson has every block filled as it is given out: then even what nobody touches is in memory.
    env = {k: v for k, v in os.environ.items() if k != 'MALLOC_PERTURB_'}
    with open(args[-1] + '.log', 'w+') as log:
        process = subprocess.Popen([DAIN, *map(str, args)], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        return process.returncode, usage.ru_maxrss / 1024, log.read()


@test('a video stays within its limit, all of the tool together, or is refused with the need')
def _(work):
    if PATIENCE > 1 or peak('info', '--no-tune', '--size', '64x64', '-m', str(work / 'none'))[1] > 100:
        raise Skip('memory is not what it is in a build for checking')
    clip = work / 'in.mp4'
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=1280x720:r=25:d=0.24', '-c:v', 'libx264', '-preset', 'fast', clip)
    common = ('--no-tune', '-j', '2', '--preset', 'ultrafast', '-y', '-v', '--mem-limit')
    for limit in (260, 200):
        code, got, said = peak(*common, f'{limit}M', clip, str(work / 'out.mp4'))
        check(code == 0 and got <= limit * 1.05, f'{got} MiB within {limit}: {said}')
        check(f'at 1280x720' in said, said)
    run = dain(*common, '120M', clip, work / 'no.mp4', code=1)
    check(run.stderr.count('\n') == 1 and 'needs' in run.stderr and not (work / 'no.mp4').exists(), run.stderr)
    # without the limit the same frames come out where nothing had to be given up
    dain('--no-tune', '-q', '-y', '--precision', 'int8', '-c', 'ffv1', clip, work / 'a.mkv')
    dain('--no-tune', '-q', '-y', '--precision', 'int8', '-c', 'ffv1', '--mem-limit', '1G', clip, work / 'b.mkv')
    sums = [subprocess.run(['ffmpeg', '-v', 'error', '-i', work / f'{n}.mkv', '-f', 'md5', '-'], capture_output=True).stdout
            for n in 'ab']
    check(sums[0] and sums[0] == sums[1], 'frames differ')


main()
