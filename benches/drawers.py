"""Whether the people who drew Omniglot's base characters drew its novel ones too: makes the table in docs/omniglot.md.

    python benches/drawers.py data/omniglot

Names of files are CHARACTER_DRAWER.png, with drawers counted from 01 within an alphabet.
"""

import csv
import sys
from collections import defaultdict
from pathlib import Path
from zipfile import ZipFile

LISTS = Path(__file__).parent.parent / "src/data/dataset/images/vinyals.csv"


def main():
    folder = Path(sys.argv[1])
    drawers = defaultdict(set)
    for archive in ("images_background.zip", "images_evaluation.zip"):
        for name in ZipFile(folder / archive).namelist():
            if name.endswith(".png"):
                alphabet, character, drawing = name.split("/")[-3:]
                drawers[alphabet, int(character[-2:])].add(int(drawing.split("_")[1].removesuffix(".png")))
    splits, alphabets = defaultdict(list), defaultdict(set)
    with open(LISTS) as file:
        for row in csv.DictReader(file):
            for number in range(int(row["first"]), int(row["last"]) + 1):
                splits[row["split"]].append((row["alphabet"], number))
            alphabets[row["alphabet"]].add(row["split"])
    for split, characters in splits.items():
        numbers = set().union(*(drawers[character] for character in characters))
        whole = sum(drawers[character] == set(range(1, 21)) for character in characters)
        print(f"{split}: {len(characters)} characters, {whole} of them drawn by all of 01 to 20; numbers {min(numbers):02} to {max(numbers):02}")
    shared = [alphabet for alphabet, found in alphabets.items() if len(found) > 1]
    print(f"alphabets in more than one split: {', '.join(shared)}")
    for alphabet in shared:
        for split, characters in splits.items():
            found = [number for name, number in characters if name == alphabet]
            if found:
                print(f"    {split}: characters {min(found):02} to {max(found):02}")


if __name__ == "__main__":
    main()
