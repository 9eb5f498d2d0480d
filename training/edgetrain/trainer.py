"""The trainer: one or more single-threaded CPU processes with averaged gradients, or one process on a GPU.

Several single-threaded processes are steadier on a shared machine than one with several threads, whose barriers
spin whenever a thread loses its core.
"""
import json
import os
import signal
import time

import torch
import torch.multiprocessing as mp

from . import losses, metrics, native, operators, quantise, safetensors
from .network import HEADS, Edge
from .samples import Batches
from .schedule import Progress, cosine

# configuration's stage: the part of the network that is run, and the layers that learn (all where none are named)
STAGES = {"joint": ("all", ()), "flow": ("flow", ()), "pair": ("pair", ("flo",))}


class Shared:
    """What the processes share: gradients (two sets, used in turn), the fraction done, validation scores."""

    def __init__(self, processes, parameters):
        context = mp.get_context("fork")
        self.processes = processes
        self.barrier = context.Barrier(processes)
        self.gradients = torch.zeros(2, processes, parameters).share_memory_()
        self.fraction = torch.zeros(2, dtype=torch.float64).share_memory_()
        self.stop = torch.zeros(2, dtype=torch.uint8).share_memory_()
        self.scores = torch.zeros(2, 4096).share_memory_()

    def wait(self):
        self.barrier.wait()


def initial_tensors(run):
    """Weights to start from: of a checkpoint (its EMA), a weight file, or None for fresh ones."""
    path = run["init"]
    if not path:
        return None
    if path.endswith(".safetensors"):
        return safetensors.read(path)[0]
    return torch.load(path, map_location="cpu")["ema"]


