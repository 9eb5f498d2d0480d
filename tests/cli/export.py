#!/usr/bin/env python3
"""dain export: the file is well formed, and ONNX Runtime makes our pictures from it.

The structure is read with a few lines of our own. What needs the Python packages onnx, onnxruntime and numpy is
skipped where these are missing; to run it: python3 -m venv V && V/bin/pip install onnx onnxruntime numpy &&
V/bin/python tests/cli/export.py
"""
import ctypes
import json
import pathlib
import struct
import sys

import harness
from harness import ROOT, Skip, check, dain, equal, main, nothing_left, one_line, test

try:
    import numpy as np
    import onnx
    import onnxruntime as ort
except ImportError as missing:
    ort, WHY = None, str(missing)

GOLDEN = ROOT / 'tests' / 'golden' / 'edge'
MODEL = ROOT / 'models' / 'edge.safetensors'
STANDARD = {'Abs', 'Add', 'And', 'AveragePool', 'Cast', 'Clip', 'Concat', 'ConstantOfShape', 'Conv', 'ConvTranspose', 'DepthToSpace', 'Div',
            'DequantizeLinear', 'Exp', 'Expand', 'Floor', 'GatherElements', 'Greater', 'GreaterOrEqual', 'GridSample',
            'Identity', 'LeakyRelu', 'Less', 'LessOrEqual', 'Log', 'Max', 'MaxPool', 'Min', 'Mul', 'Neg', 'Pad',
            'QuantizeLinear', 'Range', 'ReduceMean', 'ReduceMin', 'Relu', 'Reshape', 'Resize', 'ScatterElements', 'Shape', 'Sigmoid', 'Slice', 'Softmax',
            'Sqrt', 'Squeeze', 'Sub', 'Transpose', 'Where'}


# ---- protocol buffers, as far as the structure needs them ----

def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7f) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return value, at


def fields(data):
    """{number: [values]} of a message: integers, or bytes."""
    found, at = {}, 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        elif key & 7 == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
            check(len(value) == size, 'a field is longer than the file')
        else:
            equal(key & 7, 5, 'wire type')
            value, at = data[at:at + 4], at + 4
        found.setdefault(key >> 3, []).append(value)
    return found


class Graph:
    def __init__(self, path):
        model = fields(pathlib.Path(path).read_bytes())
        graph = fields(model[7][0])
        self.ir, self.producer = model[1][0], model[2][0].decode()
        self.opset = fields(model[8][0])[2][0]
        self.meta = {f[1][0].decode(): f[2][0].decode() for f in map(fields, model[14])}
        self.nodes = [fields(n) for n in graph[1]]
        self.tensors = [fields(t) for t in graph[5]]
        self.inputs, self.outputs = self.infos(graph[11]), self.infos(graph[12])

    @staticmethod
    def infos(messages):
        """{name: shape}; axes of a size known at run time only are names."""
        out = {}
        for info in map(fields, messages):
            tensor = fields(fields(info[2][0])[1][0])
            dims = [fields(d) for d in fields(tensor[2][0])[1]]
            out[info[1][0].decode()] = [d[1][0] if 1 in d else d[2][0].decode() for d in dims]
        return out

    def check(self):
        known = set(self.inputs) | {t[8][0].decode() for t in self.tensors}
        equal(len(known), len(self.inputs) + len(self.tensors), 'number of different names')
        for node in self.nodes:
            for name in node.get(1, []):
                check(not name or name.decode() in known, f'{name} is read before it is made')
            check(node[4][0].decode() in STANDARD and 7 not in node, f'{node[4][0]} is not expected')
            for name in node[2]:
                check(name.decode() not in known, f'{name} is made twice')
                known.add(name.decode())
        check(set(self.outputs) <= known, 'an output is not made')
        sizes = {1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 10: 2}
        for t in self.tensors:
            count = 1
            for d in t.get(1, []):
                count *= d
            equal(len(t[9][0]), count * sizes[t[2][0]], f'bytes of {t[8][0]}')

    def weights(self):
        """Elements and type of the weights of the network."""
        count, types = 0, set()
        for t in self.tensors:
            if t[8][0].endswith((b'.weight', b'.bias')):
                count += len(t[9][0]) // (2 if t[2][0] == 10 else 4)
                types.add(t[2][0])
        return count, types


def safetensors_header(path):
    with open(path, 'rb') as f:
        size = struct.unpack('<Q', f.read(8))[0]
        return json.loads(f.read(size)), 8 + size


def elements_of_model(count=False):
    header, _ = safetensors_header(MODEL)
    if count:
        return sum(name.endswith('.weight') for name in header)
    total = 0
    for name, tensor in header.items():
        if name.endswith(('.weight', '.bias')):
            count = 1
            for d in tensor['shape']:
                count *= d
            total += count
    return total


