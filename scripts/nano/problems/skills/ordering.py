"""Ordering puzzles: two to six people, who is taller, older, faster, and who is at which place.

`puzzle` makes the facts, `reads` says what they mean, so that a test can try all orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from ..base import Draft, Family, Split, skill
from ..words import people

# A scale: (above, below, most, least).
_SCALES = (
    ("is taller than", "is shorter than", "tallest", "shortest"),
    ("is older than", "is younger than", "oldest", "youngest"),
    ("is faster than", "is slower than", "fastest", "slowest"),
    ("is heavier than", "is lighter than", "heaviest", "lightest"),
    ("is richer than", "is poorer than", "richest", "poorest"),
    ("is stronger than", "is weaker than", "strongest", "weakest"),
    ("finished before", "finished after", "first", "last"),
    ("lives above", "lives below", "highest up", "lowest down"),
    ("arrived earlier than", "arrived later than", "earliest", "latest"),
    ("has more points than", "has fewer points than", "best", "worst"),
)
_OPEN = Family(
    train=("", "", "", "{c} people are compared. ", "Read carefully: ", "Here is a puzzle. ",
           "Find the order. "),
    valid=("Think about the order. ",),
    held=("Here are {c} people. ", "A little puzzle: "),
)  # fmt: skip
_MOST = Family(
    train=("Who is the {m}?", "Which of them is the {m}?", "Who of them is {m}?",
           "Name the {m} one."),
    valid=("Which person is the {m}?",),
    held=("Can you say who is the {m}?", "Tell me who is the {m}."),
)  # fmt: skip
_PLACE = Family(
    train=("Counting from the {m}, who is number {k}?",
           "Who is number {k} if the {m} is number 1?"),
    valid=("Starting with the {m}, who comes at place {k}?",),
    held=("Line them up, the {m} in front. Who is at place {k}?",),
)  # fmt: skip
_RANK = Family(
    train=("Counting from the {m}, which number is {n}?",
           "Which place has {n} if the {m} is number "
           "1?"),
    valid=("Starting with the {m}, at which place is {n}?",),
    held=("Line them up, the {m} in front. At which place is {n}?",),
)  # fmt: skip
_ORDER = Family(
    train=("Give the order, the {m} first.", "Order them from {m} to {l}.",
           "What is the order from "
           "{m} to {l}?"),
    valid=("List them from {m} to {l}.",),
    held=("Write down the order, beginning with the {m}.",),
)  # fmt: skip
_PAIR = Family(
    train=("Who {r} the other, {a} or {b}?",),
    valid=("Of {a} and {b}, who {r} the other?",),
    held=("Between {a} and {b}, who {r} the other?",),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Puzzle:
    """`order` from most to least; each fact (i, j) of places says order[i] is above order[j]."""

    order: tuple[str, ...]
    facts: tuple[tuple[int, int], ...]

    def holds(self, order: tuple[str, ...]) -> bool:
        """Whether another order of the same people fits all facts."""
        place = {name: index for index, name in enumerate(order)}
        return all(place[self.order[i]] < place[self.order[j]] for i, j in self.facts)


def puzzle(rng: Random, level: int, split: Split) -> Puzzle:
    """Neighbours in shuffled order, at times with one more fact that follows from them."""
    count = rng.randint(*((2, 3), (4, 4), (5, 6))[level])
    names = people(rng, split, count)
    facts = [(place, place + 1) for place in range(count - 1)]
    if count > 3 and rng.random() < 0.3:
        first = rng.randrange(count - 2)
        facts.append((first, rng.randrange(first + 2, count)))
    rng.shuffle(facts)
    return Puzzle(tuple(names), tuple(facts))


def _sentences(rng: Random, made: Puzzle, scale: tuple[str, str, str, str]) -> list[str]:
    shown = []
    for i, j in made.facts:
        above, below = made.order[i], made.order[j]
        if rng.random() < 0.5:
            shown.append(f"{above} {scale[0]} {below}.")
        else:
            shown.append(f"{below} {scale[1]} {above}.")
    return shown


def _deduce(rng: Random, order: tuple[str, ...]) -> list[str]:
    """Grow the chain from the top, from the bottom, or from the middle to both ends."""
    start = rng.choice((0, 0, len(order) - 2, rng.randrange(len(order) - 1)))
    low, high = start, start + 1
    lines = [" > ".join(order[low : high + 1])]
    while high - low + 1 < len(order):
        if high + 1 < len(order) and (low == 0 or rng.random() < 0.5):
            high += 1
        else:
            low -= 1
        lines.append(" > ".join(order[low : high + 1]))
    return lines


@skill("ordering")
def make_ordering(rng: Random, level: int, split: Split) -> Draft:
    """Two or three people; four; five or six, some facts not needed."""
    made = puzzle(rng, level, split)
    scale = rng.choice(_SCALES)
    most, least = scale[2], scale[3]
    order = made.order
    kinds = (
        ("most", "most", "place", "rank", "order", "pair") if len(order) > 2 else ("most", "pair")
    )
    kind = rng.choice(kinds)
    lines = _deduce(rng, order)
    seen, end = order, most
    if rng.random() < 0.4:
        seen, end, most, least = order[::-1], least, least, most
    if kind == "most":
        ask, answer = _MOST.say(rng, split, m=end), seen[0]
    elif kind == "place":
        place = rng.randint(2, len(order) - 1)
        ask, answer = _PLACE.say(rng, split, m=end, k=place), seen[place - 1]
    elif kind == "rank":
        place = rng.randint(1, len(order))
        ask, answer = _RANK.say(rng, split, m=end, n=seen[place - 1]), str(place)
    elif kind == "order":
        ask, answer = _ORDER.say(rng, split, m=most, l=least), " > ".join(seen)
    else:
        a, b = rng.sample(range(len(order)), 2)
        ask = _PAIR.say(rng, split, r=scale[0], a=order[a], b=order[b])
        answer = order[min(a, b)]
    if kind in ("place", "rank"):
        numbered = ", ".join(f"{place} {name}" for place, name in enumerate(seen, 1))
        lines.append(f"From the {end}: {numbered}")
    elif kind != "pair" and seen is not order:
        lines.append(f"From the {end}: {' > '.join(seen)}")
    text = _OPEN.say(rng, split, c=len(order)) + " ".join([*_sentences(rng, made, scale), ask])
    return Draft(text, tuple(lines), answer, keep=order)