class Trainer:
    def __init__(self, config, run, shared, rank):
        """config: the model's configuration file; run: command line options (see train.py)."""
        self.config, self.run, self.shared, self.rank = config, run, shared, rank
        torch.set_num_threads(run["threads"])
        torch.set_flush_denormal(True)                  # vanishing gradients would cost hundreds of cycles each
        torch.manual_seed(config["seed"])               # the same fresh weights in every process
        self.device = torch.device(run["device"])
        self.ops = native if run["ops"] == "native" else operators
        self.checkpoint = os.path.join(run["out"], "checkpoint.pt")
        saved = None
        if run["resume"] and os.path.exists(self.checkpoint):
            saved = torch.load(self.checkpoint, map_location="cpu")
        start = saved["net"] if saved else initial_tensors(run)
        net = Edge.from_tensors(start, self.ops) if start else Edge(ops=self.ops)
        self.net = net.to(self.device, memory_format=torch.channels_last)
        self.probe = Edge(net.widths, self.ops).to(self.device, memory_format=torch.channels_last)
        self.teacher = None
        if run["teacher"]:
            self.teacher = Edge.from_tensors(safetensors.read(run["teacher"])[0], self.ops)
            self.teacher = self.teacher.requires_grad_(False).to(self.device, memory_format=torch.channels_last)
        q = config.get("quantise")
        if q:
            quantise.enable(self.net, q["skip"])
            quantise.enable(self.probe, q["skip"]).eval()
            if saved and "ranges" in saved:
                for name, value in self.net.named_buffers():
                    value.copy_(saved["ranges"][name])
        self.parts, learning = STAGES[config["stage"]]
        for name, p in net.named_parameters():
            p.requires_grad_(not learning or name.startswith(learning))
        self.parameters = list(net.parameters())
        self.ema = [p.detach().clone() for p in self.parameters]
        o = config["optimiser"]
        learn = [(n.split(".")[0], p) for n, p in net.named_parameters() if p.requires_grad]
        heads = [p for layer, p in learn if layer in HEADS]
        body = [p for layer, p in learn if layer not in HEADS]
        groups = [{"params": body, "factor": 1.0}, {"params": heads, "factor": o["head_rate"]}]
        self.optimiser = torch.optim.AdamW(groups, lr=o["rate"], betas=(0.9, 0.99), weight_decay=o["weight_decay"])
        self.step, done, self.seconds = 0, 0.0, 0.0
        if saved:
            names = [n for n, _ in net.named_parameters()]
            self.ema = [saved["ema"][n].to(self.device) for n in names]
            self.optimiser.load_state_dict(saved["optimiser"])
            self.step, done, self.seconds = saved["step"], saved["fraction"], saved["seconds"]
        self.progress = Progress(done, run["steps"], run["minutes"], run["until"])
        batches = Batches(config["data"], config["seed"], rank)
        self.loader = torch.utils.data.DataLoader(
            batches, batch_size=None, sampler=range(self.step, 1 << 40), num_workers=run["workers"],
            pin_memory=self.device.type == "cuda", worker_init_fn=lambda i: torch.set_num_threads(1))
        self.validation = metrics.triplets(run["val"]) if run["val"] else []

    # ---- output ----
    def log(self, **entry):
        if self.rank:
            return
        entry = {k: round(v, 6) if isinstance(v, float) else v for k, v in entry.items()}
        line = json.dumps(dict(time=round(time.time(), 1), **entry))
        print(line, flush=True)
        with open(os.path.join(self.run["out"], "log.jsonl"), "a") as f:
            f.write(line + "\n")

    def state(self, tensors):
        return {n: t.detach().cpu().clone(memory_format=torch.contiguous_format)
                for (n, _), t in zip(self.net.named_parameters(), tensors)}

    def save(self, fraction):
        if self.rank:
            return
        torch.save({"net": self.state(self.parameters), "ema": self.state(self.ema), "step": self.step,
                    "optimiser": self.optimiser.state_dict(), "fraction": fraction, "seconds": self.seconds,
                    "ranges": dict(self.net.named_buffers()), "config": self.config}, self.checkpoint + ".tmp")
        os.replace(self.checkpoint + ".tmp", self.checkpoint)

    def validate(self, fraction):
        """PSNR and IE of the averaged weights on the validation set, shared among the processes."""
        if not self.validation:
            return
        with torch.no_grad():
            for p, e in zip(self.probe.parameters(), self.ema):
                p.copy_(e)
        quantise.copy_ranges(self.net, self.probe)
        for i in range(self.rank, len(self.validation), self.shared.processes):
            a, truth, b = (metrics.read(p) for p in self.validation[i][1:])
            out = metrics.network(self.probe, a, b)
            self.shared.scores[:, i] = torch.tensor([metrics.psnr(out, truth), metrics.error(out, truth)])
        self.shared.wait()
        psnr, error = self.shared.scores[:, :len(self.validation)].mean(1).tolist()
        self.log(kind="val", step=self.step, fraction=fraction, minutes=self.seconds / 60, psnr=psnr, ie=error)

    # ---- one step ----
    def to_device(self, batch):
        batch = {k: v.to(self.device, non_blocking=True) for k, v in batch.items()}
        batch["generator"] = torch.Generator().manual_seed((self.config["seed"] * 1000003 + self.step) * 64 + self.rank)
        return batch

    def loss(self, batch, fraction):
        """-> dict of weighted terms."""
        weight = self.config["loss"]
        i0, truth, i1 = batch["frames"]
        last = [x.contiguous(memory_format=torch.channels_last) for x in (i0, i1)]
        joint = self.parts == "all"
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.run["precision"] == "bf16"):
            result = self.net(*last, batch["t"], self.parts)
        supervision = weight["supervision"] * max(weight["supervision_floor"], (1 - fraction) ** 2) if joint else 1.0
        terms = {}
        if max(supervision, weight["pair_floor"]) > 0:
            for k, v in losses.flow_terms(self.net, result, batch).items():
                terms[k] = max(supervision, weight["pair_floor"]) * weight[k] * v
        if self.parts == "pair":
            terms["projected"] = weight["time_flow"] * losses.projected_flow(result, batch)
        if joint:
            terms["time_flow"] = supervision * weight["time_flow"] * losses.time_flow(result, batch)
            for k, v in losses.picture_terms(result, truth, self.ops.census, weight["relative"]).items():
                terms[k] = weight[k] * v
            if self.teacher:
                with torch.no_grad(), torch.autocast(self.device.type, dtype=torch.bfloat16,
                                                     enabled=self.run["precision"] == "bf16"):
                    teacher = self.teacher(*last, batch["t"])
                for k, v in losses.teacher_terms(result, teacher).items():
                    terms[k] = weight[k] * v
        return terms

    def average_gradients(self):
        if self.shared.processes == 1:
            return
        mine = self.shared.gradients[self.step % 2]
        mine[self.rank].copy_(torch.cat([
            (torch.zeros_like(p) if p.grad is None else p.grad).contiguous().view(-1) for p in self.parameters]))
        self.shared.wait()
        mean, at = mine.mean(0), 0
        for p in self.parameters:
            p.grad = mean[at:at + p.numel()].view(p.shape)
            at += p.numel()

    def update(self, fraction):
        """Rate, clipped step, moving average. -> gradient norm."""
        o = self.config["optimiser"]
        rate = o["rate"] * min(1, (self.step + 1) / o["warmup"]) * cosine(fraction, o["floor"])
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["factor"]
        norm = torch.nn.utils.clip_grad_norm_(self.parameters, o["clip"])
        if torch.isfinite(norm):
            self.optimiser.step()
        else:
            self.log(kind="skipped", step=self.step, reason="gradient is not finite")
        keep = min(o["ema"], (self.step + 1) / (self.step + 20))
        with torch.no_grad():
            torch._foreach_mul_(self.ema, keep)
            torch._foreach_add_(self.ema, [p.detach() for p in self.parameters], alpha=1 - keep)
        return float(norm), rate

    def agree(self, fraction):
        """Every process uses rank 0's fraction and stop request; the set written two steps ago is free again."""
        slot = self.step % 2
        if self.rank == 0:
            self.shared.fraction[slot] = fraction
            self.shared.stop[slot] = int(self.stopping)
        self.shared.wait()
        return float(self.shared.fraction[slot]), bool(self.shared.stop[slot])

    def train(self):
        self.stopping = False
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "stopping", True))
        every, sums, count = self.run["log_every"], {}, 0
        fraction = self.progress.fraction(self.step)
        self.log(kind="start", step=self.step, fraction=fraction, processes=self.shared.processes,
                 batch=self.config["data"]["batch"] * self.shared.processes, device=str(self.device))
        if not self.config.get("quantise") or self.step:
            self.validate(fraction)                     # a fresh quantised network has no ranges yet
        last = last_log = last_save = time.time()
        for batch in self.loader:
            fraction, stop = self.agree(self.progress.fraction(self.step))
            if stop or fraction >= 1 or self.step == self.run["stop_at"]:
                break
            terms = self.loss(self.to_device(batch), fraction)
            total = sum(terms.values())
            for p in self.parameters:
                p.grad = None
            total.backward()
            self.average_gradients()
            norm, rate = self.update(fraction)
            self.step += 1
            now = time.time()
            self.seconds, last = self.seconds + now - last, now
            for k, v in dict(terms, total=total, norm=norm).items():
                sums[k] = sums.get(k, 0.0) + float(v)
            count += 1
            if count == every:
                crops = count * self.config["data"]["batch"] * self.shared.processes
                self.log(kind="train", step=self.step, fraction=fraction, rate=rate, minutes=self.seconds / 60,
                         crops_per_second=crops / (now - last_log), **{k: v / count for k, v in sums.items()})
                sums, count, last_log = {}, 0, now
            if self.rank == 0 and now - last_save > self.run["save_minutes"] * 60:
                self.save(fraction)
                last_save = now
            if self.run["val_steps"] and self.step % self.run["val_steps"] == 0:
                self.validate(fraction)
                last_log = time.time()
        self.validate(fraction)
        self.save(fraction)
        self.log(kind="end", step=self.step, fraction=fraction, minutes=self.seconds / 60)


def _process(config, run, shared, rank):
    Trainer(config, run, shared, rank).train()


def start(config, run):
    """Run the trainer in as many processes as asked for; raises if one of them fails."""
    os.makedirs(run["out"], exist_ok=True)
    if run["ops"] == "native":
        native.library()
    tensors = initial_tensors(run)
    size = sum(p.numel() for p in (Edge.from_tensors(tensors) if tensors else Edge()).parameters())
    shared = Shared(run["processes"], size)
    if run["processes"] == 1:
        return _process(config, run, shared, 0)
    context = mp.get_context("fork")
    children = [context.Process(target=_process, args=(config, run, shared, r)) for r in range(run["processes"])]
    for c in children:
        c.start()
    with open(os.path.join(run["out"], "pids"), "w") as f:
        f.write("\n".join(str(p) for p in [os.getpid()] + [c.pid for c in children]) + "\n")
    signal.signal(signal.SIGTERM, lambda *_: os.kill(children[0].pid, signal.SIGTERM))
    while any(c.is_alive() for c in children):
        for c in children:
            c.join(0.5)
        if any(c.exitcode not in (None, 0) for c in children):
            for c in children:
                c.terminate()
                c.kill()
            raise SystemExit("a training process failed")
