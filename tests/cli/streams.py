"""Everything that is not the main video comes through untouched."""
from harness import *


def audio(seconds, frequency=440):
    return ['-f', 'lavfi', '-i', f'sine=frequency={frequency}:duration={seconds}:sample_rate=44100']


def srt(work, name, *texts):
    path = work / name
    path.write_text(''.join(f'{i + 1}\n00:00:0{i}.100 --> 00:00:0{i}.900\n{t}\n\n'
                            for i, t in enumerate(texts)).replace('.', ','))
    return path


def chapters(work):
    path = work / 'chapters.txt'
    path.write_text(';FFMETADATA1\ntitle=A Title\nartist=Somebody\n'
                    '[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=400\ntitle=First\n'
                    '[CHAPTER]\nTIMEBASE=1/1000\nSTART=400\nEND=800\ntitle=Second\n')
    return path


@test('the demo clip doubles its frames, keeps its length and every bit of its sound')
def _(work):
    ffmpeg('-i', DEMO, '-t', '0.6', '-c:v', 'libx264', '-c:a', 'copy', work / 'in.mp4')
    dain(work / 'in.mp4', work / 'out.mp4')
    a, b = streams(work / 'in.mp4'), streams(work / 'out.mp4')
    equal([s['codec_name'] for s in b], ['h264', 'aac'], 'streams')
    equal(len(frame_hashes(work / 'out.mp4')), 2 * len(frame_hashes(work / 'in.mp4')), 'frame count')
    equal(float(b[0]['duration']), float(a[0]['duration']), 'length of the video')
    equal(b[1]['duration'], a[1]['duration'], 'length of the sound')
    equal(packet_hashes(work / 'out.mp4', 'a:0'), packet_hashes(work / 'in.mp4', 'a:0'), 'sound')
    equal(b[0]['avg_frame_rate'], '40/1', 'rate')
    nothing_left(work, 'in.mp4', 'out.mp4')


@test('Matroska keeps two soundtracks, subtitles, a font, chapters, tags and languages')
def _(work):
    clip(work / 'v.mkv', frames=20)
    (work / 'font.ttf').write_bytes(bytes(range(256)) * 8)
    srt(work, 'a.srt', 'Hello', 'World')
    ffmpeg('-i', work / 'v.mkv', *audio(0.8), *audio(0.8, 880), '-i', work / 'a.srt',
           '-i', chapters(work), '-map', '1', '-map', '0', '-map', '2', '-map', '3', '-map', '3',
           '-map_metadata', '4', '-map_chapters', '4', '-c:v', 'copy', '-c:a:0', 'aac', '-c:a:1',
           'flac', '-c:s:0', 'srt', '-c:s:1', 'ass', '-metadata:s:a:0', 'language=eng',
           '-metadata:s:a:1', 'language=deu', '-metadata:s:a:1', 'title=Kommentar',
           '-metadata:s:s:0', 'language=fra', '-disposition:a:1', 'default+comment',
           '-disposition:s:0', 'forced', '-attach', work / 'font.ttf', '-metadata:s:t',
           'mimetype=application/x-truetype-font', work / 'in.mkv')
    dain(work / 'in.mkv', work / 'out.mkv')
    a, b = streams(work / 'in.mkv'), streams(work / 'out.mkv')
    equal([s['codec_type'] for s in b], [s['codec_type'] for s in a], 'order of streams')
    for x, y in zip(a, b):
        if x['codec_type'] == 'video':
            continue
        what = f'stream {x["index"]}'
        equal(y.get('codec_name'), x.get('codec_name'), f'codec of {what}')
        equal(y['disposition'], x['disposition'], f'disposition of {what}')
        for tag in ('language', 'title', 'filename', 'mimetype'):
            equal(y['tags'].get(tag), x['tags'].get(tag), f'{tag} of {what}')
        if x['codec_type'] != 'attachment':
            equal(packet_hashes(work / 'out.mkv', x['index']),
                  packet_hashes(work / 'in.mkv', x['index']), what)
    ffmpeg('-dump_attachment:t:0', work / 'back.ttf', '-i', work / 'out.mkv', '-f', 'null', '-')
    equal((work / 'back.ttf').read_bytes(), (work / 'font.ttf').read_bytes(), 'font')
    c = probe(work / 'out.mkv', '-show_chapters')['chapters']
    equal([(x['start_time'], x['end_time'], x['tags']['title']) for x in c],
          [('0.000000', '0.400000', 'First'), ('0.400000', '0.800000', 'Second')], 'chapters')
    tags = {k.lower(): v for k, v in probe(work / 'out.mkv', '-show_format')['format']['tags'].items()}
    equal((tags.get('title'), tags.get('artist')), ('A Title', 'Somebody'), 'tags')
    equal(len(frame_hashes(work / 'out.mkv')), 40, 'frame count')


