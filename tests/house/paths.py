"""What is built tells nothing of the folder it was built in, and finds the models beside it all the same."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

failed = False


def check(holds, sentence):
    global failed
    print("ok" if holds else "not ok", sentence)
    failed |= not holds


def models(program):
    """Paths of the models that the program sees, with an empty home."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DAIN_")}
    with tempfile.TemporaryDirectory(prefix="dain-home-") as home:
        environment.update(HOME=home, XDG_DATA_HOME=home, XDG_CONFIG_HOME=home)
        said = subprocess.run([program, "info"], capture_output=True, text=True, cwd="/", env=environment).stdout
    return [word for word in said.split() if word.endswith(".safetensors")]


def main():
    source, build, tool, *libraries = map(os.path.abspath, sys.argv[1:])
    for path in (tool, *libraries):
        data = pathlib.Path(path).read_bytes()
        for folder in (source, build):
            check(os.fsencode(folder) not in data, f"{path} does not have {folder} in it")
    installed = pathlib.Path("/usr/local/share/dain/edge.safetensors").exists()  # would come first
    if not installed:
        check(f"{build}/models/edge.safetensors" in models(tool), "run from its build folder the tool finds its models")
    with tempfile.TemporaryDirectory(prefix="dain-moved-") as name:
        moved = pathlib.Path(name)
        for folder, found in (("a/b", True), ("a/b/c/d/e", False)):
            (moved / folder).mkdir(parents=True)
            shutil.copy(tool, moved / folder / "dain")
            (moved / "a" / "models").mkdir(exist_ok=True)
            shutil.copy(pathlib.Path(source, "models", "edge.safetensors"), moved / "a" / "models")
            there = f"{moved.resolve()}/a/models/edge.safetensors" in models(moved / folder / "dain")
            if not installed:
                check(there == found, f"moved to {folder} it {'finds' if found else 'does not look for'} those of a")
    return failed


if __name__ == "__main__":
    sys.exit(main())
