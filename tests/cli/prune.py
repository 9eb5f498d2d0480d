#!/usr/bin/env python3
"""dain prune: a smaller model that runs, what is printed, what cannot be pruned."""
import json
import re
import struct

from harness import DEMO, ROOT, check, dain, equal, ffmpeg, main, one_line, test

MODEL = ROOT / 'models' / 'edge.safetensors'


def header(path):
    data = path.read_bytes()
    return json.loads(data[8:8 + struct.unpack('<Q', data[:8])[0]])


def last_line(run):
    return run.stdout.strip().splitlines()[-1]


@test('a dry run prints what goes, writes nothing, and the real run does what it said')
def _(work):
    out = work / 'small.safetensors'
    dry = dain('prune', MODEL, '--target-macs', '15k', '--compared', '--dry-run', '-o', out)
    check(not out.exists(), 'the dry run wrote a file')
    equal(dain('prune', MODEL, '--target-macs', '15k', '--compared', '-o', out).stdout, dry.stdout, 'the table')
    after = float(re.search(r'-> ([\d.]+) kMAC', last_line(dry)).group(1))
    check(10 < after <= 15, last_line(dry))
    tensors, said = header(out), {}
    for line in dry.stdout.splitlines():
        part = line.split()
        if len(part) == 6 and part[1].isdigit():
            said[part[0]] = int(part[2])
            equal(tensors[part[0] + '.weight']['shape'][0], int(part[2]), 'channels of ' + part[0])
    equal(len(said), 39, 'layers in the table')
    check(said['ref2a'] < 32 and said['ref2o'] == 24 and said['depz'] == 1, str(said))
    check(f'{1000 * after:.0f}'[:3] in dain('info', '-m', out).stdout, 'dain info says another cost')


@test('a pruned model makes pictures, can be calibrated and pruned again')
def _(work):
    small, smaller, int8 = (work / name for name in ('small.safetensors', 'smaller.safetensors', 'int8.safetensors'))
    ffmpeg('-i', DEMO, '-an', '-vf', 'scale=128:72', '-frames:v', 3, '-c:v', 'libx264', '-qp', 0, work / 'clip.mkv')
    ffmpeg('-i', work / 'clip.mkv', work / 'frame%d.png')
    dain('prune', MODEL, '-o', small, '--ratio', 0.2, '--multiple', 4)
    dain('prune', small, '-o', smaller, '--ratio', 0.2, '--multiple', 4, '--only', 'ref', '--only', 'flo')
    equal(header(smaller)['enc1a.weight']['shape'], header(small)['enc1a.weight']['shape'], 'a layer not named')
    dain('quantize', smaller, '-o', int8, '--calib', work / 'clip.mkv', '--precision', 'int8', '--loss', 9,
         '--samples', 1)
    for model in (small, smaller, int8):
        picture = work / (model.stem + '.png')
        dain('-0', work / 'frame1.png', '-1', work / 'frame3.png', '-o', picture, '-m', model)
        equal(len(ffmpeg('-i', picture, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-')), 128 * 72 * 3, 'bytes of it')


@test('what cannot be pruned gets one line')
def _(work):
    out = work / 'out.safetensors'
    foreign = work / 'foreign.safetensors'
    text = b'{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    foreign.write_bytes(struct.pack('<Q', len(text)) + text + b'\0\0\0\0')
    for model, arguments, says in (
            (MODEL, ('--ratio', 0), 'between 0 and 1'), (MODEL, ('--ratio', 1), 'between 0 and 1'),
            (MODEL, ('--ratio', 0.001), 'nothing goes'), (MODEL, ('--ratio', 0.3, '--only', 'depz'), 'nothing goes'),
            (MODEL, ('--target-macs', '100'), 'out of reach'),
            (MODEL, ('--ratio', 0.3, '--importance', 'bn'), 'no batch norms'),
            (foreign, ('--ratio', 0.3), 'does not hold a network'), (DEMO, ('--ratio', 0.3), 'not a safetensors'),
            (work / 'absent.safetensors', ('--ratio', 0.3), 'absent')):
        one_line(dain('prune', model, '-o', out, *arguments, code=1), says)
    for arguments, says in (
            (('--ratio', 0.3, '--target-macs', '14k'), 'one of'), ((), 'one of'), (('--target-macs', '14x'), '14x'),
            (('--ratio', 0.3, '--importance', 'magic'), 'magic'), (('--ratio', 2), 'ratio')):
        one_line(dain('prune', MODEL, '-o', out, *arguments, code=2), says)
    damaged = work / 'damaged.safetensors'
    damaged.write_bytes(MODEL.read_bytes().replace(b'"ref8h.bias"', b'"ref8h.bios"'))
    one_line(dain('prune', damaged, '-o', out, '--ratio', 0.3, code=1), str(damaged), 'ref8h.bias')
    check(not out.exists(), 'a file was left')
    out.write_text('mine')
    one_line(dain('prune', MODEL, '-o', out, '--ratio', 0.3, code=1), 'exists')
    equal(out.read_text(), 'mine', 'the file that was there')


main()