@test('MP4 keeps rotation, aspect, text subtitles, cover art and chapters')
def _(work):
    clip(work / 'v.mp4', frames=20, vf='setsar=4/3')
    ffmpeg('-f', 'lavfi', '-i', 'color=red:size=32x32', '-frames:v', 1, work / 'cover.png')
    srt(work, 'a.srt', 'Hello')
    ffmpeg('-i', work / 'v.mp4', *audio(0.8), '-i', work / 'a.srt', '-i', work / 'cover.png', '-i',
           chapters(work), '-map', 0, '-map', 1, '-map', 2, '-map', 3, '-map_metadata', 4, '-c:v',
           'copy', '-c:a', 'aac', '-c:s', 'mov_text', '-disposition:v:1', 'attached_pic',
           work / 'flat.mp4')
    ffmpeg('-i', work / 'flat.mp4', '-map', 0, '-c', 'copy', '-metadata:s:v:0', 'rotate=90',
           work / 'in.mp4')
    before = video(work / 'in.mp4')
    check(any('rotation' in d for d in before.get('side_data_list', [])), 'no rotation to test with')
    dain(work / 'in.mp4', work / 'out.mp4')
    after = video(work / 'out.mp4')
    rotation = [d['rotation'] for s in (before, after) for d in s.get('side_data_list', [])
                if 'rotation' in d]
    equal(len(rotation), 2, 'number of rotations')
    equal(rotation[1], rotation[0], 'rotation')
    equal(after['sample_aspect_ratio'], before['sample_aspect_ratio'], 'aspect')
    a, b = streams(work / 'in.mp4'), streams(work / 'out.mp4')
    equal([(s['codec_type'], s['disposition']['attached_pic']) for s in b],
          [(s['codec_type'], s['disposition']['attached_pic']) for s in a], 'streams')
    for s in a[1:]:
        if s['codec_tag_string'] != 'text':  # the chapter track is made anew
            equal(packet_hashes(work / 'out.mp4', s['index'], times=False),
                  packet_hashes(work / 'in.mp4', s['index'], times=False), f'stream {s["index"]}')
    c = probe(work / 'out.mp4', '-show_chapters')['chapters']
    equal([x['tags']['title'] for x in c], ['First', 'Second'], 'chapters')


@test('sound that an edit list cut off does not come back in containers without such lists')
def _(work):
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=96x64:rate=25:duration=2', *audio(2), '-c:v', 'libx264', '-g', 100, '-c:a', 'aac',
           work / 'whole.mp4')
    ffmpeg('-ss', '0.72', '-i', work / 'whole.mp4', '-c', 'copy', work / 'in.mp4')
    check(float(streams(work / 'in.mp4')[0]['duration']) < 1.4, 'nothing is cut off')
    want = len(ffmpeg('-i', work / 'in.mp4', '-map', '0:a', '-f', 's16le', '-'))
    for name in ('out.mkv', 'out.mp4', 'out.ts'):
        dain(work / 'in.mp4', work / name)
        got = len(ffmpeg('-i', work / name, '-map', '0:a', '-f', 's16le', '-'))
        check(0 <= got - want <= 2 * 2 * 1024 * 2, f'{name}: {got} bytes of sound, {want} in the source')


@test('cover art of an MP4 becomes an attached file in Matroska')
def _(work):
    clip(work / 'v.mp4', frames=4)
    ffmpeg('-f', 'lavfi', '-i', 'color=red:size=32x32', '-frames:v', 1, work / 'cover.png')
    ffmpeg('-i', work / 'v.mp4', '-i', work / 'cover.png', '-map', 0, '-map', 1, '-c', 'copy',
           '-disposition:v:1', 'attached_pic', work / 'in.mp4')
    dain(work / 'in.mp4', work / 'out.mkv')
    s = streams(work / 'out.mkv')
    equal(s[1]['disposition']['attached_pic'], 1, 'cover')
    equal(packet_hashes(work / 'out.mkv', 1, times=False),
          packet_hashes(work / 'in.mp4', 1, times=False), 'cover')


