"""Reads the #include lines under src/ and reports every arrow that points up the house (docs/architecture.md)."""
import pathlib
import re
import sys

# Folder -> folders it may include besides itself. dain/ is the public face and allowed to all.
MAY_INCLUDE = {
    "base": set(),
    "kernels": {"base"},
    "weights": {"base", "kernels"},
    "graph": {"base", "kernels", "weights"},
    "model": {"base", "kernels", "weights", "graph"},
    "engine": {"base", "kernels", "weights", "graph", "model"},
    "media": {"base", "kernels", "weights", "graph", "model", "engine"},
    "tool": {"base", "kernels", "weights", "graph", "model", "engine", "media"},
}
# Headers of libraries that only the upper two floors may see: libdain needs none of them.
TOOL_LIBRARIES = re.compile(r"libav\w+/|libsw\w+/|zimg|onnxruntime")
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def complaints(source):
    """Yields (file, line number, complaint) for everything under the folder source."""
    for path in sorted(source.rglob("*.[ch]")):
        folder = path.relative_to(source).parts[0]
        if folder not in MAY_INCLUDE:
            yield path, 0, f"the folder {folder}/ has no floor"
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quote, name = match.groups()
            if quote == "<":
                if folder not in ("media", "tool") and TOOL_LIBRARIES.match(name):
                    yield path, number, f"<{name}> may be seen by media and tool only"
                continue
            first = name.split("/")[0]
            if "/" not in name or first in (".", ".."):
                yield path, number, f'"{name}" must be named from src/ or include/'
            elif first not in MAY_INCLUDE and first != "dain":
                yield path, number, f'"{name}" is in no folder of src/'
            elif first not in MAY_INCLUDE[folder] | {folder, "dain"}:
                yield path, number, f'{folder} may not include "{name}", which is not below it'


def main():
    source = pathlib.Path(sys.argv[1])
    files = len(list(source.rglob("*.[ch]")))
    found = list(complaints(source))
    for path, number, complaint in found:
        print(f"{path}:{number}: {complaint}", file=sys.stderr)
    failed = bool(found) or files < 10
    print("not ok" if failed else "ok", f"no include of {files} files points up the house")
    return failed


if __name__ == "__main__":
    sys.exit(main())
