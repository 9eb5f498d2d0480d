"""Every C file is as .clang-format wants it. Other major versions of the formatter differ in taste: skipped then."""
import pathlib
import re
import shutil
import subprocess
import sys

VERSION = "14"


def main():
    root = pathlib.Path(sys.argv[1])
    program = shutil.which("clang-format-" + VERSION) or shutil.which("clang-format")
    if not program:
        print("skip format: clang-format is missing")
        return 77
    text = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    match = re.search(r"version (\d+)", text)
    if not match or match.group(1) != VERSION:
        print(f"skip format: clang-format {VERSION} is wanted, found: {text.strip()}")
        return 77
    files = sorted(str(p) for folder in ("include", "src", "tests", "examples", "training")
                   for p in (root / folder).rglob("*.[ch]"))
    result = subprocess.run([program, "--dry-run", "-Werror", "--style=file", *files], capture_output=True, text=True)
    wrong = sorted(set(re.findall(r"^(\S+?):\d+:\d+: error", result.stderr, re.M)))
    for name in wrong:
        print(f"{name}: run clang-format -i on it", file=sys.stderr)
    failed = result.returncode != 0 or not files
    if failed and not wrong:
        print(result.stderr, file=sys.stderr)
    print("not ok" if failed else "ok", f"{len(files)} C files are formatted")
    return failed


if __name__ == "__main__":
    sys.exit(main())
