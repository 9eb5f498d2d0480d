#!/bin/sh
# Copies the source into FOLDER: what git tracks or would, as it lies in the working tree; without git everything but
# build folders. Usage: export-source.sh FOLDER
set -eu
cd "$(dirname "$0")/.."
mkdir -p "$1"
if [ -e .git ] && git rev-parse --git-dir >/dev/null 2>&1; then
    git ls-files -z --cached --others --exclude-standard --deduplicate >"$1/.files"
    tar -c --null --ignore-failed-read --warning=no-failed-read -T "$1/.files" -f - | tar -x -C "$1" -f -
    rm "$1/.files"
else
    tar -c --exclude='./build*' --exclude=./dist --exclude=./demo --exclude=__pycache__ -f - . |
        tar -x -C "$1" -f -
fi
