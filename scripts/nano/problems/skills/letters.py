"""Letters of words: how many of one kind, how many in all, vowels, backwards, at a place."""

from __future__ import annotations

from random import Random

from ..base import Draft, Family, Split, skill
from ..echo import BULLET
from ..spelling import word

_COUNT = Family(
    train=("How many {c}'s are in {w}?", "How many times does the letter {c} occur in {w}?",
           "Count the letter {c} in {w}.", 'How many "{c}" are in the word "{w}"?',
           "How often does {c} appear in {w}?", "{w}: how many {c}?", "number of {c} in {w}",
           "How many {c}s does {w} have?", "In the word {w}, how many letters are {c}?"),
    valid=("Count every {c} in the word {w}.",),
    held=("How many letters {c} does the word {w} have?", "How often is there a {c} in {w}?"),
)  # fmt: skip
_LENGTH = Family(
    train=("How many letters does {w} have?", "How many letters are in {w}?", "Count the letters "
           "of {w}.",
           "How long is the word {w}?", 'How many letters has "{w}"?', "letters in {w}?"),
    valid=("What is the number of letters in {w}?",),
    held=("Tell me how many letters {w} has.", "The word {w} has how many letters?"),
)  # fmt: skip
_VOWELS = Family(
    train=("How many vowels are in {w}?", "Count the vowels in {w}.", "How many vowels does {w} "
           "have?", "vowels in {w}?"),
    valid=("What is the number of vowels in {w}?",),
    held=("Tell me how many vowels {w} has.",),
)  # fmt: skip
_BACK = Family(
    train=("Spell {w} backwards.", "Reverse the word {w}.", "Write {w} backwards.",
           "What is {w} spelled backwards?", "{w} backwards"),
    valid=("Read {w} from right to left.",),
    held=("What does {w} look like in reverse?",),
)  # fmt: skip
_PLACE = Family(
    train=("What is letter number {k} of {w}?", "Which letter is at place {k} in {w}?",
           "Give me letter {k} of the word {w}."),
    valid=("Letter {k} of {w} is which one?",),
    held=("In the word {w}, which letter stands at place {k}?",),
)  # fmt: skip


def _tally(letters: str, wanted: str) -> str:
    """`s, t, r 1, a, w, b, e, r 2, r 3, y`: wanted letters carry their count."""
    shown, count = [], 0
    for letter in letters:
        count += letter in wanted
        shown.append(f"{letter} {count}" if letter in wanted else letter)
    return ", ".join(shown)


@skill("letters", weight=0.9)
def make_letters(rng: Random, level: int, split: Split) -> Draft:
    """Words of up to five letters; up to eight; longer ones."""
    found = word(rng, split, level)
    kind = rng.choice(("count", "count", "count", "length", "vowels", "back", "place"))
    if kind == "count":
        twice = [letter for letter in set(found) if found.count(letter) > 1]
        letter = rng.choice(sorted(twice) if twice and rng.random() < 0.6 else found)
        if rng.random() < 0.08:
            letter = rng.choice("abcdefghijklmnopqrstuvwxyz")
        text = _COUNT.say(rng, split, c=letter, w=found)
        lines, answer = [_tally(found, letter)], str(found.count(letter))
    elif kind == "length":
        text, answer = _LENGTH.say(rng, split, w=found), str(len(found))
        lines = [", ".join(f"{letter} {place}" for place, letter in enumerate(found, 1))]
    elif kind == "vowels":
        text, lines = _VOWELS.say(rng, split, w=found), [_tally(found, "aeiou")]
        answer = str(sum(letter in "aeiou" for letter in found))
    elif kind == "back":
        text, answer = _BACK.say(rng, split, w=found), found[::-1]
        lines = [" ".join(found), " ".join(answer)]
    else:
        place = rng.randint(1, len(found))
        text, answer = _PLACE.say(rng, split, w=found, k=place), found[place - 1]
        marks = enumerate(found[:place], 1)
        lines = [", ".join(f"{letter} {number}" for number, letter in marks)]
    return Draft(text, tuple(BULLET + line for line in lines), answer, dress=False)
