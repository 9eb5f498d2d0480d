"""examples/two_frames.c on a real pair: the picture is the reference's, bad input is refused in a sentence."""
import pathlib
import sys
import tempfile

import pair


def main():
    program, root = sys.argv[1:3]
    failed = False

    def report(good, sentence, detail=""):
        nonlocal failed
        failed |= not good
        print("ok" if good else "not ok", sentence, "" if good else detail)

    with tempfile.TemporaryDirectory(prefix="dain-small-") as name:
        folder = pathlib.Path(name)
        want = pair.write_pair(folder, root)
        got, said = pair.run(program, folder, root)
        worst = max(abs(a - b) for a, b in zip(got, want))
        report(len(got) == len(want) and worst <= 1, "the picture is the reference's within one code",
               f"{len(got)} bytes, differs by {worst}")
        report("bytes for the library" in said and "f32" in said, "it says what it needs and uses", said)
        report(pair.run(program, folder, root, DAIN_CPU="c")[0] == got, "the C kernels give the same bytes")
        for sentence, part, wrong in (("a picture of the wrong size", "is not a picture", {"width": 255}),
                                      ("a size out of range", "sides of 16 to 16384", {"width": 7}),
                                      ("a model that is missing", "/nonexistent", {"model": "/nonexistent"})):
            picture, said = pair.run(program, folder, root, code=1, **wrong)
            report(picture is None and part in said and said.count("\n") <= 2, f"refuses {sentence}", said)
    return failed


if __name__ == "__main__":
    sys.exit(main())
