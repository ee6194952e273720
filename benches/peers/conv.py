"""Times kshot's Conv4 beside torch's on the CPU, in alternating runs of one program each.

    python -m venv .venv && .venv/bin/pip install torch
    cargo build --release --bench conv
    .venv/bin/python benches/peers/conv.py target/release/deps/conv-HASH [--rounds 3] [--threads 2]

Torch runs in both memory formats, and its faster one counts. Compare ratios within one run.
"""

import argparse
import os
import re
import statistics
import subprocess
import time

import torch
from torch import nn


def network(channels):
    blocks = []
    for inside in (channels, 64, 64, 64):
        blocks += [nn.Conv2d(inside, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*blocks, nn.Flatten())


class Peer:
    def __init__(self, channels, side, layout):
        self.network = network(channels).to(memory_format=layout)
        self.images = torch.rand(100, channels, side, side).to(memory_format=layout)
        self.adam = torch.optim.Adam(self.network.parameters(), 1e-3)

    def forward(self):
        self.network.eval()
        with torch.no_grad():
            self.network(self.images)

    def step(self):
        self.network.train()
        self.adam.zero_grad()
        (self.network(self.images) * 1e-3).sum().backward()
        self.adam.step()


def milliseconds(call):
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e3


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    layouts = (torch.channels_last, torch.contiguous_format)
    peers = {(c, s): [Peer(c, s, layout) for layout in layouts] for c, s in ((1, 28), (3, 84))}
    ratios = {}
    for number in range(args.rounds):
        threads = {"RAYON_NUM_THREADS": str(args.threads)}
        told = subprocess.run([args.binary, "2"], check=True, capture_output=True, text=True, env=os.environ | threads)
        for (channels, side), pair in peers.items():
            name = f"{channels}x{side}x{side}"
            lines = re.findall(rf"{name} forward ([0-9.]+) ms step ([0-9.]+) ms", told.stdout)
            ours = [min(float(line[i]) for line in lines) for i in (0, 1)]
            theirs = [min(milliseconds(call) for peer in pair for call in [getattr(peer, what)] * 3) for what in ("forward", "step")]
            for what, own, other in zip(("forward", "step"), ours, theirs):
                ratios.setdefault((name, what), []).append(other / own)
                print(f"round {number + 1}: {name} {what}: torch {other:.1f} ms, kshot {own:.1f} ms, ratio {other / own:.2f}")
    for (name, what), values in ratios.items():
        print(f"{name} {what}: median ratio {statistics.median(values):.2f} (above 1: kshot is faster)")


if __name__ == "__main__":
    main()
