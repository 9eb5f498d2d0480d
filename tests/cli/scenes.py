"""At a cut the nearer frame is repeated; elsewhere new frames are made."""
from harness import *


def two_scenes(work, rate='10'):
    """Four frames of one picture that moves, four of another one."""
    ffmpeg('-f', 'lavfi', '-i', f'testsrc2=size=160x96:rate={rate}', '-f', 'lavfi', '-i',
           f'mandelbrot=size=160x96:rate={rate}', '-filter_complex',
           '[0]trim=end_frame=4,setpts=PTS-STARTPTS[a];[1]trim=end_frame=4,format=yuv420p,'
           'setpts=PTS-STARTPTS[b];[a]format=yuv420p[c];[c][b]concat', '-c:v', 'ffv1', work / 'in.mkv')
    return frame_hashes(work / 'in.mkv')


@test('a cut repeats the nearer frame')
def _(work):
    a = two_scenes(work)
    run = dain('-v', '-c', 'ffv1', work / 'in.mkv', work / 'x2.mkv')
    check('cut at frame 4' in run.stderr, run.stderr)
    check(' 1 cut,' in run.stderr, run.stderr)
    b = frame_hashes(work / 'x2.mkv')
    equal(b[::2], a, 'source frames')
    equal(b[7], a[4], 'half-way in the cut: the newer frame')
    check(all(x not in a for x in (b[1], b[3], b[5], b[9], b[11], b[13])), 'new frames elsewhere')
    dain('--factor', '4', '-c', 'ffv1', work / 'in.mkv', work / 'x4.mkv')
    equal(frame_hashes(work / 'x4.mkv')[12:17], [a[3], a[3], a[4], a[4], a[4]], 'frames at the cut')


@test('--no-scene and a threshold of 1 look for no cut')
def _(work):
    a = two_scenes(work)
    for more in (('--no-scene',), ('--scene-threshold', '1')):
        run = dain('-y', '-v', *more, '-c', 'ffv1', work / 'in.mkv', work / 'out.mkv')
        check('cut at' not in run.stderr, run.stderr)
        check(frame_hashes(work / 'out.mkv')[7] not in a, 'no new frame in the cut')


@test('a threshold of 0 takes every change for a cut')
def _(work):
    a = two_scenes(work)
    dain('--scene-threshold', '0', '-c', 'ffv1', work / 'in.mkv', work / 'out.mkv')
    check(set(frame_hashes(work / 'out.mkv')[7:9]) <= set(a), 'a new frame at the cut')


@test('the demo clip has no cut, a fast pan neither')
def _(work):
    ffmpeg('-i', DEMO, '-t', '1', '-vf', 'scale=160:90', '-an', work / 'demo.mp4')
    # 12 of 160 pixels a frame: across the screen in half a second
    ffmpeg('-i', DEMO, '-vf', r"select='eq(n\,0)',loop=9:1,setpts=N/25/TB,crop=160:90:'n*12':20",
           '-an', '-frames:v', 10, work / 'pan.mp4')
    for name in ('demo.mp4', 'pan.mp4'):
        run = dain('-y', work / name, work / 'out.mp4')
        check(' 0 cuts,' in run.stderr, run.stderr)


@test('a change of size in the middle is a cut, and the first size stays')
def _(work):
    clip(work / 'a.ts', size='64x48', frames=5, extra=('-f', 'mpegts'))
    clip(work / 'b.ts', size='96x64', frames=5, extra=('-f', 'mpegts', '-output_ts_offset', '0.2'))
    (work / 'in.ts').write_bytes((work / 'a.ts').read_bytes() + (work / 'b.ts').read_bytes())
    dain('-c', 'ffv1', work / 'in.ts', work / 'out.mkv')
    s = video(work / 'out.mkv')
    equal((s['width'], s['height']), (64, 48), 'size')
    equal(len(frame_hashes(work / 'out.mkv')), 20, 'frame count')


main()