@test('one file of standard operators with all the weights')
def _(work):
    dain('export', MODEL, '-o', work / 'a.onnx')
    g = Graph(work / 'a.onnx')
    g.check()
    equal((g.ir, g.opset, g.producer), (8, 16, 'dain'), 'versions and producer')
    equal(g.inputs, {'frame0': [1, 3, 'height', 'width'], 'frame1': [1, 3, 'height', 'width'], 't': [1]}, 'inputs')
    equal(g.outputs, {'frame': [1, 3, 'height', 'width']}, 'outputs')
    equal(g.weights(), (elements_of_model(), {1}), 'weights')
    for key in ('license', 'model_card', 'title', 'weights.version', 'weights.steps'):
        check(g.meta.get(key), f'no metadata {key}')
    nothing_left(work, 'a.onnx')


@test('a size of its own and half precision')
def _(work):
    dain('export', '-q', '-o', work / 'a.onnx', '--size', '161x99', '--precision', 'f16')
    g = Graph(work / 'a.onnx')
    g.check()
    equal(g.inputs['frame1'], [1, 3, 99, 161], 'shape of frame1')
    equal(g.outputs, {'frame': [1, 3, 99, 161]}, 'outputs')
    equal(g.weights(), (elements_of_model(), {10}), 'weights')


@test('8 bits: integers where the model has ranges, floats for motion')
def _(work):
    dain('export', '-q', '-o', work / 'a.onnx', '--precision', 'int8')
    g = Graph(work / 'a.onnx')
    g.check()
    equal(g.meta['precision'], 'int8', 'metadata')
    ops = [n[4][0].decode() for n in g.nodes]
    convolutions = elements_of_model(count=True)
    equal(sum(t[2][0] == 3 for t in g.tensors), convolutions, 'tensors of bytes')
    equal(sum(t[8][0].endswith(b'.motion.weight') for t in g.tensors), 6, 'convolutions of motion beside')
    check(ops.count('QuantizeLinear') >= 40, 'too few activations go through 8 bits')
    check((work / 'a.onnx').stat().st_size < 2e6, 'the file is large')


def original(work):
    """A model of the original network with random weights."""
    sys.path.insert(0, str(ROOT / 'training' / 'tests'))
    try:
        import dain_checkpoint
    except ImportError as missing:
        raise Skip(str(missing)) from missing
    tensors = dain_checkpoint.make(ROOT / 'tests' / 'golden' / 'dain' / 'state_dict.tsv')
    tensors = {k: v for k, v in tensors.items() if v.dtype.name == 'float32'}
    header, at = {'__metadata__': {'format': 'dain'}}, 0
    for name, v in tensors.items():
        header[name] = {'dtype': 'F32', 'shape': list(v.shape), 'data_offsets': [at, at + v.nbytes]}
        at += v.nbytes
    text = json.dumps(header).encode()
    path = work / 'dain.safetensors'
    path.write_bytes(struct.pack('<Q', len(text)) + text + b''.join(v.tobytes() for v in tensors.values()))
    return path


@test('the original network, of standard operators too')
def _(work):
    model = original(work)
    dain('export', '-q', model, '-o', work / 'd.onnx')
    g = Graph(work / 'd.onnx')
    g.check()
    equal(g.outputs, {'frame': [1, 3, 'height', 'width']}, 'outputs')
    equal(g.meta['network'], 'dain', 'metadata')
    ops = [n[4][0].decode() for n in g.nodes]
    equal((ops.count('ScatterElements'), ops.count('ConvTranspose')), (2, 16), 'splats and transposed convolutions')
    one_line(dain('export', model, '-o', work / 'e.onnx', '--precision', 'int8', code=1), 'not calibrated')
    check(not (work / 'e.onnx').exists(), 'a file is left')


@test('three files that fit together')
def _(work):
    dain('export', '-o', work / 'a.b.onnx', '--split')
    nothing_left(work, 'a.b-frame.onnx', 'a.b-pair.onnx', 'a.b-time.onnx')
    frame, pair, time = (Graph(work / f'a.b-{p}.onnx') for p in ('frame', 'pair', 'time'))
    made = {}
    for g in (frame, pair, time):
        g.check()
    for name, shape in frame.outputs.items():
        made[name + '_0'] = made[name + '_1'] = shape
    made.update(pair.outputs)
    for g in (pair, time):
        for name, shape in g.inputs.items():
            equal(made.get(name, [1] if name == 't' else None), shape, f'shape of {name}')
    equal(list(time.outputs), ['frame'], 'outputs of the last part')