@test('a stream that the container cannot hold, in no codec, is left out and named')
def _(work):
    clip(work / 'v.mkv', frames=10)
    srt(work, 'a.srt', 'Hello')
    ffmpeg('-i', work / 'v.mkv', '-i', work / 'a.srt', '-c', 'copy', '-metadata:s:s:0',
           'language=fra', work / 'in.mkv')
    run = dain(work / 'in.mkv', work / 'out.avi')
    check('warning: stream 1 (subtitle, subrip, fra) is left out: avi files cannot hold it' in
          run.stderr, run.stderr)
    equal([s['codec_type'] for s in streams(work / 'out.avi')], ['video'], 'streams')
    run = dain('-q', '-y', work / 'in.mkv', work / 'out.avi')
    equal(run.stderr, '', 'what -q says')


def lines(path):
    """The first subtitle stream as SubRip."""
    return ffmpeg('-i', path, '-map', '0:s:0', '-f', 'srt', '-').decode().replace('\r', '')


@test('what would be there but unreadable counts as not held: MPEG streams, covers, fonts')
def _(work):
    srt(work, 'a.srt', 'Hello')
    (work / 'font.ttf').write_bytes(bytes(range(256)) * 8)
    ffmpeg('-f', 'lavfi', '-i', 'color=red:size=32x32', '-frames:v', 1, work / 'cover.png')
    clip(work / 'v.mkv', frames=10)
    ffmpeg('-i', work / 'v.mkv', *audio(0.4), '-i', work / 'a.srt', '-map', 0, '-map', 1, '-map', 2, '-c:v', 'copy', '-c:a',
           'flac', '-c:s', 'srt', '-attach', work / 'font.ttf', '-metadata:s:t:0', 'mimetype=application/x-truetype-font',
           '-attach', work / 'cover.png', '-metadata:s:t:1', 'mimetype=image/png', work / 'in.mkv')
    equal(len(streams(work / 'in.mkv')), 5, 'streams')
    for name in ('out.ts', 'out.m2ts', 'out.mpg', 'out.avi', 'out.mov'):
        run = dain(work / 'in.mkv', work / name)
        told = dain('--dry-run', work / 'in.mkv', work / name, '-y').stdout
        kinds = [s['codec_type'] for s in streams(work / name)]
        kept = 3 if name == 'out.mov' else 2
        equal(kinds, ['video', 'audio', 'subtitle'][:kept], f'{name}: streams')
        equal(run.stderr.count('is left out'), 5 - kept, f'{name}: {run.stderr}')
        equal(told.count('left out'), 5 - kept, f'{name}: {told}')
    for codec, name in (('ffv1', 'no.ts'), ('prores_ks', 'no.mpg')):
        one_line(dain('-c', codec, work / 'in.mkv', work / name, code=1), 'cannot hold')


@test('subtitles of text become what the container holds, with their times and slanted words')
def _(work):
    clip(work / 'v.mkv', frames=50)
    srt(work, 'a.srt', 'Hello <i>you</i>', 'Two\nlines')
    for name, codec in (('in.mkv', 'srt'), ('in.mp4', 'mov_text')):
        ffmpeg('-i', work / 'v.mkv', '-i', work / 'a.srt', '-map', 0, '-map', 1, '-c', 'copy', '-c:s', codec,
               '-metadata:s:s:0', 'language=fra', work / name)
    for source, target, codec in (('in.mkv', 'a.mp4', 'mov_text'), ('in.mp4', 'b.mkv', 'ass'),
                                  ('in.mkv', 'c.mov', 'mov_text'), ('in.mp4', 'd.webm', 'webvtt')):
        if target == 'd.webm' and not have_encoder('libvpx-vp9'):
            continue
        run = dain(work / source, work / target)
        check(f'stream 1 (subtitle) becomes {codec}: ' in run.stderr, run.stderr)
        s = streams(work / target)
        equal([x['codec_name'] for x in s][1:], [codec], f'subtitles of {target}')
        equal(s[1]['tags'].get('language'), 'fra', f'language of {target}')
        text = lines(work / target)
        for part in ('00:00:00,100 --> 00:00:00,900\nHello <i>you</i>', '00:00:01,100 --> 00:00:01,900\nTwo\nlines'):
            check(part in text, f'{target}: {text}')
    dain('--slowmo', '2', work / 'in.mkv', work / 'slow.mp4')
    check('00:00:00,200 --> 00:00:01,800' in lines(work / 'slow.mp4'), lines(work / 'slow.mp4'))
    dain('--start', '1', '--factor', '2', work / 'in.mkv', work / 'part.mp4')
    check('00:00:00,100 --> 00:00:00,900\nTwo' in lines(work / 'part.mp4'), lines(work / 'part.mp4'))


