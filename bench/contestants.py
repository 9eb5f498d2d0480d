"""Those who make the picture between two, each behind the same few functions.

A contestant is opened for a size and a number of threads; step(frame) takes the next frame of the clip (height x width x 3 bytes)
and returns the picture half-way between it and the one before, as bytes. What belongs to one frame only is kept, as everybody
would who makes a film twice as fast. Conversions from and to bytes are inside, as a player has to make them too.
"""
import ctypes
import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
MODEL = ROOT / 'models' / 'edge.safetensors'


def planar(frame):
    return np.ascontiguousarray(frame.transpose(2, 0, 1)[None], np.float32) / np.float32(255)


def packed(picture):
    return np.rint(np.clip(picture[0], 0, 1) * 255).astype(np.uint8).transpose(1, 2, 0)


class Contestant:
    weights = True  # trained ones: its quality means something
    repeats = True  # quick enough for several rounds

    def __init__(self, job):
        self.width, self.height, self.threads = job['width'], job['height'], job['threads']
        self.precision, self.folder = job.get('precision', 'f32'), pathlib.Path(job['folder'])
        self.before = None
        self.version = ''
        self.open()

    def step(self, frame):
        out = self.make(self.before, frame) if self.before is not None else self.start(frame)
        self.before = frame
        return out

    def start(self, frame):
        return None


# ---- ours ----

class Settings(ctypes.Structure):
    """DainSettings, and room for what later versions add."""
    _fields_ = [('model', ctypes.c_char_p), ('threads', ctypes.c_int), ('precision', ctypes.c_int),
                ('rest', ctypes.c_char * 256)]


class Image(ctypes.Structure):
    """DainImage."""
    _fields_ = [('width', ctypes.c_int), ('height', ctypes.c_int), ('sample', ctypes.c_int), ('peak', ctypes.c_int),
                ('step', ctypes.c_int), ('plane', ctypes.c_void_p * 4), ('stride', ctypes.c_ssize_t * 4),
                ('reserved', ctypes.c_uint64 * 2)]

    @classmethod
    def of(cls, array):
        h, w, _ = array.shape
        at = array.ctypes.data
        return cls(w, h, 0, 0, 3, (ctypes.c_void_p * 4)(at, at + 1, at + 2, None), (ctypes.c_ssize_t * 4)(*[3 * w] * 3, 0))


class Ours(Contestant):
    def open(self):
        self.lib = ctypes.CDLL(os.environ['DAIN_LIBRARY'])
        self.lib.dain_version.restype = ctypes.c_char_p
        self.lib.dain_last_error.restype = ctypes.c_char_p
        self.lib.dain_interpolate.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
        self.version = 'dain ' + self.lib.dain_version().decode()
        self.context = ctypes.c_void_p()
        precision = ['auto', 'f32', 'bf16', 'int8'].index(self.precision)
        if self.lib.dain_open(ctypes.byref(self.context),
                              ctypes.byref(Settings(str(MODEL).encode(), self.threads, precision))):
            raise RuntimeError('dain_open() failed')

    def push(self, frame):
        if self.lib.dain_push(self.context, ctypes.byref(Image.of(np.ascontiguousarray(frame)))):
            raise RuntimeError(self.lib.dain_last_error(self.context).decode())

    def start(self, frame):
        self.push(frame)

    def make(self, _, frame):
        self.push(frame)
        out = np.empty_like(frame)
        if self.lib.dain_interpolate(self.context, 1, 2, ctypes.byref(Image.of(out))):
            raise RuntimeError(self.lib.dain_last_error(self.context).decode())
        return out


# ---- our network elsewhere ----

class Parts(Contestant):
    """The three files of `dain export --split`, with features kept between them."""

    def export(self):
        precision = self.precision if self.precision == 'int8' else 'f32'
        stem = self.folder / f'edge-{precision}-{self.width}x{self.height}'
        if not pathlib.Path(f'{stem}-time.onnx').exists():
            subprocess.run([os.environ['DAIN'], 'export', '-q', '-y', str(MODEL), '-o', f'{stem}.onnx', '--split', '--size',
                            f'{self.width}x{self.height}', '--precision', precision], check=True)
        return [f'{stem}-{part}.onnx' for part in ('frame', 'pair', 'time')]

    def analyse(self, frame):
        return self.run('frame', {'frame': planar(frame)})

    def start(self, frame):
        self.kept = self.analyse(frame)

    def make(self, _, frame):
        new = self.analyse(frame)
        known = {f'{k}_0': v for k, v in self.kept.items()} | {f'{k}_1': v for k, v in new.items()}
        self.kept = new
        known.update(self.run('pair', known))
        known['t'] = np.float32([0.5])
        return packed(self.run('time', known)['frame'])


