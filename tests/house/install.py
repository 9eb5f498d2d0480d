"""Installs into an empty folder, then builds and runs a program against what is there, as a user would."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAM = """
#include <dain/dain.h>
#include <dain/ops.h>
#include <stdio.h>
int main(void)
{
    DainSettings settings;
    dain_settings_default(&settings);
    DainContext *ctx;
    settings.model = "/nonexistent";
    if (dain_open(&ctx, &settings) != DAIN_EIO || ctx || !dain_open_error()[0])
        return 1;
    puts(dain_version());
    return 0;
}
"""


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, text=True, **more).stdout


def check(build, stage, compiler, version):
    """Everything about the installed tree; yields (holds, sentence)."""
    found = {p.name: p for p in stage.rglob("*")}
    yield ({"dain.h", "dain.pc", "libdain.so", "libdain.so." + version.split(".")[0], "edge.safetensors",
            "edge-small.safetensors"} <= set(found),
           "header, library, pkg-config file and models are installed")
    if "dain.bash" in found or "dain.1" in found:
        yield ({"dain", "dain.1", "dain.bash", "_dain", "dain.fish"} <= set(found),
               "with the tool come its manual and its completions")
    # pkg-config describes the final place; the tree lies in a stage in front of it.
    prefix = re.search(r"^prefix=(.*)$", found["dain.pc"].read_text(), re.M).group(1)
    environment = dict(os.environ, PKG_CONFIG_PATH=str(found["dain.pc"].parent))
    flags = run("pkg-config", f"--define-variable=prefix={stage}{prefix}", "--cflags", "--libs", "dain",
                env=environment).split()
    yield run("pkg-config", "--modversion", "dain", env=environment).strip() == version, "pkg-config tells the version"

    source = stage / "program.c"
    source.write_text(PROGRAM)
    warnings = ["-pedantic", "-Wall", "-Wextra", "-Wcast-qual", "-Werror"]
    run(*compiler, "-std=c99", *warnings, str(source), "-o", str(stage / "program"), *flags)
    libraries = dict(os.environ, LD_LIBRARY_PATH=str(found["libdain.so"].parent))
    yield (run(str(stage / "program"), env=libraries).strip() == version,
           "a C99 program builds against the installed library and runs")
    if shutil.which("c++"):
        shutil.copy(source, stage / "program.cc")
        run("c++", *warnings, "-fsyntax-only", str(stage / "program.cc"), *flags)
        yield True, "the header is C++ too"
    run(sys.executable, str(pathlib.Path(__file__).parents[2] / "tools" / "uninstall.py"), build,
        env=dict(os.environ, DESTDIR=str(stage)))
    left = [p.name for p in stage.rglob("*") if not p.is_dir() or p.name == "dain"]
    yield set(left) <= {"program", "program.c", "program.cc"}, "what was installed is removed again"


def main():
    build, version, *compiler = sys.argv[1:]
    if not shutil.which("pkg-config"):
        print("skip install: pkg-config is missing")
        return 77
    failed = False
    with tempfile.TemporaryDirectory(prefix="dain-install-") as folder:
        try:
            run("meson", "install", "-C", build, "--no-rebuild", "--destdir", folder)
            for holds, sentence in check(build, pathlib.Path(folder), compiler, version):
                print("ok" if holds else "not ok", sentence)
                failed |= not holds
        except subprocess.CalledProcessError as error:
            print(error, error.stdout, error.stderr, sep="\n", file=sys.stderr)
            print("not ok installation and a program built on it")
            failed = True
    return failed


if __name__ == "__main__":
    sys.exit(main())
