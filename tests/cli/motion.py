"""New frames follow the path through the frames around their pair, unless something ends there."""
from harness import *

LOSSLESS = ('-c', 'ffv1', '--no-lock', '--precision', 'int8')


def both(work, name, *args):
    """Frames of the clip at twice its rate, curved and linear."""
    out = []
    for motion in ('curved', 'linear'):
        dain('-y', *LOSSLESS, *args, '--motion', motion, work / name, work / f'{motion}.mkv')
        out.append(frame_hashes(work / f'{motion}.mkv'))
    return out


def differ(a, b):
    return [i for i, (x, y) in enumerate(zip(a, b)) if x != y]


def swing(work, name, frames=8, times=lambda n: n):
    """Every `times`-th frame of the demo, small."""
    picked = '+'.join(f'eq(n,{times(n)})' for n in range(frames))
    ffmpeg('-i', DEMO, '-vf', f"select='{picked}',setpts=N/10/TB,scale=192:108", '-r', '10', '-an', '-c:v', 'ffv1',
           work / name)


def squared_error(a, b):
    return sum((x - y) ** 2 for x, y in zip(a, b)) / len(a)


@test('curved frames are nearer to the truth')
def _(work):
    swing(work, 'half.mkv', 10, lambda n: 2 * n)
    swing(work, 'truth.mkv', 19)
    both(work, 'half.mkv')
    truth = raw_frames(work / 'truth.mkv', 'gray')
    curved, linear = (sum(squared_error(made, truth[i]) for i, made in
                          enumerate(raw_frames(work / f'{m}.mkv', 'gray')[:19]) if i % 2)
                      for m in ('curved', 'linear'))
    check(curved < 0.95 * linear, f'squared error: {curved:.2f} curved, {linear:.2f} linear')


@test('pairs without a neighbour on either side are linear')
def _(work):
    swing(work, 'in.mkv', 7, lambda n: 2 * n)
    equal(differ(*both(work, 'in.mkv')), [3, 5, 7, 9], 'frames that differ')


@test('nothing is seen across a cut')
def _(work):
    swing(work, 'a.mkv', 5, lambda n: 2 * n)
    swing(work, 'b.mkv', 5, lambda n: 40 + 2 * n)
    ffmpeg('-i', work / 'a.mkv', '-i', work / 'b.mkv', '-filter_complex', '[1]negate,hflip[b];[0][b]concat', '-c:v',
           'ffv1', work / 'in.mkv')
    equal(differ(*both(work, 'in.mkv')), [3, 5, 13, 15], 'frames that differ')
    (work / 'cuts').write_text('7\n')  # of one's own
    equal(differ(*both(work, 'in.mkv', '--scene-list', work / 'cuts')), [3, 5, 7, 9], 'frames that differ')


@test('neighbours are the same whatever was left out on the way')
def _(work):
    """Below the rate of the source some pairs have no new frame, and then their neighbours have to be brought in."""
    swing(work, 'in.mkv', 12)
    all_of_them = both(work, 'in.mkv', '--factor', '3')[0]
    few = both(work, 'in.mkv', '--factor', '3/4')[0]
    equal(few, all_of_them[::4], 'one in four of the frames at three times the rate')


@test('frames are the same where memory is short and colours are converted late')
def _(work):
    swing(work, 'in.mkv', 6, lambda n: 2 * n)
    for more in ((), ('--match',)):
        dain('-y', *LOSSLESS, *more, work / 'in.mkv', work / 'all.mkv')
        for limit in range(160, 60, -4):
            said = dain('-y', '-v', *LOSSLESS, *more, '--mem-limit', f'{limit}M', work / 'in.mkv', work / 'short.mkv',
                        code=None).stderr
            equal('linear motion' in said, False, f'linear motion at {limit} MiB')
            if 'still things are not held' in said:
                break
        check('still things are not held' in said, said)
        equal(frame_hashes(work / 'short.mkv'), frame_hashes(work / 'all.mkv'), f'frames {more}')


@test('pairs of other lengths count by their time')
def _(work):
    swing(work, 'even.mkv', 8, lambda n: 2 * n)
    # the third frame comes later than it should
    ffmpeg('-i', work / 'even.mkv', '-vf', "settb=1/1000,setpts='PTS+if(eq(N,2),30,0)'", '-fps_mode', 'passthrough',
           '-enc_time_base', '1/1000', '-c:v', 'ffv1', work / 'uneven.mkv')
    even, uneven = (both(work, name, '--vfr') for name in ('even.mkv', 'uneven.mkv'))
    check(differ(*uneven), 'motion is linear throughout')
    equal(even[1], uneven[1], 'linear frames')
    check(differ(even[0], uneven[0]), 'the path does not depend on times')


@test('other motion is refused')
def _(work):
    swing(work, 'in.mkv', 3)
    one_line(dain('--motion', 'wild', work / 'in.mkv', work / 'out.mkv', code=2), '--motion', 'curved')
    nothing_left(work, 'in.mkv')


main()
