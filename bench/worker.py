"""One contestant in a process of its own: commands and answers are lines of JSON (run.py gives them)."""
import json
import resource
import sys
import time

import numpy as np


def resident(key):
    """Memory of this process in bytes: VmRSS, what it has; VmHWM, the most it had."""
    with open('/proc/self/status') as f:
        return 1024 * next(int(line.split()[1]) for line in f if line.startswith(key + ':'))


def start_counting():
    """Lets the peak begin at what the process has now, which is returned."""
    with open('/proc/self/clear_refs', 'w') as f:
        f.write('5')
    return resident('VmRSS')


def psnr(a, b):
    return float(-10 * np.log10(max(np.mean((a.astype(np.float64) - b) ** 2) / 255 ** 2, 1e-10)))


def main():
    job = json.loads(sys.argv[1])
    from contestants import ALL
    for module in job['modules']:
        __import__(module)
    frames = np.load(job['frames'], mmap_mode='r')
    empty = start_counting()
    c = ALL[job['kind']](job)
    whole = hasattr(c, 'film')
    at = 0

    def steps(n):
        """Seconds for each of n new pictures."""
        nonlocal at
        if whole:
            part = frames[:max(12, n)]
            new, seconds = c.film(part)
            return [seconds / len(new)]
        out = []
        for _ in range(n):
            frame = np.array(frames[at % len(frames)])
            at += 1
            start = time.perf_counter()
            c.step(frame)
            out.append(time.perf_counter() - start)
        return out

    def quality():
        odd = range(1, len(frames) - 1, 2)
        if whole:
            new, _ = c.film(frames[::2])
            return [psnr(new[i // 2], frames[i]) for i in odd if i // 2 in new]
        c.before = None
        c.step(np.array(frames[0]))
        return [psnr(c.step(np.array(frames[i + 1])), frames[i]) for i in odd]

    if c.repeats and not whole:
        steps(2)
    elif not whole:
        c.step(np.array(frames[0]))
        at = 1
    print(json.dumps({'version': c.version, 'weights': c.weights, 'repeats': c.repeats}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        if command['do'] == 'steps':
            answer = {'seconds': steps(command['n'])}
        elif command['do'] == 'quality':
            answer = {'psnr': quality()}
        else:
            used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 if whole else resident('VmHWM') - empty
            answer = {'bytes': used}
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    main()
