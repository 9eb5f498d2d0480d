"""examples/double_rate.c on a short raw video: frames, ends and mistakes."""
import subprocess
import sys

WIDTH, HEIGHT = 96, 64
SIZE = WIDTH * HEIGHT * 3


def frame(k):
    """Stripes and blocks that move to the right, faster and faster."""
    left = 2 * k + k * k
    rows = []
    for y in range(HEIGHT):
        for x in range(WIDTH):
            u = x - left
            rows += (u * 5 + y * 3 & 255, (u // 9 + y // 7) % 2 * 160 + 40, u * u // 16 + y & 255)
    return bytes(rows)


def main():
    program, root = sys.argv[1:3]
    failed = False

    def report(good, sentence, detail=""):
        nonlocal failed
        failed |= not good
        print("ok" if good else "not ok", sentence, "" if good else detail)

    def run(data, *args, stdout=subprocess.PIPE):
        return subprocess.run([program, *map(str, args), f"{root}/models/edge.safetensors"], input=data, stdout=stdout,
                              stderr=subprocess.PIPE, timeout=300)

    frames = [frame(k) for k in range(5)]
    whole = run(b"".join(frames), WIDTH, HEIGHT)
    out = [whole.stdout[i:i + SIZE] for i in range(0, len(whole.stdout), SIZE)]
    report(whole.returncode == 0 and len(whole.stdout) == 9 * SIZE, "five frames become nine", whole.stderr)
    report(out[::2] == frames, "those of the source are as they were")
    report(not set(out[1::2]) & set(frames) and len(set(out)) == 9, "those between are new")
    three = run(b"".join(frames[:3]) + frames[3][:100], WIDTH, HEIGHT).stdout
    report(len(three) == 5 * SIZE and three[:2 * SIZE] == whole.stdout[:2 * SIZE], "half a frame at the end is none")
    report(three[3 * SIZE:4 * SIZE] != out[3], "the frame that is missing would have been seen ahead")
    report(run(b"", WIDTH, HEIGHT).stdout == b"", "nothing becomes nothing")
    wrong = run(b"", 7, HEIGHT)
    report(wrong.returncode == 2 and b"16 to 16384" in wrong.stderr, "refuses a size out of range", wrong.stderr)
    with open("/dev/full", "wb") as full:
        lost = run(b"".join(frames), WIDTH, HEIGHT, stdout=full)
    report(lost.returncode == 1 and b"cannot be written" in lost.stderr, "says that the output is full", lost.stderr)
    return failed


if __name__ == "__main__":
    sys.exit(main())
