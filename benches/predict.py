"""`kshot predict` on Omniglot: 20 characters from five drawings each, 400 drawings without labels of which 100 are of others.

    python benches/predict.py [--kshot target/release/kshot] [--data data/omniglot] [--seeds 10] [--out benches/predict.csv]

Characters are those of Vinyals' test split, upright, which the shipped weights have not seen. A seed chooses characters and drawings.
Then a 21st character is added by adding its folder, and the 400 drawings are asked again: `changed` counts answers that are others now
though the new character is not the answer, `moved` those that went to it.
"""

import argparse
import csv
import io
import random
import subprocess
import tempfile
import time
import zipfile
from pathlib import Path

LEARNERS = ["prototypical", "nearest-centroid:transform=l2n", "k-nn", "linear-probe", "ridge", "svm"]
BACKBONE = "conv4:weights=conv4-omniglot-5shot"
OPTIONS = "side=28,channels=1,dark=lines"


def drawings(data):
    """The drawings of each test character, by `alphabet/character`."""
    lines = (data / "splits/vinyals/test.txt").read_text().split()
    wanted = {line.rsplit("/", 1)[0] for line in lines}
    found = {}
    for name in ["images_background", "images_evaluation"]:
        archive = zipfile.ZipFile(data / f"{name}.zip")
        for path in sorted(p for p in archive.namelist() if p.endswith(".png")):
            character = "/".join(path.split("/")[1:3])
            if character in wanted:
                found.setdefault(character, []).append((path.split("/")[-1], archive.read(path)))
    return found


def put(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, image in files:
        (folder / name).write_bytes(image)


def make(place, found, seed):
    """Folders of one seed; gives back the class of each drawing, empty for those of other characters."""
    rng = random.Random(seed)
    characters = sorted(found)
    rng.shuffle(characters)
    truth = {}
    for character in characters[:21]:
        files = rng.sample(found[character], 20)
        name = character.replace("/", "-")
        put(place / ("new" if character == characters[20] else "support") / name, files[:5])
        if character != characters[20]:
            put(place / "items", files[5:])
            truth.update({file: name for file, _ in files[5:]})
    for character in characters[21:41]:
        files = rng.sample(found[character], 5)
        put(place / "items", files)
        truth.update({file: "" for file, _ in files})
    return truth


def run(kshot, place, *arguments):
    clock = time.perf_counter()
    subprocess.run([kshot, "predict", *arguments, "--cache", place / "cache"], cwd=place, check=True, capture_output=True)
    return time.perf_counter() - clock


def answers(folder):
    return {row["item"]: row for row in csv.DictReader((folder / "predictions.csv").open())}


def measured(kshot, place, truth, learner, seed):
    folders = ["--features", f"folder:support,{OPTIONS}", "--backbone", BACKBONE]
    tag = learner.replace(":", "-")
    seconds = run(kshot, place, "items", *folders, "--learner", learner, "--out", f"{tag}-1", "--save", f"{tag}-saved")
    run(kshot, place, "items", "--load", f"{tag}-saved", "--features", f"folder:new,{OPTIONS}", "--backbone", BACKBONE, "--out", f"{tag}-2")
    before, after = answers(place / f"{tag}-1"), answers(place / f"{tag}-2")
    known = [item for item in truth if truth[item]]
    others = [item for item in truth if not truth[item]]
    right = [item for item in known if before[item]["class"] == truth[item]]
    accepted = lambda items: sum(before[item]["refused"] == "false" for item in items)
    new = {path.name for path in (place / "new").iterdir()}
    moved = sum(after[item]["class"] in new for item in truth)
    changed = sum(after[item]["class"] != before[item]["class"] and after[item]["class"] not in new for item in truth)
    return {
        "seed": seed,
        "learner": learner,
        "accuracy": len(right) / len(known),
        "right_and_accepted": accepted(right) / len(known),
        "known_refused": 1 - accepted(known) / len(known),
        "others_refused": 1 - accepted(others) / len(others),
        "refused": 1 - accepted(list(truth)) / len(truth),
        "moved": moved,
        "changed": changed,
        "seconds": round(seconds, 2),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kshot", type=Path, default=Path("target/release/kshot"))
    parser.add_argument("--data", type=Path, default=Path("data/omniglot"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--out", type=Path, default=Path("benches/predict.csv"))
    arguments = parser.parse_args()
    found, rows = drawings(arguments.data), []
    for seed in range(1, arguments.seeds + 1):
        with tempfile.TemporaryDirectory() as place:
            truth = make(Path(place), found, seed)
            assert len(truth) == 400
            rows += [measured(arguments.kshot.resolve(), Path(place), truth, learner, seed) for learner in LEARNERS]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()} for row in rows)
    arguments.out.write_text(text.getvalue())
    keys = ["accuracy", "right_and_accepted", "known_refused", "others_refused", "refused", "moved", "changed", "seconds"]
    print("learner," + ",".join(keys))
    for learner in LEARNERS:
        own = [row for row in rows if row["learner"] == learner]
        print(learner + "," + ",".join(f"{sum(row[key] for row in own) / len(own):.3f}" for key in keys))


if __name__ == "__main__":
    main()