def samples(path, stream=0):
    """A sound stream as 16-bit samples at 8 kHz; its first sample is at time 0."""
    import array
    data = ffmpeg('-i', path, '-map', f'0:a:{stream}', '-af', 'aresample=async=1:first_pts=0', '-ac', '1',
                  '-ar', '8000', '-f', 's16le', '-')
    return array.array('h', data)


@test('sound that the container cannot hold is encoded anew and stays at its place')
def _(work):
    clip(work / 'v.mkv', frames=50)
    click = "aevalsrc='if(between(t,1,1.04),sin(6283*t),0)':d=2:s=44100"
    ffmpeg('-i', work / 'v.mkv', '-f', 'lavfi', '-i', click, '-f', 'lavfi', '-i',
           'anoisesrc=d=2:c=pink:r=48000,pan=5.1(side)|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0', '-map', 0, '-map', 1,
           '-map', 2, '-c:v', 'copy', '-c:a:0', 'pcm_s24le', '-c:a:1', 'ac3', '-metadata:s:a:0', 'language=deu',
           '-disposition:a:0', 'comment', work / 'in.mkv')
    for target, codecs in (('a.mp4', ['aac', 'ac3']), ('b.webm', ['opus', 'opus'])):
        if target == 'b.webm' and not have_encoder('libvpx-vp9'):
            continue
        for args in ((), ('--segment', 10)):
            run = dain('-y', *args, work / 'in.mkv', work / target)
            check(f'stream 1 (audio) becomes {codecs[0]}: ' in run.stderr, run.stderr)
            s = streams(work / target)
            equal([x['codec_name'] for x in s][1:], codecs, f'sound of {target}')
            equal([x.get('channels') for x in s][1:], [1, 6], f'channels of {target}')
            equal(s[1]['tags'].get('language'), 'deu', f'language of {target}')
            if target == 'a.mp4':  # WebM has no such flag
                equal(s[1]['disposition']['comment'], 1, f'disposition of {target}')
            heard = samples(work / target)
            first = next(i for i, v in enumerate(heard) if abs(v) > 5000) / 8000
            check(abs(first - 1) < 0.02, f'{target}: the click is at {first} s, not 1')
            check(abs(len(heard) / 8000 - 2) < 0.06, f'{target}: {len(heard) / 8000} s of sound')
            check(max(samples(work / target, 1)) > 500, f'{target}: the second sound is silent')


@test('sound goes into MXF, whose muxer takes it beside a video only')
def _(work):
    clip(work / 'v.mkv', frames=10, size='320x240')
    ffmpeg('-i', work / 'v.mkv', *audio(0.4), '-map', 0, '-map', 1, '-c:v', 'copy', '-c:a', 'flac', work / 'in.mkv')
    run = dain(work / 'in.mkv', work / 'out.mxf')
    check('becomes pcm_s16le' in run.stderr, run.stderr)
    s = streams(work / 'out.mxf')
    equal([x['codec_name'] for x in s], ['mpeg2video', 'pcm_s16le'], 'streams')
    equal(s[1]['sample_rate'], '48000', 'rate')


