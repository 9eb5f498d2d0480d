"""The tarball: the same bytes twice, all that git tracks, and enough for Meson to configure it without git."""
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def check(root, version, folder):
    """Yields (holds, sentence)."""
    name = f"dain-{version}"
    hashes = set()
    for place in ("one", "two"):
        run(root / "tools" / "dist.sh", "--only", folder / place, env={**os.environ, "TZ": "Asia/Tokyo", "USER": place})
        hashes.add(hashlib.sha256((folder / place / f"{name}.tar.gz").read_bytes()).hexdigest())
    yield len(hashes) == 1, "two tarballs of one commit are the same bytes"
    with tarfile.open(folder / "one" / f"{name}.tar.gz") as tar:
        members = {m.name for m in tar.getmembers() if not m.isdir()}
        tar.extractall(folder)
    tracked = run("git", "-C", root, "ls-tree", "-r", "-z", "--name-only", "HEAD").split("\0")[:-1]
    yield members == {f"{name}/{path}" for path in tracked}, f"all {len(tracked)} files are in it"
    no_git = folder / "no-git"
    no_git.mkdir()
    (no_git / "git").write_text("#!/bin/sh\nexit 127\n")
    (no_git / "git").chmod(0o755)
    run("meson", "setup", folder / "build", folder / name,
        env={**os.environ, "PATH": f"{no_git}:{os.environ['PATH']}"})
    yield (folder / "build" / "build.ninja").exists(), "Meson configures what comes out of it"


def main():
    root, version = pathlib.Path(sys.argv[1]), sys.argv[2]
    git = shutil.which("git")
    if not git or subprocess.run([git, "-C", root, "rev-parse", "HEAD"], capture_output=True).returncode:
        print("skip: this is no git checkout")
        return 77
    failed = False
    with tempfile.TemporaryDirectory(prefix="dain-dist-") as name:
        try:
            for holds, sentence in check(root, version, pathlib.Path(name)):
                print("ok" if holds else "not ok", sentence)
                failed |= not holds
        except subprocess.CalledProcessError as error:
            print("not ok", error, error.stdout, error.stderr)
            failed = True
    return failed


if __name__ == "__main__":
    sys.exit(main())
