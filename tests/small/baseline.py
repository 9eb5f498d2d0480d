"""The build for x86-64 runs on a processor with SSE2 and no more, and gives the same picture: under qemu-x86_64."""
import os
import pathlib
import shutil
import stat
import sys
import tempfile

import pair

SIDE = 64
PROCESSORS = ("qemu64", "Conroe")  # SSE3 without SSSE3; SSSE3


def main():
    program, root = sys.argv[1:3]
    emulator = shutil.which("qemu-x86_64")
    if not emulator:
        print("skip: qemu-x86_64 (Debian: qemu-user) is missing")
        return 77
    failed = False
    with tempfile.TemporaryDirectory(prefix="dain-baseline-") as name:
        folder = pathlib.Path(name)
        pair.write_pair(folder, root)
        for picture in ("a.rgb", "b.rgb"):  # the top left corner: time under emulation counts
            data, row = (folder / picture).read_bytes(), 3 * pair.SIDE
            (folder / picture).write_bytes(b"".join(data[y * row:y * row + 3 * SIDE] for y in range(SIDE)))
        size = {"width": SIDE, "height": SIDE}
        want = pair.run(program, folder, root, **size)[0]
        for processor in PROCESSORS:
            wrapper = folder / f"on-{processor}"
            wrapper.write_text(f'#!/bin/sh\nexec {emulator} -cpu {processor} "{os.path.abspath(program)}" "$@"\n')
            wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
            got, said = pair.run(wrapper, folder, root, **size)
            good = got == want and "f32 on c," in said
            print("ok" if good else "not ok", f"{processor}: the C kernels are chosen and give the same picture",
                  "" if good else said)
            failed |= not good
    return failed


if __name__ == "__main__":
    sys.exit(main())