@test('what the muxer refuses is not encoded into again; channels that nobody knows are left out')
def _(work):
    clip(work / 'v.mkv', frames=12)
    for codec, targets in (('flac', (('a.mp4', 'aac'), ('a.mov', 'aac'))), ('pcm_s16le', (('b.flv', 'pcm_s16le'),))):
        ffmpeg('-i', work / 'v.mkv', '-f', 'lavfi', '-i', 'sine=duration=0.5:sample_rate=48000', '-c:v', 'copy',
               '-c:a', codec, work / 'in.mkv')
        for target, want in targets:
            run = dain(work / 'in.mkv', work / target)
            check(f'stream 1 (audio) becomes {want}: ' in run.stderr, run.stderr)
            equal([x['codec_name'] for x in streams(work / target)], ['h264', want], f'streams of {target}')
            told = dain('--dry-run', '-y', work / 'in.mkv', work / target).stdout
            check(f'audio {codec}: becomes {want}' in told, told)
    ffmpeg('-i', work / 'v.mkv', '-f', 'lavfi', '-i', 'aevalsrc=0|0|0|0|0|0|0|0|0:d=0.5:s=48000', '-c:v', 'copy',
           '-c:a', 'pcm_s16le', work / 'nine.mkv')
    run = dain(work / 'nine.mkv', work / 'nine.mp4')
    check('stream 1 (audio, pcm_s16le) is left out' in run.stderr, run.stderr)
    one_line(dain('--slowmo', 2, '--slowmo-audio', work / 'nine.mkv', work / 'x.mkv', code=1), 'stream 1', 'no encoder')


@test('captions that a decoder gives when they end keep their beginning, the last one too')
def _(work):
    (work / 'c.scc').write_text(
        'Scenarist_SCC V1.0\n\n00:00:00:15\t9420 9420 94ae 94ae 9470 9470 c8e5 ecec ef80 942f 942f\n\n'
        '00:00:02:00\t942c 942c\n')
    clip(work / 'v.mkv', frames=75)
    ffmpeg('-i', work / 'v.mkv', '-i', work / 'c.scc', '-map', 0, '-map', 1, '-c', 'copy', work / 'in.mov')
    dain('--factor', 1, work / 'in.mov', work / 'out.mkv')
    want = ffmpeg('-i', work / 'in.mov', '-map', '0:s:0', '-f', 'srt', '-').decode()
    times = lambda text: [line for line in text.splitlines() if '-->' in line]
    check('Hello' in want and times(want), f'no caption to test with: {want}')
    equal(times(lines(work / 'out.mkv')), times(want), 'times')


@test('sound whose channels change on the way goes on, stretched or in another codec')
def _(work):
    clip(work / 'v.mkv', frames=25)
    for i, layout in enumerate(('stereo', '5.1', 'mono', 'stereo')):
        ffmpeg('-i', work / 'v.mkv', *audio(1, 500), '-c:v', 'copy', '-af', f'aformat=channel_layouts={layout}',
               '-c:a', 'ac3', '-output_ts_offset', i, work / f'{i}.ts')
    (work / 'in.ts').write_bytes(b''.join((work / f'{i}.ts').read_bytes() for i in range(4)))
    targets = [(('--slowmo', 2, '--slowmo-audio'), 'slow.mkv', 8)]
    if have_encoder('libvpx-vp9'):
        targets.append(((), 'a.webm', 4))
    for args, target, seconds in targets:
        dain('--no-scene', *args, work / 'in.ts', work / target)
        equal(streams(work / target)[1]['channels'], 2, f'channels of {target}')
        heard = samples(work / target)
        check(abs(len(heard) / 8000 - seconds) < 0.3, f'{target}: {len(heard) / 8000} s of sound')
        for quarter in range(4):
            middle = int(8000 * seconds * (quarter + 0.5) / 4)
            check(max(heard[middle - 400:middle + 400]) > 1000, f'{target}: silence in quarter {quarter}')


@test('sound goes from MPEG-TS to MP4 and back')
def _(work):
    clip(work / 'v.mkv', frames=12)
    ffmpeg('-i', work / 'v.mkv', *audio(0.5), '-c:v', 'copy', '-c:a', 'aac', work / 'in.ts')
    dain(work / 'in.ts', work / 'out.mp4')
    b = streams(work / 'out.mp4')
    equal([s['codec_name'] for s in b], ['h264', 'aac'], 'streams')
    def pcm(name):
        return ffmpeg('-i', work / name, '-map', 'a', '-f', 's16le', '-')
    check(len(pcm('out.mp4')) > 40000, 'no sound')
    equal(pcm('out.mp4'), pcm('in.ts'), 'decoded sound')
    dain(work / 'out.mp4', work / 'back.ts')
    equal(len(frame_hashes(work / 'back.ts')), 48, 'frame count')


