"""Times kshot beside sentence-transformers on the CPU, in alternating runs over the same sentences.

    python -m venv .venv && .venv/bin/pip install torch sentence-transformers
    cargo build --release --features text --example embed_texts
    .venv/bin/python benches/peers/text.py ENCODER TEXTS [--count 2000] [--rounds 3]

ENCODER is the folder of an encoder, TEXTS a file with one sentence per line, or CLINC150's data_full.json. Reading the model is in neither wall time; the
processor time of kshot has it, because it is that of the whole process. On a machine that others use, trust processor time.
"""

import argparse
import json
import random
import re
import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

ROOT = Path(__file__).resolve().parents[2]


def children():
    """Processor time of all programs that were run."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def read(path):
    if path.suffix != ".json":
        return path.read_text().splitlines()
    parts = json.loads(path.read_text())
    return [text for part in ("train", "val", "test") for text, _ in parts[part]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("encoder")
    parser.add_argument("texts", type=Path)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/examples/embed_texts")
    args = parser.parse_args()

    texts = read(args.texts)
    texts = random.Random(1).sample(texts, min(args.count, len(texts)))
    peer = SentenceTransformer(args.encoder, device="cpu")
    peer.encode(texts[:64])
    print(f"{len(texts)} sentences; torch {torch.__version__}, {torch.get_num_threads()} threads")

    ratios, busy_ratios = [], []
    with tempfile.TemporaryDirectory() as folder:
        lines, out = Path(folder, "texts.txt"), Path(folder, "features.f32")
        lines.write_text("\n".join(texts) + "\n")
        for number in range(args.rounds):
            start, busy = time.perf_counter(), time.process_time()
            expected = peer.encode(texts, batch_size=32)
            theirs, their_cpu = time.perf_counter() - start, time.process_time() - busy
            busy = children()
            told = subprocess.run([args.binary, args.encoder, lines, out], check=True, capture_output=True, text=True)
            our_cpu = children() - busy
            ours = float(re.search(r"embedded ([0-9.]+) s", told.stdout)[1])
            features = np.fromfile(out, dtype="<f4").reshape(len(texts), -1)
            least = float((features * expected).sum(1).min())
            ratios.append(theirs / ours)
            busy_ratios.append(their_cpu / our_cpu)
            print(
                f"round {number + 1}: sentence-transformers {theirs:.2f} s ({len(texts) / theirs:.0f}/s), "
                f"kshot {ours:.2f} s ({len(texts) / ours:.0f}/s), ratio {ratios[-1]:.2f}, "
                f"processor {their_cpu:.2f} s and {our_cpu:.2f} s, ratio {busy_ratios[-1]:.2f}, least cosine {least:.6f}"
            )
    wall, cpu = statistics.median(ratios), statistics.median(busy_ratios)
    print(f"median ratio: wall {wall:.2f}, processor {cpu:.2f} (above 1: kshot is faster)")


if __name__ == "__main__":
    main()
