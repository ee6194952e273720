"""Times the heads of kshot beside easyfsl, torch and scikit-learn on the same features and the same episodes, in turn.

    cargo build --release
    python3 benches/peers/heads.py [--rounds 5] [--episodes 10000] [--way 5] [--shots 1 5] [--store FOLDER] [--only svm] [--out table.csv]
    python3 benches/peers/heads.py --all

Makes its own virtual environment beside this file's requirements (target/peers). Without --store the features are 12,000
items of 60 Gaussian classes in 640 dimensions. Every pair runs in turn, kshot, peer, kshot, peer, after one run of each
that is not counted. A peer answers as many of the draw's episodes as PEERS says, from the first on, and its correct
answers must be those of kshot in each of them (for the iterative fits, in 99 of 100; easyfsl's Finetune starts from
prototypes and takes Adam, another method, so only its time counts). Both use all cores, and both begin with all features in
memory. A peer is given the frozen draw as row numbers; its time counts gathering the rows, its heads and counting correct
answers. kshot's is told three times: in memory (benches/answer.rs: drawing, gathering, heads, grading with losses and
confidences), inside `kshot evaluate` (also the draw's file and hash, the journal, all tables, the fingerprint of the
store), and the whole process with reading and checking the store. With --all it is the nine learners of the reference
draws in one process, without a peer.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / "target/peers"


def enter():
    """Runs this script again inside the virtual environment."""
    python = VENV / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        needs = Path(__file__).with_name("requirements.txt")
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", needs], check=True)
    if Path(sys.prefix) != VENV:
        sys.exit(subprocess.run([python, *sys.argv]).returncode)


def made(folder):
    """Features of 60 Gaussian classes."""
    import numpy as np

    rng = np.random.default_rng(1)
    means = 0.15 * rng.standard_normal((60, 1, 640))
    np.save(folder / "features.npy", (means + rng.standard_normal((60, 200, 640))).astype(np.float32).reshape(-1, 640))
    rows = "".join(f"class-{c}\n" for c in range(60) for _ in range(200))
    (folder / "items.csv").write_text("class\n" + rows)
    return folder


def unit(x):
    return x / x.norm(dim=-1, keepdim=True).clamp_min(1e-12)


def easyfsl_prototypical(features, episodes):
    import torch
    from easyfsl.methods import PrototypicalNetworks

    model = PrototypicalNetworks(torch.nn.Identity())
    with torch.no_grad():
        for s, sl, q, ql in episodes:
            model.process_support_set(features[s], sl)
            yield (model(features[q]).argmax(1) == ql).sum().item()


def torch_prototypical(features, episodes):
    import torch

    # Both sides of an episode lie label by label.
    supports, queries, answers = (torch.stack([e[side] for e in episodes]) for side in (0, 2, 3))
    way = episodes[0][1].unique().numel()
    with torch.no_grad():
        for first in range(0, len(episodes), 64):
            batch = slice(first, first + 64)
            means = features[supports[batch]].unflatten(1, (way, -1)).mean(2)
            right = torch.cdist(features[queries[batch]], means).argmin(2) == answers[batch]
            yield from right.sum(1).tolist()


def sklearn_head(make):
    def run(features, episodes):
        for s, sl, q, ql in episodes:
            yield int((make().fit(features[s], sl).predict(features[q]) == ql).sum())

    return run


def logistic():
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1, tol=1e-6, max_iter=10000)


def logistic_loose():
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1, max_iter=1000)


def hinge():
    from sklearn.svm import LinearSVC

    return LinearSVC(C=1, fit_intercept=False, tol=1e-6, max_iter=10000)


def torch_fine_tune(features, episodes):
    import torch

    for s, sl, q, ql in episodes:
        support = features[s]
        layer = torch.nn.Linear(support.shape[1], int(sl.max()) + 1)
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
        optimiser = torch.optim.SGD(layer.parameters(), lr=0.1)
        for _ in range(100):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(layer(support), sl).backward()
            optimiser.step()
        with torch.no_grad():
            yield (layer(features[q]).argmax(1) == ql).sum().item()


def easyfsl_finetune(features, episodes):
    import torch
    from easyfsl.methods import Finetune

    model = Finetune(torch.nn.Identity(), fine_tuning_steps=100, fine_tuning_lr=0.1)
    for s, sl, q, ql in episodes:
        model.process_support_set(features[s], sl)
        yield (model(features[q]).argmax(1) == ql).sum().item()


# Learner of kshot, peer, its function, whether it takes unit vectors as arrays, episodes that it answers, share that must agree.
PEERS = [
    ("prototypical", "easyfsl PrototypicalNetworks", easyfsl_prototypical, "tensor", 2000, 1.0),
    ("prototypical", "torch, 64 episodes a batch, cdist", torch_prototypical, "tensor", 5000, 1.0),
    ("linear-probe", "scikit-learn LogisticRegression, tol 1e-6", sklearn_head(logistic), "unit array", 300, 0.99),
    ("linear-probe", "scikit-learn LogisticRegression, tol 1e-4", sklearn_head(logistic_loose), "unit array", 300, 0.5),
    ("svm", "scikit-learn LinearSVC, tol 1e-6", sklearn_head(hinge), "unit array", 300, 0.99),
    ("fine-tune", "torch, 100 steps", torch_fine_tune, "unit tensor", 60, 0.99),
    ("fine-tune", "easyfsl Finetune, 100 steps, another method", easyfsl_finetune, "unit tensor", 60, 0.0),
]
# The features have no base classes, of which cl2n would take the mean.
NINE = "prototypical nearest-centroid:transform=none nearest-centroid:transform=l2n k-nn matching linear-probe ridge svm fine-tune".split()


def prepared(features, order, form):
    """The features in the form that the peer takes, and rows and labels of both sides of each episode."""
    import numpy as np
    import torch
    from episodes import unit_rows

    values = unit_rows(features) if "unit" in form else features
    values = np.ascontiguousarray(values, dtype=np.float64 if "array" in form else np.float32)
    of = (lambda x: x) if "array" in form else torch.from_numpy
    return of(values), [tuple(of(side) for side in episode) for episode in order]


def kshot(args, protocol, store, learner, folder):
    """Seconds in memory, inside and of the whole process, and correct answers per episode."""
    counts, out = folder / "counts", folder / "out"
    told = subprocess.run([args.library, store, protocol, learner, counts], check=True, capture_output=True, text=True)
    command = [args.binary, "evaluate", protocol, "--features", store, "--learner", learner, "--out", out, "--overwrite"]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    whole = time.perf_counter() - start
    inside = json.loads((out / "run.json").read_text())["seconds"]["peer"]
    with open(out / "episodes.csv", newline="") as file:
        correct = [int(row["correct"]) for row in csv.DictReader(file)]
    if correct != [int(line) for line in counts.read_text().split()]:
        sys.exit(f"{learner} answers otherwise in memory and in the program")
    return (float(told.stdout), inside, whole), correct


def together(args, folder, store):
    """Seconds of the whole process for the nine learners in one evaluation."""
    print("shot | round | seconds | peak memory")
    for shot in args.shots:
        protocol = written(folder, args, shot)
        command = [args.binary, "evaluate", protocol, "--features", store]
        command += [word for learner in NINE for word in ("--learner", learner)] + ["--out", folder / "out", "--overwrite"]
        for number in range(args.rounds):
            start = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            spent = time.perf_counter() - start
            if status != 0:
                sys.exit(f"kshot ended with status {status}")
            print(f"{shot} | {number + 1} | {spent:.2f} s | {usage.ru_maxrss // 1024} MiB", flush=True)


def written(folder, args, shot):
    from episodes import PROTOCOL

    protocol = folder / "peer.toml"
    protocol.write_text(PROTOCOL.format(way=args.way, shot=shot, episodes=args.episodes))
    return protocol


def paired(args, protocol, store, folder, learner, run, features, episodes):
    """Rates of kshot in memory, inside and whole and of a peer, round by round in turn, and the share of equal answers."""
    ours, theirs = [], []
    for number in range(args.rounds + 1):
        seconds, correct = kshot(args, protocol, store, learner, folder)
        start = time.perf_counter()
        answers = list(run(features, episodes))
        peer = time.perf_counter() - start
        # The first round imports and warms up.
        if number > 0:
            ours.append([args.episodes / spent for spent in seconds])
            theirs.append(len(episodes) / peer)
    return ours, theirs, sum(a == b for a, b in zip(answers, correct)) / len(answers)


def built():
    """The benchmark that answers in memory."""
    command = ["cargo", "bench", "--no-run", "--bench", "answer", "--message-format", "json"]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    programs = (json.loads(line).get("executable") for line in told.splitlines() if line.startswith("{"))
    return [program for program in programs if program and "answer" in Path(program).name][-1]


def main():
    enter()
    import numpy as np
    from episodes import orders

    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--episodes", type=int, default=10000)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--only")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--way", type=int, default=5)
    parser.add_argument("--shots", type=int, nargs="*", default=[1, 5])
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/kshot")
    parser.add_argument("--library", type=Path, help="the benchmark `answer`; built where it is not named")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    warnings.filterwarnings("ignore")

    head = "shot learner peer memory/s inside/s whole/s peer/s ratio least most ratio-inside ratio-whole equal"
    lines = [head.split()]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        store = args.store or made(folder)
        if args.all:
            return together(args, folder, store)
        args.library = args.library or built()
        print(*lines[0], sep=" | ")
        features = np.load(store / "features.npy")
        for shot in args.shots:
            protocol = written(folder, args, shot)
            sample = [args.binary, "sample", protocol, "--features", store, "--out", folder / f"draw-{shot}"]
            subprocess.run(sample, check=True, capture_output=True)
            order = orders(folder / f"draw-{shot}/peer.csv", store)
            for learner, peer, run, form, count, share in PEERS:
                if args.only and args.only not in learner:
                    continue
                values, episodes = prepared(features, order[: min(count, args.episodes)], form)
                ours, theirs, equal = paired(args, protocol, store, folder, learner, run, values, episodes)
                if equal < share:
                    sys.exit(f"{learner} and {peer} agree in {equal:.2%} of the episodes, not in {share:.0%}")
                peers = statistics.median(theirs)
                rates = [statistics.median(column) for column in zip(*ours)]
                ratios = [memory / b for (memory, _, _), b in zip(ours, theirs)]
                line = [shot, learner, peer, *(f"{rate:.0f}" for rate in rates), f"{peers:.1f}"]
                line += [f"{rates[0] / peers:.1f}", f"{min(ratios):.1f}", f"{max(ratios):.1f}"]
                line += [*(f"{rate / peers:.1f}" for rate in rates[1:]), f"{equal:.2%}" if share > 0 else "-"]
                lines.append(line)
                print(*line, sep=" | ", flush=True)
    if args.out:
        with open(args.out, "w", newline="") as file:
            csv.writer(file).writerows(lines)


if __name__ == "__main__":
    main()
