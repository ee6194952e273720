"""Fine-tuning the last block of a Conv4 in 100 episodes: kshot, which keeps what comes out below the cut, beside a plain
torch loop, which runs the whole network in every step.

    python benches/peers/finetune.py --kshot target/release/kshot [--episodes 100]

Both train block 4 and a linear head for 30 epochs on all 25 support images of each 5-way 5-shot episode (Adam, rates 1e-3 and
1e-2, cosine schedule, running moments) and score 75 queries. torch trains on images of the same size; its time does not
depend on what is on them.
"""
import argparse
import copy
import math
import subprocess
import tempfile
import time

import torch
import torch.nn.functional as F
from torch import nn

WAY, SHOT, QUERY, EPOCHS = 5, 5, 15, 30


class Conv4(nn.Module):
    def __init__(self, channels=1, width=64):
        super().__init__()
        sizes = [channels] + [width] * 4
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU(), nn.MaxPool2d(2))
            for a, b in zip(sizes, sizes[1:])
        )

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x.flatten(1)


def episode(network, support, labels, query):
    own = copy.deepcopy(network).eval()
    for block in own.blocks[:3]:
        block.requires_grad_(False)
    head = nn.Linear(64, WAY)
    groups = [{"params": own.blocks[3].parameters(), "lr": 1e-3}, {"params": head.parameters(), "lr": 1e-2}]
    rule = torch.optim.Adam(groups)
    schedule = torch.optim.lr_scheduler.LambdaLR(rule, lambda step: 0.5 * (1 + math.cos(math.pi * step / EPOCHS)))
    for _ in range(EPOCHS):
        rule.zero_grad()
        F.cross_entropy(head(own(support)), labels).backward()
        rule.step()
        schedule.step()
    with torch.no_grad():
        return head(own(query))


def of_torch(episodes):
    torch.manual_seed(1)
    network = Conv4()
    support, query = torch.rand(WAY * SHOT, 1, 28, 28), torch.rand(WAY * QUERY, 1, 28, 28)
    labels = torch.arange(WAY).repeat_interleave(SHOT)
    episode(network, support, labels, query)
    begun = time.perf_counter()
    for _ in range(episodes):
        episode(network, support, labels, query)
    return time.perf_counter() - begun


def of_kshot(binary, episodes):
    def run(count):
        with tempfile.TemporaryDirectory() as out:
            command = f"{binary} evaluate any-5way-5shot --features glyphs --backbone conv4:weights=conv4-glyphs"
            command += f" --learner finetune-network:train=last-1,batch=0 --episodes {count} --out {out}/results"
            begun = time.perf_counter()
            subprocess.run(command.split(), check=True, capture_output=True)
            return time.perf_counter() - begun

    run(1)  # fills the cache of features
    return run(episodes)


if __name__ == "__main__":
    flags = argparse.ArgumentParser()
    flags.add_argument("--kshot", default="target/release/kshot")
    flags.add_argument("--episodes", type=int, default=100)
    flags = flags.parse_args()
    ours = of_kshot(flags.kshot, flags.episodes)
    theirs = of_torch(flags.episodes)
    print(f"{flags.episodes} episodes, {torch.get_num_threads()} threads: kshot {ours:.1f} s (whole run), torch {theirs:.1f} s, {theirs / ours:.1f}×")