def ort_session(path, threads):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Three sessions take turns: those that wait must not spin.
    options.add_session_config_entry('session.intra_op.allow_spinning', '1' if threads == 1 else '0')
    return onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])


class OnnxRuntime(Parts):
    def open(self):
        import onnxruntime
        self.version = 'ONNX Runtime ' + onnxruntime.__version__
        self.parts = dict(zip(('frame', 'pair', 'time'), (ort_session(p, self.threads) for p in self.export())))

    def run(self, part, known):
        s = self.parts[part]
        out = s.run(None, {i.name: known[i.name] for i in s.get_inputs()})
        return dict(zip([o.name for o in s.get_outputs()], out))


def openvino_compile(path, threads, precision):
    import openvino
    hint = 'bf16' if precision == 'bf16' else 'f32'
    network = openvino.Core().compile_model(str(path), 'CPU', {
        'INFERENCE_PRECISION_HINT': hint, 'INFERENCE_NUM_THREADS': threads, 'NUM_STREAMS': 1,
        'PERFORMANCE_HINT': 'LATENCY'})
    return network, network.create_infer_request()


class OpenVino(Parts):
    def open(self):
        import openvino
        self.version = 'OpenVINO ' + openvino.__version__.split('-')[0]
        self.parts = dict(zip(('frame', 'pair', 'time'),
                              (openvino_compile(p, self.threads, self.precision) for p in self.export())))

    def run(self, part, known):
        network, request = self.parts[part]
        out = request.infer({name_of(i): known[name_of(i)] for i in network.inputs}, share_inputs=True)
        return {name_of(o): np.array(out[o]) for o in network.outputs}


def name_of(port):
    """A result may have the name of what it was copied from, too; those have a stroke in them."""
    return next(n for n in port.get_names() if '/' not in n)


def torch_threads(threads):
    import torch
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    return torch


class Torch(Contestant):
    """training/edgetrain/network.py; a frame is encoded once."""

    def open(self):
        self.torch = torch_threads(self.threads)
        sys.path.insert(0, str(ROOT / 'training'))
        from edgetrain import network, safetensors
        self.version = 'PyTorch ' + self.torch.__version__
        tensors = safetensors.read(str(MODEL))
        tensors = tensors[0] if isinstance(tensors, tuple) else tensors
        self.network = network
        self.net = network.Edge.from_tensors(
            {k: v for k, v in tensors.items() if k.endswith(('.weight', '.bias'))}).eval()

    def analyse(self, frame):
        x = self.torch.from_numpy(planar(frame))
        pad = (0, -self.width % self.network.STRIDE, 0, -self.height % self.network.STRIDE)
        x = self.torch.nn.functional.pad(x, pad, mode='replicate')
        features = self.net.encode(x)
        return x, features, self.net.depth(features)

    def start(self, frame):
        self.kept = self.analyse(frame)

    def make(self, _, frame):
        torch, net = self.torch, self.net
        (i0, f0, z0), (i1, f1, z1) = self.kept, self.analyse(frame)
        self.kept = i1, f1, z1
        both = [torch.cat(p) for p in zip(f0, f1)], [torch.cat(p) for p in zip(f1, f0)]
        pair = net.pair_flow(*both)
        w = (torch.cat((z0, z1)) + pair[3]).clamp(-self.network.Z_MAX, self.network.Z_MAX)
        t = torch.full((1, 1, 1, 1), 0.5)
        ft0, ft1, c0, c1 = net.project(pair[2][:1], pair[2][1:], w[:1], w[1:], t)
        flows, s = net.refine(i0, i1, f0, f1, torch.cat((ft0, ft1), 1), c0, c1, t)
        out = net.compose(i0, i1, flows[2], s, t)['out']
        return packed(out[:, :, :self.height, :self.width].numpy())


