#!/usr/bin/env python3
"""Removes what `meson install` put there, below $DESTDIR as it did. Usage: uninstall.py BUILD

By the plan of the build folder, not by Meson's log of the last installation, which may have been another one."""
import json
import os
import pathlib
import subprocess
import sys


def main():
    plan = subprocess.run(["meson", "introspect", sys.argv[1], "--installed"], check=True, capture_output=True, text=True)
    stage = os.environ.get("DESTDIR", "")
    removed = 0
    for place in json.loads(plan.stdout).values():
        path = pathlib.Path(stage + place)
        if not (path.exists() or path.is_symlink()):
            continue
        path.unlink()
        removed += 1
        if path.parent.name == "dain" and not any(path.parent.iterdir()):
            path.parent.rmdir()
    print(f"{removed} files removed")


if __name__ == "__main__":
    sys.exit(main())