@test('mistakes in use and models that cannot be exported get one line')
def _(work):
    one_line(dain('export', MODEL, code=2), '-o FILE')
    one_line(dain('export', '-o', work / 'a.onnx', '--precision', 'bf16', code=2), 'f16 or int8')
    (work / 'plain.safetensors').write_bytes(MODEL.read_bytes().replace(b'.range"', b'.rangX"'))
    one_line(dain('export', work / 'plain.safetensors', '-o', work / 'a.onnx', '--precision', 'int8', code=1),
             'not calibrated')
    (work / 'plain.safetensors').unlink()
    one_line(dain('export', '-o', work / 'a.onnx', '--size', '8x8', code=2), '16384')
    one_line(dain('export', work / 'missing', '-o', work / 'a.onnx', code=1), 'missing')
    (work / 'kept.onnx').write_text('mine')
    one_line(dain('export', '-o', work / 'kept.onnx', code=1), 'exists')
    equal((work / 'kept.onnx').read_text(), 'mine', 'the existing file')
    nothing_left(work, 'kept.onnx')


# ---- against our own pictures ----

class Image(ctypes.Structure):
    """DainImage."""
    _fields_ = [('width', ctypes.c_int), ('height', ctypes.c_int), ('sample', ctypes.c_int), ('peak', ctypes.c_int),
                ('step', ctypes.c_int), ('plane', ctypes.c_void_p * 4), ('stride', ctypes.c_ssize_t * 4),
                ('reserved', ctypes.c_uint64 * 2)]

    @classmethod
    def of(cls, picture):
        """Of floats, 3 x height x width, contiguous."""
        _, h, w = picture.shape
        planes = [picture[c].ctypes.data for c in range(3)] + [None]
        return cls(w, h, 2, 0, 1, (ctypes.c_void_p * 4)(*planes), (ctypes.c_ssize_t * 4)(*[4 * w] * 3, 0))


def ours(frames, times, model=MODEL):
    """Pictures of our own engine at the times num/den, as floats."""
    lib = ctypes.CDLL(str(pathlib.Path(harness.DAIN).parent / 'libdain.so'))
    context = ctypes.c_void_p()
    lib.dain_interpolate.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    settings = (ctypes.c_char_p * 32)(str(model).encode())  # DainSettings: the model, and zeros
    equal(lib.dain_open(ctypes.byref(context), settings), 0, 'dain_open()')
    for frame in frames:
        equal(lib.dain_push(context, ctypes.byref(Image.of(frame))), 0, 'dain_push()')
    out = []
    for num, den in times:
        picture = np.zeros_like(frames[0])
        equal(lib.dain_interpolate(context, num, den, ctypes.byref(Image.of(picture))), 0, 'dain_interpolate()')
        out.append(picture)
    lib.dain_close(ctypes.byref(context))
    return out


def golden_frames(name):
    header, begin = safetensors_header(GOLDEN / f'{name}.safetensors')
    data = (GOLDEN / f'{name}.safetensors').read_bytes()
    frames = []
    for key in ('im0', 'im1'):
        first, last = header[key]['data_offsets']
        picture = np.frombuffer(data[begin + first:begin + last], np.uint8).reshape(header[key]['shape'])
        frames.append(np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32) / np.float32(255))
    return frames


def session(path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])


def need_runtime():
    if not ort:
        raise Skip(f'{WHY} (the packages onnx, onnxruntime and numpy are needed)')


TIMES = [(1, 4), (1, 2)]
SIZES = ('net_96x64', 'net_161x99', 'net_real_256')


def run_whole(s, frames, t):
    return s.run(['frame'], {'frame0': frames[0][None], 'frame1': frames[1][None], 't': np.float32([t])})[0][0]


def compare(what, got, want):
    """Within 1e-3 for 99.9 % of the pixels."""
    equal(got.shape, want.shape, f'{what}: shape')
    error = np.abs(got - want).max(0)
    far = float((error > 1e-3).mean())
    print(f'    {what}: largest difference {error.max():.2e}, {100 * far:.3f} % of pixels beyond 1e-3')
    check(far <= 1e-3, f'{what}: {100 * far:.2f} % of the pixels differ by more than 1e-3')


@test('ONNX Runtime makes our pictures from one file, in three sizes and at two times')
def _(work):
    need_runtime()
    dain('export', MODEL, '-q', '-o', work / 'a.onnx')
    onnx.checker.check_model(onnx.load(work / 'a.onnx'), full_check=True)
    s = session(work / 'a.onnx')
    for name in SIZES:
        frames = golden_frames(name)
        for (num, den), want in zip(TIMES, ours(frames, TIMES)):
            compare(f'{name} at {num}/{den}', run_whole(s, frames, num / den), want)