class Ncnn(Contestant):
    """The convolutions of our network alone, with their activations and sizes, on random input: ncnn has no scatter that
    adds, so the whole cannot be run. What it has left out is time that it is spared."""
    weights = False

    def open(self):
        import ncnn
        self.ncnn = ncnn
        self.version = 'ncnn ' + ncnn.__version__
        data = MODEL.read_bytes()
        size = int.from_bytes(data[:8], 'little')
        header = json.loads(data[8:8 + size])
        shapes = {k[:-7]: v['shape'] for k, v in header.items() if k.endswith('.weight')}
        w, h = (self.width + 31) // 32 * 32, (self.height + 31) // 32 * 32
        level = {'dep5': 32, 'dep4': 16, 'dep3': 8, 'depz': 8, 'flo5': 32, 'flo4': 16, 'flo3': 8, 'ref8': 8, 'ref4': 4,
                 'ref2': 2}
        layers, blobs, self.inputs = [], 0, []
        rng = np.random.default_rng(1)
        weights = b''
        for name, (oc, ci, kh, kw) in shapes.items():
            stride = 2 if name.startswith('enc') and name.endswith('a') else 1
            if name.startswith('enc'):
                down = 2 ** int(name[3]) // stride
            else:
                down = level[name[:4]]
            linear = name[-1] in 'fzo' and not name.startswith('enc')
            layers += [f'Input in_{name} 0 1 in_{name}',
                       f'Convolution {name} 1 1 in_{name} out_{name} 0={oc} 1={kw} 3={stride} 4={kw // 2} 5=1 '
                       f'6={oc * ci * kh * kw}' + ('' if linear else ' 9=2 -23310=1,0.1')]
            blobs += 2
            weights += bytes(4) + rng.normal(0, 0.05, oc * ci * kh * kw).astype(np.float32).tobytes()
            weights += np.zeros(oc, np.float32).tobytes()
            count = 2 if name.startswith('flo') else 1  # both directions
            self.inputs.append((name, count, rng.random((ci, h // down, w // down), np.float32)))
        stem = self.folder / f'ncnn-{self.width}x{self.height}'
        pathlib.Path(f'{stem}.param').write_text(f'7767517\n{len(layers)} {blobs}\n' + '\n'.join(layers) + '\n')
        pathlib.Path(f'{stem}.bin').write_bytes(weights)
        self.net = ncnn.Net()
        self.net.opt.num_threads = self.threads
        self.net.opt.use_fp16_packed = self.net.opt.use_fp16_storage = self.net.opt.use_fp16_arithmetic = False
        self.net.opt.use_bf16_storage = self.precision == 'bf16'
        if self.net.load_param(f'{stem}.param') or self.net.load_model(f'{stem}.bin'):
            raise RuntimeError('ncnn does not read its files')
        self.mats = [(name, count, ncnn.Mat(x).clone()) for name, count, x in self.inputs]

    def make(self, before, frame):
        for name, count, mat in self.mats:
            for _ in range(count):
                with self.net.create_extractor() as run:
                    run.input(f'in_{name}', mat)
                    code, _ = run.extract(f'out_{name}')
                    if code:
                        raise RuntimeError(f'ncnn: {name}')
        return None


# ---- other networks ----

class Original(Contestant):
    """training/dain_torch.py, the published network, with random weights of its shapes."""
    weights = repeats = False

    def open(self):
        self.torch = torch_threads(self.threads)
        sys.path.insert(0, str(ROOT / 'training'))
        import dain_torch
        self.version = 'PyTorch ' + self.torch.__version__
        self.torch.manual_seed(1)
        self.net = dain_torch.Dain().eval()
        self.pad = [side for size in (self.width, self.height) for side in dain_torch.padding(size, False)]

    def analyse(self, frame):
        x = self.torch.nn.functional.pad(self.torch.from_numpy(planar(frame)), self.pad, mode='replicate')
        return self.net.frame(x)

    def start(self, frame):
        self.kept = self.analyse(frame)

    def make(self, _, frame):
        new = self.analyse(frame)
        out = self.net.at(self.kept, new, self.net.pair(self.kept, new), 0.5)['output']
        self.kept = new
        return packed(out[:, :, :self.height, :self.width].numpy())


class Rife(Contestant):
    """The layers of RIFE 4.25-lite (rife.py), random weights."""
    weights = False

    def open(self):
        import rife
        self.rife = rife
        self.torch = torch_threads(self.threads)
        self.version = 'PyTorch ' + self.torch.__version__
        self.net = rife.build(*rife.padded(self.width, self.height))

    def pad(self, frame):
        w, h = self.width + -self.width % 128, self.height + -self.height % 128
        return np.pad(planar(frame), ((0, 0), (0, 0), (0, h - self.height), (0, w - self.width)))

    def start(self, frame):
        self.code = self.torch.zeros(1, 4, *self.pad(frame).shape[2:])

    def make(self, before, frame):
        a, b = (self.torch.from_numpy(self.pad(f)) for f in (before, frame))
        out, self.code = self.net(a, b, self.code, self.torch.tensor([0.5]))
        return packed(out[:, :, :self.height, :self.width].numpy())


class RifeFile(Rife):
    """The same from an ONNX file, which needs PyTorch to be written: run.py does that before."""

    def file(self):
        path = self.folder / f'rife-{self.width}x{self.height}.onnx'
        if not path.exists():
            raise RuntimeError('its ONNX file needs PyTorch to be written')
        return path

    def start(self, frame):
        self.code = np.zeros((1, 4, *self.pad(frame).shape[2:]), np.float32)

    def make(self, before, frame):
        out, self.code = self.infer({'frame0': self.pad(before), 'frame1': self.pad(frame), 'code0': self.code,
                                     't': np.float32([0.5])})
        return packed(out[:, :, :self.height, :self.width])


class RifeOnnxRuntime(RifeFile):
    def open(self):
        import onnxruntime
        self.version = 'ONNX Runtime ' + onnxruntime.__version__
        session = ort_session(self.file(), self.threads)
        self.infer = lambda feed: session.run(None, feed)


class RifeOpenVino(RifeFile):
    def open(self):
        import openvino
        self.version = 'OpenVINO ' + openvino.__version__.split('-')[0]
        network, request = openvino_compile(self.file(), self.threads, self.precision)

        def infer(feed):
            out = request.infer(feed, share_inputs=True)
            return [np.array(out[o]) for o in network.outputs]
        self.infer = infer


# ---- without networks ----

class Blend(Contestant):
    def open(self):
        self.version = 'NumPy ' + np.__version__

    def make(self, before, frame):
        return ((before.astype(np.uint16) + frame + 1) // 2).astype(np.uint8)


class Dis(Contestant):
    """OpenCV's DIS flow both ways at half the time, both frames warped, the mean of the two."""

    def open(self):
        import cv2
        self.cv2 = cv2
        cv2.setNumThreads(self.threads)
        self.version = 'OpenCV ' + cv2.__version__
        preset = {'fast': cv2.DISOPTICAL_FLOW_PRESET_FAST, 'medium': cv2.DISOPTICAL_FLOW_PRESET_MEDIUM}[self.precision]
        self.dis = cv2.DISOpticalFlow_create(preset)
        self.x, self.y = np.meshgrid(np.arange(self.width, dtype=np.float32), np.arange(self.height, dtype=np.float32))

    def warp(self, frame, flow):
        cv2 = self.cv2
        return cv2.remap(frame, self.x + 0.5 * flow[..., 0], self.y + 0.5 * flow[..., 1], cv2.INTER_LINEAR,
                         borderMode=cv2.BORDER_REPLICATE)

    def make(self, before, frame):
        cv2 = self.cv2
        a, b = (cv2.cvtColor(f, cv2.COLOR_RGB2GRAY) for f in (before, frame))
        # The flow at a pixel half-way is taken for that of the frames' pixels there.
        forward, back = self.dis.calc(a, b, None), self.dis.calc(b, a, None)
        return cv2.addWeighted(self.warp(before, back), 0.5, self.warp(frame, forward), 0.5, 0)


class Minterpolate(Contestant):
    """FFmpeg's filter on a whole clip: one picture at a time it cannot."""
    whole_clip = True

    def open(self):
        text = subprocess.run(['ffmpeg', '-version'], capture_output=True, text=True, check=True).stdout
        self.version = 'FFmpeg ' + text.split()[2]

    def film(self, frames):
        """New pictures, by the number of the frame before them, and seconds."""
        size = f'{self.width}x{self.height}'
        n = str(self.threads)
        start = time.perf_counter()
        run = subprocess.run(
            ['ffmpeg', '-nostdin', '-v', 'info', '-nostats', '-threads', n, '-filter_threads', n, '-f', 'rawvideo', '-pix_fmt',
             'rgb24', '-s', size, '-r', '10', '-i', '-', '-vf',
             'format=yuv420p,minterpolate=fps=20:mi_mode=mci,showinfo,format=rgb24', '-fps_mode', 'passthrough', '-f',
             'rawvideo', '-'], input=b''.join(f.tobytes() for f in frames), capture_output=True)
        seconds = time.perf_counter() - start
        if run.returncode:
            raise RuntimeError(run.stderr.decode()[-200:])
        times = [float(line.split('pts_time:')[1].split()[0]) for line in run.stderr.decode().splitlines()
                 if 'pts_time:' in line]
        out = np.frombuffer(run.stdout, np.uint8).reshape(-1, self.height, self.width, 3)
        new = {round(t * 20) // 2: p for t, p in zip(times, out) if round(t * 20) % 2}
        return new, seconds


ALL = {c.__name__: c for c in (Ours, OnnxRuntime, OpenVino, Torch, Ncnn, Original, Rife, RifeOnnxRuntime, RifeOpenVino, Blend,
                               Dis, Minterpolate)}
