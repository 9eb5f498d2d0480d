#!/usr/bin/env python3
"""Train or fine-tune a network from a configuration file.

    train.py configs/edge-v2.3.json OUT --cache CACHE --textures DIR --minutes 120 --val DIR
"""
import argparse
import json
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")


def end_time(text):
    """Seconds since 1970, or HH:MM today (local time)."""
    if ":" in text:
        today = time.strftime("%Y-%m-%d ")
        return time.mktime(time.strptime(today + text, "%Y-%m-%d %H:%M"))
    return float(text)


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("config", help="configuration file of the model")
    p.add_argument("out", help="folder for checkpoint.pt, log.jsonl and pids")
    p.add_argument("--cache", required=True, help="folder written by prepare.py")
    p.add_argument("--textures", required=True, help="folder of pictures for synthetic scenes")
    p.add_argument("--init", help="weights to start from: .safetensors or checkpoint.pt")
    p.add_argument("--teacher", metavar="FILE", help="weights of a larger network to learn from as well "
                   "(loss.teacher_picture, loss.teacher_flow)")
    p.add_argument("--resume", action="store_true", help="go on from OUT/checkpoint.pt if it is there")
    length = p.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float, help="time for the whole run, wall clock")
    length.add_argument("--until", type=end_time, help="end at HH:MM or seconds since 1970")
    length.add_argument("--steps", type=int, help="length in steps")
    p.add_argument("--stop-at", type=int, default=-1, help="stop at this step although the run is not over")
    p.add_argument("--device", default="cpu", help="cpu or cuda")
    p.add_argument("--ops", choices=["native", "torch"], help="operators; default native on the CPU")
    p.add_argument("--precision", choices=["bf16", "f32"], default="bf16", help="of the convolutions")
    p.add_argument("--processes", type=int, default=1, help="CPU processes; the batch is per process")
    p.add_argument("--threads", type=int, default=1, help="threads per process")
    p.add_argument("--workers", type=int, default=0, help="processes that make batches ahead")
    p.add_argument("--val", help="validation triplets")
    p.add_argument("--val-steps", type=int, default=500, help="steps between validations")
    p.add_argument("--log-every", type=int, default=50)
    p.add_argument("--save-minutes", type=float, default=4)
    p.add_argument("--quantise", nargs="*", metavar="LAYER",
                   help="fine-tune with simulated int8 convolutions, except the layers named (use --precision f32)")
    p.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE",
                   help="change one value of the configuration, e.g. data.crop=256")
    return p.parse_args()


def main():
    a = options()
    with open(a.config) as f:
        config = json.load(f)
    for change in a.set:
        key, value = change.split("=", 1)
        *path, last = key.split(".")
        section = config
        for part in path:
            section = section[part]
        if last not in section:
            raise SystemExit(f"--set: no {key} in {a.config}")
        section[last] = json.loads(value)
    if a.quantise is not None:
        config["quantise"] = {"skip": a.quantise}
    config["data"].update(cache=a.cache, textures=a.textures)
    run = vars(a)
    run["ops"] = a.ops or ("torch" if a.device != "cpu" else "native")
    if run["ops"] == "native" and a.device != "cpu":
        raise SystemExit("native operators run on the CPU only")
    from edgetrain import trainer
    trainer.start(config, run)


if __name__ == "__main__":
    main()
