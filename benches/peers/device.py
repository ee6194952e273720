"""Times kshot beside torch on one device, in alternating runs: three heads over many episodes, and a step of Conv4.

    benches/peers/device.py PROGRAM... --device cuda [--episodes 100000] [--rounds 3] [--out ratios.csv]

PROGRAM is how `benches/device.rs` is run, such as `pack/run.sh device`. The heads of torch are written as well as they can
be: all episodes of a batch at once, in the span of the support where that is smaller, each batch size tried, features on
the device. Products are in full single precision on both sides. Compare ratios within one run.
"""

import argparse
import csv
import re
import statistics
import subprocess
import time

import torch
from torch import nn

CLASSES, PER_CLASS, WAY, QUERY, IMAGES = 60, 200, 5, 15, 100


def network(channels):
    blocks = []
    for inside in (channels, 64, 64, 64):
        blocks += [nn.Conv2d(inside, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*blocks, nn.Flatten())


def rows_of(shot, count, generator):
    """Rows of support and query of each episode: (count, way * shot), (count, way * query)."""
    classes = torch.rand(count, CLASSES, generator=generator).argsort(1)[:, :WAY, None] * PER_CLASS
    items = torch.rand(count, WAY, PER_CLASS, generator=generator).argsort(2)[:, :, : shot + QUERY]
    rows = classes + items
    return rows[:, :, :shot].reshape(count, -1), rows[:, :, shot:].reshape(count, -1)


def prototypical(support, query, shot):
    means = support.unflatten(1, (WAY, shot)).mean(2)
    return 2 * query @ means.mT - means.square().sum(2)[:, None, :]


def one_hot(support, shot):
    labels = torch.arange(WAY, device=support.device).repeat_interleave(shot)
    return nn.functional.one_hot(labels, WAY).to(support.dtype).expand(len(support), -1, -1)


def linear_probe(support, query, shot):
    """Multinomial logistic regression with a bias, by the bound of Böhning 1992 with momentum, to a residual of 1e-5."""
    truth, gram, n = one_hot(support, shot), support @ support.mT, support.shape[1]
    inverse = torch.linalg.inv(torch.eye(n, device=support.device) + 0.5 * gram)
    u = inverse.sum(2, keepdim=True)
    mass = u.sum(1, keepdim=True)
    projector = inverse - u @ u.mT / mass
    zero = torch.zeros(len(support), 2 * n + 1, WAY, device=support.device)
    lead, last = zero, zero
    t = torch.ones(len(support), 1, 1, device=support.device)
    for step in range(500):
        a, z, b = lead[:, :n], lead[:, n : 2 * n], lead[:, 2 * n :]
        slope = (z + b).softmax(2) - truth
        pull = 0.5 * z - slope
        next_a = projector @ pull
        point = torch.cat([next_a, gram @ next_a, b + u.mT @ pull / (0.5 * mass)], 1)
        turned = ((lead - point) * (point - last)).sum((1, 2), keepdim=True) > 0
        t = torch.where(turned, torch.ones_like(t), t)
        next_t = 0.5 * (1 + (1 + 4 * t * t).sqrt())
        residual = (a + slope).abs().amax((1, 2))
        lead, last, t = point + (t - 1) / next_t * (point - last), point, next_t
        if step % 8 == 7 and bool((residual < 1e-5).all()):
            break
    return query @ (support.mT @ lead[:, :n]) + lead[:, 2 * n :]


def fine_tune(support, query, shot, steps=100, rate=0.1):
    """Gradient descent on the mean cross-entropy from zero, in the span of the support."""
    truth, gram = one_hot(support, shot), support @ support.mT
    a = torch.zeros_like(truth)
    b = torch.zeros(len(support), 1, WAY, device=support.device)
    for _ in range(steps):
        slope = ((gram @ a + b).softmax(2) - truth) / truth.shape[1]
        a, b = a - rate * slope, b - rate * slope.sum(1, keepdim=True)
    return query @ (support.mT @ a) + b


HEADS = {"prototypical": prototypical, "linear-probe": linear_probe, "fine-tune": fine_tune}


class Peer:
    def __init__(self, device, episodes, dim, batches):
        self.device, self.episodes, self.batches = device, episodes, batches
        generator = torch.Generator().manual_seed(1)
        means = 0.15 * torch.randn(CLASSES, 1, dim, generator=generator)
        features = (means + torch.randn(CLASSES, PER_CLASS, dim, generator=generator)).flatten(0, 1)
        self.plain = features.to(device)
        self.unit = nn.functional.normalize(self.plain)
        self.labels = torch.arange(WAY, device=device).repeat_interleave(QUERY)
        self.rows = {shot: rows_of(shot, episodes, generator) for shot in (1, 5)}

    def wait(self):
        if self.device == "cuda":
            torch.cuda.synchronize()

    def seconds(self, work):
        self.wait()
        start = time.perf_counter()
        work()
        self.wait()
        return time.perf_counter() - start

    @torch.no_grad()
    def answer(self, name, shot, batch):
        features = self.plain if name == "prototypical" else self.unit
        right = torch.zeros((), device=self.device)
        for first in range(0, self.episodes, batch):
            support, query = (rows[first : first + batch].to(self.device) for rows in self.rows[shot])
            scores = HEADS[name](features[support], features[query], shot)
            right += (scores.argmax(2) == self.labels).sum()
        return float(right) / (self.episodes * WAY * QUERY)

    def rate(self, name, shot):
        accuracy, best = 0.0, 0.0
        for batch in self.batches:
            self.answer(name, shot, batch)
            best = max(best, self.episodes / self.seconds(lambda: self.answer(name, shot, batch)))
        accuracy = self.answer(name, shot, self.batches[0])
        assert accuracy > 0.22, f"{name} answers no better than chance: {accuracy}"
        return best

    def images(self, channels, side, train, times):
        best = 0.0
        for layout in (torch.channels_last, torch.contiguous_format):
            net = network(channels).to(self.device, memory_format=layout).train(train)
            batch = torch.rand(IMAGES, channels, side, side).to(self.device, memory_format=layout)
            adam = torch.optim.Adam(net.parameters(), 1e-3)

            def forward():
                with torch.no_grad():
                    net(batch)

            def step():
                adam.zero_grad()
                (net(batch) * 1e-3).sum().backward()
                adam.step()

            work = step if train else forward
            work()
            best = max(best, times * IMAGES / self.seconds(lambda: [work() for _ in range(times)]))
        return best


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", nargs="+")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    parser.add_argument("--episodes", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dim", type=int, default=640)
    parser.add_argument("--batches", default="512,2048,8192", help="batch sizes that torch tries")
    parser.add_argument("--out")
    args = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    print(f"torch {torch.__version__} on {torch.cuda.get_device_name() if args.device == 'cuda' else 'cpu'}", flush=True)
    peer = Peer(args.device, args.episodes, args.dim, [int(size) for size in args.batches.split(",")])
    found = {}
    for number in range(args.rounds):
        command = [*args.program, args.device, str(args.episodes), "2", str(args.dim)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        ours = {what: float(rate) for what, rate in re.findall(r"^(\S+) ([0-9.]+) ", told, re.M)}
        print(told, end="", flush=True)
        for what, own in ours.items():
            head = re.fullmatch(r"(.+)-5w(\d)s", what)
            net = re.fullmatch(r"conv4-(\d)x(\d+)x\d+-(forward|step)", what)
            if head and head[1] in HEADS:
                other = peer.rate(head[1], int(head[2]))
            elif net:
                other = peer.images(int(net[1]), int(net[2]), net[3] == "step", 2 if args.device == "cpu" else 20)
            else:
                continue
            found.setdefault(what, []).append((own, other))
            print(f"round {number + 1}: {what}: torch {other:.0f}/s, kshot {own:.0f}/s, ratio {own / other:.2f}", flush=True)
    rows = []
    for what, pairs in found.items():
        ratio = statistics.median(own / other for own, other in pairs)
        own, other = (statistics.median(values) for values in zip(*pairs))
        rows.append({"what": what, "device": args.device, "kshot": own, "torch": other, "ratio": ratio})
        print(f"{what}: median ratio {ratio:.2f} (above 1: kshot is faster)")
    if args.out:
        with open(args.out, "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