@test('so it does from a file for one size')
def _(work):
    need_runtime()
    dain('export', MODEL, '-q', '-o', work / 'a.onnx', '--size', '161x99')
    onnx.checker.check_model(onnx.load(work / 'a.onnx'), full_check=True)
    frames = golden_frames('net_161x99')
    compare('fixed size', run_whole(session(work / 'a.onnx'), frames, 0.5), ours(frames, [(1, 2)])[0])


@test('so it does from three files')
def _(work):
    need_runtime()
    dain('export', MODEL, '-q', '-o', work / 'a.onnx', '--split')
    parts = {}
    for p in ('frame', 'pair', 'time'):
        onnx.checker.check_model(onnx.load(work / f'a-{p}.onnx'), full_check=True)
        parts[p] = session(work / f'a-{p}.onnx')

    def run(part, known):
        s = parts[part]
        out = s.run(None, {i.name: known[i.name] for i in s.get_inputs()})
        return dict(zip([o.name for o in s.get_outputs()], out))

    frames = golden_frames('net_161x99')
    known = {}
    for i, frame in enumerate(frames):
        known.update({f'{k}_{i}': v for k, v in run('frame', {'frame': frame[None]}).items()})
    known.update(run('pair', known))
    for (num, den), want in zip(TIMES, ours(frames, TIMES)):
        known['t'] = np.float32([num / den])
        compare(f'three parts at {num}/{den}', run('time', known)['frame'][0], want)


@test('half precision costs little')
def _(work):
    need_runtime()
    dain('export', MODEL, '-q', '-o', work / 'a.onnx', '--precision', 'f16')
    onnx.checker.check_model(onnx.load(work / 'a.onnx'), full_check=True)
    s = session(work / 'a.onnx')
    for name in SIZES:
        frames = golden_frames(name)
        want = ours(frames, [(1, 2)])[0]
        psnr = -10 * np.log10(np.mean((run_whole(s, frames, 0.5) - want) ** 2))
        print(f'    {name} in f16: {psnr:.1f} dB from f32')
        check(psnr > 80, f'{name}: {psnr:.1f} dB')


@test('8 bits cost little')
def _(work):
    need_runtime()
    dain('export', MODEL, '-q', '-o', work / 'a.onnx', '--precision', 'int8')
    onnx.checker.check_model(onnx.load(work / 'a.onnx'), full_check=True)
    s = session(work / 'a.onnx')
    for name in SIZES:
        frames = golden_frames(name)
        want = ours(frames, [(1, 2)])[0]
        psnr = -10 * np.log10(np.mean((run_whole(s, frames, 0.5) - want) ** 2))
        print(f'    {name} in 8 bits: {psnr:.1f} dB from f32')
        check(psnr > 30, f'{name}: {psnr:.1f} dB')


@test('ONNX Runtime makes our pictures with the original network, in three sizes from one file')
def _(work):
    need_runtime()
    model = original(work)
    whole = golden_frames('net_96x64')
    sizes = [whole] + [[np.ascontiguousarray(f[:, :h, :w]) for f in whole] for w, h in ((64, 64), (73, 50))]
    for precision in ('f32', 'f16'):
        dain('export', '-q', '-y', model, '-o', work / 'd.onnx', '--precision', precision)
        if precision == 'f32':
            onnx.checker.check_model(onnx.load(work / 'd.onnx'), full_check=True)
        s = session(work / 'd.onnx')
        for frames in sizes if precision == 'f32' else sizes[:1]:
            what = f'{frames[0].shape[2]}x{frames[0].shape[1]}'
            for (num, den), want in zip(TIMES, ours(frames, TIMES, model)):
                got = run_whole(s, frames, num / den)
                if precision == 'f32':
                    compare(f'{what} at {num}/{den}', got, want)
                else:
                    psnr = -10 * np.log10(np.mean((got - want) ** 2))
                    print(f'    {what} in f16: {psnr:.1f} dB from f32')
                    check(psnr > 30, f'{psnr:.1f} dB')


@test('OpenVINO makes our pictures from the same files')
def _(work):
    need_runtime()
    try:
        import openvino
    except ImportError as missing:
        raise Skip(f'{missing} (the package openvino is needed)') from missing
    core = openvino.Core()
    frames = golden_frames('net_161x99')
    for precision in ('f32', 'int8'):
        dain('export', '-q', '-y', MODEL, '-o', work / 'a.onnx', '--precision', precision)
        network = core.compile_model(str(work / 'a.onnx'), 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})
        got = network({'frame0': frames[0][None], 'frame1': frames[1][None], 't': np.float32([0.5])})[0][0]
        want = ours(frames, [(1, 2)])[0]
        if precision == 'f32':
            compare('OpenVINO', got, want)
        else:
            psnr = -10 * np.log10(np.mean((got - want) ** 2))
            print(f'    OpenVINO in 8 bits: {psnr:.1f} dB from f32')
            check(psnr > 30, f'{psnr:.1f} dB')


main()
