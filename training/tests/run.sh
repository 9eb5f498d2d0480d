#!/bin/sh
# Tests of the training code; skipped (exit 77) where torch or pytest is missing. Usage: run.sh [pytest options]
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-/usr/bin/python3}
"$python" -c 'import torch, cv2, pytest' 2>/dev/null || { echo "torch, cv2 or pytest missing: skipped"; exit 77; }
cd "$here" && OMP_NUM_THREADS=1 exec "$python" -m pytest -q -p no:cacheprovider "$@"
