"""Builds the library with -Dsmall=true: at most 500,000 bytes stripped, the picture of the whole
library."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pair

LIMIT = 500_000


def output(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def main():
    program, root, *compiler = sys.argv[1:]
    failed = False
    with tempfile.TemporaryDirectory(prefix="dain-small-") as name:
        folder = pathlib.Path(name)
        environment = {**os.environ, "CC": " ".join(compiler)}
        try:
            output("meson", "setup", folder / "build", root, "-Dsmall=true", "-Ddefault_library=static",
                   "-Dbuildtype=release", "-Dwerror=true", env=environment)
            output("ninja", "-C", folder / "build")
        except subprocess.CalledProcessError as error:
            print("not ok the small library builds without a warning", error.stdout, error.stderr)
            return 1
        library = folder / "libdain.a"
        shutil.copy(folder / "build" / "libdain.a", library)
        output("strip", "--strip-unneeded", str(library))
        size = library.stat().st_size
        good = size <= LIMIT
        print("ok" if good else "not ok", f"the stripped archive has {size} bytes, at most {LIMIT}")
        failed |= not good
        pair.write_pair(folder, root)
        small = folder / "build" / "examples" / "two_frames"
        want = pair.run(program, folder, root)[0]
        for level in ("", "c"):
            picture = pair.run(small, folder, root, DAIN_CPU=level)[0]
            good = picture == want
            print("ok" if good else "not ok", f"the whole library's picture on {level or 'this machine'}:",
                  pair.digest(picture))
            failed |= not good
    return failed


if __name__ == "__main__":
    sys.exit(main())
