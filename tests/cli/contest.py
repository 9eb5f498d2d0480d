#!/usr/bin/env python3
"""bench/run.py, the benchmark against others: it measures who is here and names who is not."""
import json
import os
import pathlib
import subprocess
import sys

import harness
from harness import ROOT, Skip, check, equal, main, test


def bench(work, *args, python=sys.executable):
    return subprocess.run([sys.executable, ROOT / 'bench' / 'run.py', '--build', pathlib.Path(harness.DAIN).parent, '--json',
                           work / 'out.json', *args], capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
                          env={**os.environ, 'BENCH_PYTHON': str(python)})


@test('who is here is measured, in a table and as JSON')
def _(work):
    try:
        import numpy  # noqa: F401
    except ImportError as missing:
        raise Skip(str(missing)) from missing
    run = bench(work, '--sizes', '64x48', '--threads', '1', '--rounds', '2', '--only', 'ours f32;ours int8;blend', '--no-quality')
    equal(run.returncode, 0, f'exit code ({run.stderr})')
    rows = {r['name']: r for r in json.loads((work / 'out.json').read_text())['speed']}
    equal(set(rows), {'ours f32', 'ours int8', 'blend'}, 'rows')
    for name, row in rows.items():
        check('missing' not in row, f'{name}: {row}')
        check(0 < row['best'] <= row['seconds'] and row['runs'] == 4 and row['version'], f'{name}: {row}')
        check(f'| {name} |' in run.stdout, f'{name} is not in the table')
    equal(rows['ours f32']['to_ours_f32'], 1, 'ratio to itself')


@test('who is not installed is named')
def _(work):
    (work / 'python').write_text(f'#!/bin/sh\ncase "$2" in *onnx*) echo "No module of that name" >&2; exit 1;; esac\n'
                                 f'exec {sys.executable} "$@"\n')
    (work / 'python').chmod(0o755)
    run = bench(work, '--sizes', '64x48', '--threads', '1', '--rounds', '1', '--only', 'edge, ONNX Runtime f32',
                '--no-quality', python=work / 'python')
    if 'numpy' in run.stderr:
        raise Skip('numpy is missing')
    equal(run.returncode, 0, f'exit code ({run.stderr})')
    row = json.loads((work / 'out.json').read_text())['speed'][0]
    equal(row['missing'], 'not installed: No module of that name', 'what is said')
    check('not installed' in run.stdout, 'the table does not say it')


main()
