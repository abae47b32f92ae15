"""Words for the letter tasks: everyday ones, and made-up ones without end."""

from __future__ import annotations

from random import Random

from .base import Split, bucket, part

_WORDS = """
strawberry banana tomato window garden letter summer winter yellow orange purple kitchen bottle
pepper cheese butter coffee dinner supper school pencil rabbit parrot turtle monkey elephant
mississippi committee balloon baboon bookkeeper raccoon success necessary possible mirror carrot
hammer puzzle ladder bubble cookie noodle needle wheel green street sweet tree coffee queen
address accident apple butterfly calendar chocolate computer dictionary different energy evening
family february football forest hospital hundred island january jungle kangaroo language library
machine market message million minute moment morning mountain museum music nature number october
office paper pattern people person picture planet pocket potato present problem question quick
reason record river rocket sailor science season second secret shadow silver simple sister spring
station storm story student sugar summit sunday system table teacher theatre thunder ticket tiger
together travel umbrella uncle under valley vegetable village violin water weather weekend whisper
wonder yesterday zebra bread plate grass floor light night right sleep speed stone
""".split()
WORDS = list(dict.fromkeys(_WORDS))
_ONSETS = "b d f g k l m n p r s t v z br cl dr fl gr pl st tr sh ch".split()
_VOWELS = "a e i o u a e i o ee oo".split()
_CODAS = ["", "", "", "n", "r", "l", "s", "t", "m", "ll", "ss"]


def made_up(rng: Random, syllables: int) -> str:
    """A word that does not exist: `trabolen`."""
    return "".join(
        rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in range(syllables)
    )


def word(rng: Random, split: Split, level: int) -> str:
    """A word of one split: up to five letters at the easy level, then longer."""
    low, high = ((3, 5), (5, 8), (8, 13))[level]
    while True:
        if rng.random() < 0.4:
            found = rng.choice(part(split, WORDS))
            owned = True
        else:
            found = made_up(rng, rng.randint(1 + (level > 0), 2 + level))
            owned = found not in WORDS and bucket(found) is split
        if owned and low <= len(found) <= high:
            return found
