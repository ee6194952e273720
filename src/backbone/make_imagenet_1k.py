"""Writes imagenet_1k.txt: wordnet id and names of every class of ILSVRC 2012.

    python make_imagenet_1k.py

From the lists that timm 1.0.31 (Apache-2.0) carries and the names of torchvision 0.29.2 (BSD-3-Clause).
"""
import pathlib

import timm
from torchvision.models._meta import _IMAGENET_CATEGORIES

INFO = pathlib.Path(timm.__file__).parent / 'data' / '_info'


def main():
    lemmas = dict(line.split('\t') for line in (INFO / 'imagenet_synset_to_lemma.txt').read_text().splitlines())
    with open(pathlib.Path(__file__).parent / 'imagenet_1k.txt', 'w', newline='\n') as out:
        for synset, category in zip((INFO / 'imagenet_synsets.txt').read_text().split(), _IMAGENET_CATEGORIES, strict=True):
            names = lemmas[synset].split(', ')
            out.write(f'{synset} {", ".join(names + [category] * (category not in names))}\n')


if __name__ == '__main__':
    main()