@test('captions inside the video stay with their frames')
def _(work):
    # No tool here writes captions into H.264: unregistered SEI is what can be made, and x264 drops
    # it; so this only shows that frames with extra data go through.
    clip(work / 'in.mp4', frames=6, codec=('-c:v', 'libx264', '-qp', '0', '-bsf:v',
         'h264_metadata=sei_user_data=086f3693-b7b3-4f2c-9653-21492feee5b8+hello'))
    dain('-c', 'ffv1', work / 'in.mp4', work / 'out.mkv')
    equal(frame_hashes(work / 'out.mkv')[::2], frame_hashes(work / 'in.mp4'), 'source frames')


@test('--no-streams leaves the video alone')
def _(work):
    clip(work / 'v.mkv', frames=6)
    ffmpeg('-i', work / 'v.mkv', *audio(0.3), '-c:v', 'copy', work / 'in.mkv')
    dain('--no-streams', work / 'in.mkv', work / 'out.mkv')
    equal([s['codec_type'] for s in streams(work / 'out.mkv')], ['video'], 'streams')


@test('streams that begin later are left out, and said once')
def _(work):
    # More than the 5 MB that FFmpeg reads ahead; then a new list of streams.
    clip(work / 'v.mkv', size='320x256', frames=75, vf='noise=alls=100:allf=t',
         codec=('-c:v', 'libx264', '-preset', 'ultrafast', '-qp', 0))
    ffmpeg('-i', work / 'v.mkv', *audio(3), '-c:v', 'copy', '-c:a', 'mp2', work / '1.ts')
    sounds = [x for i in range(9) for x in audio(3, 200 + 50 * i)]
    ffmpeg('-i', work / 'v.mkv', *sounds, *(x for i in range(10) for x in ('-map', i)), '-c:v', 'copy',
           '-c:a', 'mp2', work / '2.ts')
    (work / 'in.ts').write_bytes((work / '1.ts').read_bytes() + (work / '2.ts').read_bytes())
    equal(len(streams(work / 'in.ts')), 2, 'number of streams at the beginning')
    for args in ((), ('--segment', 0), ('--segment', 40), ('--streams', 'video'), ('--no-streams',)):
        run = dain('-y', '--fps', 25, *args, work / 'in.ts', work / 'out.mkv')
        equal(run.stderr.count('streams that begin later are left out'), 1,
              f'warnings with {args}: {run.stderr}')
        equal(len(streams(work / 'out.mkv')), 2 if args[:1] in ((), ('--segment',)) else 1, f'streams with {args}')
        # Sound is a bit longer than the picture, which may leave room for a frame.
        check(len(frame_hashes(work / 'out.mkv')) in (150, 151), 'frame count')


@test('the timecode of a QuickTime file is kept')
def _(work):
    clip(work / 'in.mov', frames=6, extra=('-timecode', '01:02:03:04'))
    equal(streams(work / 'in.mov')[-1].get('codec_tag_string'), 'tmcd', 'timecode track')
    run = dain(work / 'in.mov', work / 'out.mov')
    check('left out' not in run.stderr, run.stderr)
    equal(video(work / 'out.mov')['tags'].get('timecode'), '01:02:03:08', 'timecode')
    equal(streams(work / 'out.mov')[-1].get('codec_tag_string'), 'tmcd', 'timecode track')


@test('the timecode is that of the first frame of the part, counted with dropped numbers too')
def _(work):
    for rate, code, start, want in (('25', '01:00:00:10', '1', '01:00:01:20'),
                                    ('25', '01:00:00:10', '0.05', '01:00:00:24'),
                                    ('25', '23:59:59:20', '1', '00:00:00:40'),
                                    ('30000/1001', '00:00:59;28', '0.1', '00:01:00;06'),
                                    ('30000/1001', '00:00:59:28', '0.1', '00:01:00:02')):
        clip(work / 'in.mov', rate=rate, frames=40, extra=('-timecode', code))
        dain('-q', '-y', '--start', start, work / 'in.mov', work / 'out.mov')
        equal(video(work / 'out.mov')['tags'].get('timecode'), want, f'timecode of {code} from {start} on')
    clip(work / 'in.mxf', frames=40, codec=('-c:v', 'mpeg2video'), extra=('-timecode', '01:00:00:10'))
    dain('-q', '-y', '--start', '1', work / 'in.mxf', work / 'out.mov')
    equal(video(work / 'out.mov')['tags'].get('timecode'), '01:00:01:20', 'timecode of MXF')


main()
