"""dain info FILE of a video: what it is, in text and as JSON."""
from harness import *


@test('size, rate, frames, colour, rotation and streams of a video')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=160x96:rate=30000/1001:duration=1', '-f', 'lavfi', '-i',
           'sine=duration=1', '-pix_fmt', 'yuv420p10le', '-color_primaries', 'bt2020', '-color_trc', 'smpte2084',
           '-colorspace', 'bt2020nc', '-vf', 'setsar=4/3', '-metadata:s:a', 'language=fra', '-c:a', 'aac', '-c:v',
           'libx264', work / 'flat.mov')
    ffmpeg('-i', work / 'flat.mov', '-c', 'copy', '-metadata:s:v', 'rotate=90', work / 'in.mov')
    # FFmpeg counts the other way round.
    turn = -int(probe(work / 'in.mov', '-show_streams')['streams'][0]['side_data_list'][0]['rotation']) % 360
    check(turn in (90, 270), f'turned by {turn}')
    text = dain('info', work / 'in.mov').stdout
    for part in ('QuickTime', '160x96', '29.97 fps (30000/1001)', '30 frames', 'h264', f'turned by {turn} degrees',
                 'pixels 4:3', 'yuv420p10le, 10 bits, limited range', 'matrix bt2020nc', 'transfer smpte2084',
                 '0 video', '1 audio aac, 44100 Hz, mono, fra', '--dry-run'):
        check(part in text, f'{part!r} is not in {text}')
    facts = json.loads(dain('info', '--json', work / 'in.mov').stdout)
    equal((facts['width'], facts['height'], facts['rate'], facts['rotation'], facts['frames'], facts['bits'],
           facts['codec'], facts['range'], facts['missing_bytes']),
          (160, 96, '30000/1001', turn, 30, 10, 'h264', 'tv', 0), 'what JSON says')
    equal([(s['kind'], s['codec'], s['language']) for s in facts['streams']][1:], [('audio', 'aac', 'fra')], 'streams')


@test('a video without an end, an interlaced one, pictures')
def _(work):
    clip(work / 'in.mkv', frames=20, codec=('-c:v', 'ffv1'))
    (work / 'cut.mkv').write_bytes((work / 'in.mkv').read_bytes()[:5000])
    check('its end is missing' in dain('info', work / 'cut.mkv').stdout, 'nothing of the end')
    check('its end is missing' not in dain('info', work / 'in.mkv').stdout, 'a whole file is said to be cut')
    clip(work / 'fields.mp4', vf='tinterlace=interleave_top,fieldorder=tff', extra=('-flags', '+ildct+ilme'))
    check('top field first: --deinterlace' in dain('info', work / 'fields.mp4').stdout, 'nothing of the fields')
    (work / 'pictures').mkdir()
    ffmpeg('-i', work / 'in.mkv', work / 'pictures' / '%03d.png')
    for name in ('pictures', 'pictures/%03d.png'):
        text = dain('info', work / name).stdout
        check('64x48' in text and '20 frames' in text and 'rgb24' in text, text)


@test('what is neither a video nor a model gets a line')
def _(work):
    (work / 'text.mp4').write_text('Hello there, this is a text.\n' * 20)
    one_line(dain('info', work / 'text.mp4', code=1), 'text.mp4', 'not a video')
    one_line(dain('info', work / 'no.mp4', code=1), 'no.mp4')
    (work / 'empty').mkdir()
    one_line(dain('info', work / 'empty', code=1), 'empty')
    model = (ROOT / 'models' / 'edge.safetensors').read_bytes()
    (work / 'model').write_bytes(model)
    check('network     edge' in dain('info', work / 'model').stdout, 'a model by its content')
    one_line(dain('info', 'a.mp4', 'b.mp4', code=2), 'one model or video at a time')


main()
