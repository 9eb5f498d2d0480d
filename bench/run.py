#!/usr/bin/env python3
"""Ours beside everybody else: the same frames, the same number of threads, in turns.

    bench/run.py [--sizes 640x480,1280x720] [--threads 1,2] [--only NAME;...] [--rounds 5] [--json FILE] [--markdown FILE]

Every contestant is a process of its own (worker.py) that sleeps while the others work. In each round each makes a few
pictures; the table has the median of all, its ratio to ours in f32, and the memory that the process took beyond its
libraries. Those that are not installed are named. Contestants may live in different Pythons (PyTorch of the system, engines in a
virtual environment): $BENCH_PYTHON lists interpreters, with colons between.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
HERE = pathlib.Path(__file__).resolve().parent

# Name, class in contestants.py, precision, modules it needs, what is compared with what.
OWN, SAME, OTHER, CLASSIC = 'ours', 'the same network', 'other networks', 'without networks'
TABLE = [
    ('ours f32', 'Ours', 'f32', ('numpy',), OWN),
    ('ours bf16', 'Ours', 'bf16', ('numpy',), OWN),
    ('ours int8', 'Ours', 'int8', ('numpy',), OWN),
    ('edge, ONNX Runtime f32', 'OnnxRuntime', 'f32', ('numpy', 'onnxruntime'), SAME),
    ('edge, ONNX Runtime int8', 'OnnxRuntime', 'int8', ('numpy', 'onnxruntime'), SAME),
    ('edge, OpenVINO f32', 'OpenVino', 'f32', ('numpy', 'openvino'), SAME),
    ('edge, OpenVINO bf16', 'OpenVino', 'bf16', ('numpy', 'openvino'), SAME),
    ('edge, OpenVINO int8', 'OpenVino', 'int8', ('numpy', 'openvino'), SAME),
    ('edge, PyTorch f32', 'Torch', 'f32', ('numpy', 'torch'), SAME),
    ('edge, ncnn f32, convolutions only', 'Ncnn', 'f32', ('numpy', 'ncnn'), SAME),
    ('edge, ncnn bf16, convolutions only', 'Ncnn', 'bf16', ('numpy', 'ncnn'), SAME),
    ('DAIN, the original, PyTorch f32', 'Original', 'f32', ('numpy', 'torch'), OTHER),
    ('RIFE 4.25-lite layers, PyTorch f32', 'Rife', 'f32', ('numpy', 'torch'), OTHER),
    ('RIFE 4.25-lite layers, ONNX Runtime f32', 'RifeOnnxRuntime', 'f32', ('numpy', 'onnxruntime'), OTHER),
    ('RIFE 4.25-lite layers, OpenVINO f32', 'RifeOpenVino', 'f32', ('numpy', 'openvino'), OTHER),
    ('RIFE 4.25-lite layers, OpenVINO bf16', 'RifeOpenVino', 'bf16', ('numpy', 'openvino'), OTHER),
    ('minterpolate mci, FFmpeg', 'Minterpolate', '', ('numpy',), CLASSIC),
    ('DIS flow (medium) and warp, OpenCV', 'Dis', 'medium', ('numpy', 'cv2'), CLASSIC),
    ('DIS flow (fast) and warp, OpenCV', 'Dis', 'fast', ('numpy', 'cv2'), CLASSIC),
    ('blend', 'Blend', '', ('numpy',), CLASSIC),
]


def say(text):
    print(text, file=sys.stderr, flush=True)


# ---- who is here ----

def interpreters():
    return [p for p in os.environ.get('BENCH_PYTHON', sys.executable).split(':') if p]


def find_python(modules, known={}):
    """An interpreter with these modules and what was missing in the last one without."""
    if modules not in known:
        why = ''
        for python in interpreters():
            run = subprocess.run([python, '-c', 'import ' + ', '.join(modules)], capture_output=True, text=True)
            if run.returncode == 0:
                known[modules] = python, ''
                break
            why = (run.stderr.strip().splitlines() or ['it does not run'])[-1]
        else:
            known[modules] = None, why
    return known[modules]


class Worker:
    def __init__(self, row, size, threads, frames, folder):
        self.name, self.kind, self.precision, modules, self.group = row
        self.seconds, self.failure = [], ''
        python, why = find_python(modules)
        if not python:
            self.failure = f'not installed: {why}'
            return
        job = dict(kind=self.kind, precision=self.precision, modules=modules, width=size[0], height=size[1], threads=threads,
                   frames=str(frames), folder=str(folder))
        env = {**os.environ, 'OMP_NUM_THREADS': str(threads), 'PYTHONPATH': str(HERE)}
        self.log = open(folder / f'{self.kind}-{self.precision}.log', 'w+')
        self.process = subprocess.Popen([python, str(HERE / 'worker.py'), json.dumps(job)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True, env=env)
        hello = self.read()
        if hello:
            self.version, self.weights, self.repeats = hello['version'], hello['weights'], hello['repeats']

    def read(self):
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.log.seek(0)
        lines = self.log.read().strip().splitlines()
        self.failure = 'failed: ' + (lines[-1] if lines else f'exit code {self.process.wait()}')
        return None

    def ask(self, **command):
        if self.failure:
            return None
        try:
            self.process.stdin.write(json.dumps(command) + '\n')
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        return self.read()

    def close(self):
        if hasattr(self, 'process'):
            self.process.stdin.close()
            self.process.wait()
            self.log.close()


# ---- measuring ----

def decode(size, folder, count=24):
    """Frames of the demo clip in that size, as one array in a file."""
    path = folder / f'frames-{size[0]}x{size[1]}.npy' if size else folder / 'frames.npy'
    if not path.exists():
        python, why = find_python(('numpy',))
        if not python:
            raise SystemExit(why)
        scale = ['-vf', f'scale={size[0]}:{size[1]}', '-frames:v', str(count)] if size else []
        raw = subprocess.run(['ffmpeg', '-nostdin', '-v', 'error', '-i', str(ROOT / 'assets' / 'demo.mp4'), *scale, '-f',
                              'rawvideo', '-pix_fmt', 'rgb24', '-'], capture_output=True, check=True).stdout
        w, h = size or (640, 360)
        subprocess.run([python, '-c', 'import sys, numpy as np; np.save(sys.argv[1], np.frombuffer(sys.stdin.buffer.read(), '
                        'np.uint8).reshape(-1, int(sys.argv[2]), int(sys.argv[3]), 3))', str(path), str(h), str(w)],
                       input=raw, check=True)
    return path


def write_rife(size, folder):
    path = folder / f'rife-{size[0]}x{size[1]}.onnx'
    python, _ = find_python(('numpy', 'torch'))
    if path.exists() or not python:
        return
    code = 'import sys, rife; w, h = map(int, sys.argv[1:3]); rife.export(*rife.padded(w, h), sys.argv[3])'
    run = subprocess.run([python, '-W', 'ignore', '-c', code, str(size[0]), str(size[1]), str(path)], capture_output=True,
                         text=True, env={**os.environ, 'PYTHONPATH': str(HERE)})
    if run.returncode:
        say('RIFE layers: ' + run.stderr.strip().splitlines()[-1])
        path.unlink(missing_ok=True)


def measure(rows, size, threads, options, folder):
    """Speed: contestants in turns."""
    frames = decode(size, folder)
    if any(row[1].startswith('Rife') for row in rows):
        write_rife(size, folder)
    workers = []
    for row in rows:
        say(f'  opening {row[0]}')
        workers.append(Worker(row, size, threads, frames, folder))
        if workers[-1].failure:
            say(f'    {workers[-1].failure}')
    say(f'measuring {size[0]}x{size[1]}, {threads} threads')
    for turn in range(options.rounds):
        for w in workers:
            if w.failure or (turn and not w.repeats):
                continue
            answer = w.ask(do='steps', n=options.pictures if w.repeats else 1)
            if answer:
                w.seconds += answer['seconds']
    say('measured')
    out = []
    base = next((statistics.median(w.seconds) for w in workers if w.kind == 'Ours' and w.precision == 'f32' and w.seconds),
                None)
    for w in workers:
        entry = dict(name=w.name, group=w.group, width=size[0], height=size[1], threads=threads)
        if w.failure or not w.seconds:
            entry['missing'] = w.failure or 'nothing measured'
        else:
            median = statistics.median(w.seconds)
            entry.update(version=w.version, seconds=median, best=min(w.seconds), runs=len(w.seconds),
                         to_ours_f32=median / base if base else None, memory_bytes=(w.ask(do='memory') or {}).get('bytes'))
        out.append(entry)
        w.close()
    return out


def measure_quality(rows, folder):
    """Every second frame of the demo clip left out and made again, in its own size."""
    frames, out = decode(None, folder), []
    for row in rows:
        if row[1] in ('Torch', 'Ncnn', 'Original', 'Rife', 'RifeOnnxRuntime', 'RifeOpenVino'):
            continue  # the same picture as others of the same network, or no weights
        say(f'  quality of {row[0]}')
        w = Worker(row, (640, 360), 2, frames, folder)
        answer = w.ask(do='quality')
        entry = dict(name=row[0])
        if answer:
            entry.update(psnr=statistics.mean(answer['psnr']), pictures=len(answer['psnr']))
        else:
            entry['missing'] = w.failure
        out.append(entry)
        w.close()
    return out


# ---- what comes out ----

def machine():
    text = pathlib.Path('/proc/cpuinfo').read_text() if os.path.exists('/proc/cpuinfo') else ''
    model = re.search(r'model name\s*:\s*(.*)', text)
    flags = re.search(r'flags\s*:\s*(.*)', text)
    have = set(flags.group(1).split()) if flags else set()
    return dict(processor=model.group(1) if model else platform.processor(), processors=os.cpu_count(),
                features=[f for f in ('avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'amx_int8') if f in have],
                system=platform.platform(terse=True), load=os.getloadavg()[0] if hasattr(os, 'getloadavg') else None,
                date=datetime.date.today().isoformat())


def markdown(result):
    m = result['machine']
    lines = [f'{m["processor"]}, {m["processors"]} processors ({", ".join(m["features"])}), {m["system"]}, {m["date"]}.', '']
    for size, threads in dict.fromkeys(((r['width'], r['height']), r['threads']) for r in result['speed']):
        lines += [f'### {size[0]}x{size[1]}, {threads} thread{"s" * (threads > 1)}', '',
                  '| | seconds a new frame, median | best | ours in f32 is faster by | memory, MiB | runs |',
                  '| --- | --- | --- | --- | --- | --- |']
        for r in result['speed']:
            if ((r['width'], r['height']), r['threads']) != (size, threads):
                continue
            if 'missing' in r:
                lines.append(f'| {r["name"]} | {r["missing"]} | | | | |')
                continue
            ratio = f'{r["to_ours_f32"]:.2f}' if r['to_ours_f32'] else ''
            memory = f'{r["memory_bytes"] / 2 ** 20:.0f}' if r['memory_bytes'] is not None else ''
            lines.append(f'| {r["name"]} | {r["seconds"]:.4f} | {r["best"]:.4f} | {ratio} | {memory} | {r["runs"]} |')
        lines.append('')
    if result['quality']:
        lines += ['### Quality', '', 'The demo clip, every second frame left out and made again.', '', '| | PSNR, dB | pictures |',
                  '| --- | --- | --- |']
        lines += [f'| {q["name"]} | {q["psnr"]:.2f} | {q["pictures"]} |' if 'psnr' in q
                  else f'| {q["name"]} | {q["missing"]} | |' for q in result['quality']]
        lines.append('')
    versions = sorted({r['version'] for r in result['speed'] if 'version' in r})
    return '\n'.join(lines + ['Versions: ' + ', '.join(versions) + '.', ''])


def size_of(text):
    w, h = text.split('x')
    return int(w), int(h)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('--sizes', default='640x480')
    parser.add_argument('--threads', default='1,2')
    parser.add_argument('--only', help='parts of names, with semicolons between')
    parser.add_argument('--skip', help='the same, of those that are left out')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--pictures', type=int, default=2, help='in each round')
    parser.add_argument('--no-quality', action='store_true')
    parser.add_argument('--no-speed', action='store_true')
    parser.add_argument('--build', type=pathlib.Path, default=ROOT / 'build')
    parser.add_argument('--json', type=pathlib.Path)
    parser.add_argument('--markdown', type=pathlib.Path)
    options = parser.parse_args()
    os.environ['DAIN'] = str(options.build / 'dain')
    os.environ['DAIN_LIBRARY'] = str(options.build / 'libdain.so')
    folder = options.build / 'bench'
    folder.mkdir(parents=True, exist_ok=True)
    rows = [r for r in TABLE if not options.only or any(part in r[0] for part in options.only.split(';'))]
    rows = [r for r in rows if not options.skip or not any(part in r[0] for part in options.skip.split(';'))]
    result = dict(machine=machine(), speed=[], quality=[])
    for size in map(size_of, options.sizes.split(',')):
        for threads in map(int, options.threads.split(',')):
            if not options.no_speed:
                result['speed'] += measure(rows, size, threads, options, folder)
    if not options.no_quality:
        result['quality'] = measure_quality(rows, folder)
    text = markdown(result)
    print(text)
    if options.markdown:
        options.markdown.write_text(text)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + '\n')


if __name__ == '__main__':
    main()
