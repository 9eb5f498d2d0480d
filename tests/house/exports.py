"""What the shared library shows and needs: the functions of include/dain/, and libc, libm, threads; nothing else."""
import pathlib
import re
import shutil
import subprocess
import sys

ALLOWED = re.compile(r"lib(c|m|pthread|dl)\.so|ld-linux|ld64|libSystem|libclang_rt")
SANITIZERS = re.compile(r"lib(asan|ubsan|tsan|lsan|gcc_s|stdc\+\+|rt|resolv)\.so")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def report(good, sentence, detail=""):
    print("ok" if good else "not ok", sentence)
    if not good:
        print(detail, file=sys.stderr)
    return not good


def main():
    library, headers, version, sanitize = sys.argv[1:]
    if not (shutil.which("nm") and shutil.which("readelf")):
        print("skip exports: nm or readelf is missing")
        return 77
    header_text = "".join(p.read_text() for p in sorted(pathlib.Path(headers).glob("*.h")))
    declared = set(re.findall(r"DAIN_API\s[^;(]*?\b(dain_\w+)\s*\(", header_text))
    exported = {line.split()[-1].split("@")[0]
                for line in output("nm", "-D", "--defined-only", library).splitlines() if line.split()}
    if sanitize != "none":  # the sanitizers' own helpers
        exported = {name for name in exported if not name.startswith(("__asan", "__odr_asan", "__tsan", "___asan"))}
    dynamic = output("readelf", "-d", library)
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    soname = re.findall(r"\(SONAME\).*\[(.*)\]", dynamic)
    numbers = [re.search(rf"#define DAIN_VERSION_{part}\s+(\d+)", header_text).group(1)
               for part in ("MAJOR", "MINOR", "PATCH")]

    failed = report(declared and exported == declared, "the library exports what its headers declare",
                    f"only exported: {sorted(exported - declared)}\nonly declared: {sorted(declared - exported)}")
    strangers = [n for n in needed if not ALLOWED.match(n) and (sanitize == "none" or not SANITIZERS.match(n))]
    failed |= report(not strangers, "the library needs libc, libm and threads only", f"it needs {strangers}")
    failed |= report(soname == [f"libdain.so.{numbers[0]}"], "the soname carries the major version", f"it is {soname}")
    failed |= report(".".join(numbers) == version, "header and build agree on the version", f"{numbers}, {version}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
