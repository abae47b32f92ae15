"""Truth-teller puzzles: chains of who says that who lies, pairs, and one guilty among suspects.

Each puzzle keeps its claims as data (`Claim`), so that a test can try every case; `holds` says
whether a claim is true in a case.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from ..base import Draft, Family, Split, skill
from ..words import people

_TRUE = Family(
    train=("{n} tells the truth.", "{n} always tells the truth.", "We know that {n} tells the "
           "truth.", "{n} is a truth-teller.", "{n} never lies."),
    valid=("{n} is honest.",),
    held=("It is known that {n} tells the truth.", "{n} speaks the truth."),
)  # fmt: skip
_LIE = Family(
    train=("{n} lies.", "{n} always lies.", "We know that {n} lies.", "{n} is a liar.",
           "{n} never tells the truth."),
    valid=("{n} is dishonest.",),
    held=("It is known that {n} lies.", "{n} does not speak the truth."),
)  # fmt: skip
_SAYS_TRUE = Family(
    train=("{n} says that {m} tells the truth.", "{n} says {m} tells the truth.",
           '{n} says: "{m} tells the truth."', "{n} claims that {m} is a truth-teller."),
    valid=("{n} swears that {m} tells the truth.",),
    held=("According to {n}, {m} tells the truth.",),
)  # fmt: skip
_SAYS_LIE = Family(
    train=("{n} says that {m} lies.", "{n} says {m} lies.", '{n} says: "{m} lies."',
           "{n} claims that {m} is a liar."),
    valid=("{n} swears that {m} lies.",),
    held=("According to {n}, {m} lies.",),
)  # fmt: skip
_ASK = Family(
    train=("Does {n} tell the truth?", "Is {n} a truth-teller?", "Does {n} tell the truth, yes or "
           "no?"),
    valid=("Is {n} telling the truth?",),
    held=("Can {n} be believed, yes or no?",),
)  # fmt: skip
_ISLAND = Family(
    train=("On an island truth-tellers always tell the truth and liars always lie. ",
           "Everyone here is a truth-teller or a liar. ", "Each of them either always lies or "
           "always tells the truth. "),
    valid=("Some people always lie, the others never do. ",),
    held=("In this village everyone either never lies or always lies. ",),
)  # fmt: skip
_LIARS = Family(
    train=("Which of the two is a liar, {n}, {m}, both or neither?", "Who lies: {n}, {m}, both or "
           "neither?"),
    valid=("Who is a liar: {n}, {m}, both or neither?",),
    held=("Name the liar: {n}, {m}, both or neither?",),
)  # fmt: skip
_CRIME = Family(
    train=("One of {x} broke the vase.", "Exactly one of {x} took the book.", "One of {x} ate the "
           "cake.", "One of {x} hid the key."),
    valid=("One of {x} opened the gate.",),
    held=("Exactly one of {x} lost the ticket.", "One of {x} rang the bell."),
)  # fmt: skip
_COUNT = Family(
    train=("Exactly {c} of them {v} the truth. Who was it?", "Only {c} of the statements {b} true. "
           "Who did it?", "{c} of them {v} the truth, the others lie. Who was it?"),
    valid=("Just {c} of the statements {b} true. Who was it?",),
    held=("Exactly {c} of the statements {b} true. Which one was it?",),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Claim:
    """`speaker` says that `target` tells the truth (or is the one), or not if `positive` is False.

    Kinds about the speaker and one other: `both lie`, `one lies`, `same`, `different`.
    """

    speaker: int
    kind: str
    target: int
    positive: bool = True

    def holds(self, case: Sequence[bool]) -> bool:
        """Whether what is said is true; case[i]: i tells the truth, or i is the guilty one."""
        me, other = case[self.speaker], case[self.target]
        match self.kind:
            case "both lie":
                return not me and not other
            case "one lies":
                return not me or not other
            case "same":
                return me == other
            case "different":
                return me != other
        return other is self.positive


def cases(count: int) -> Iterator[tuple[bool, ...]]:
    """Every way in which people can be truth-tellers and liars."""
    return itertools.product((True, False), repeat=count)


def consistent(claims: Sequence[Claim], case: Sequence[bool]) -> bool:
    """Truth-tellers say true things, liars false ones."""
    return all(claim.holds(case) is case[claim.speaker] for claim in claims)


def _state(truth: bool) -> str:
    return "tells the truth" if truth else "lies"


def _chain(rng: Random, level: int, split: Split) -> Draft:
    """One person is known; each next one speaks about the one before."""
    count = rng.randint(*((2, 3), (4, 4), (5, 6))[level])
    names = people(rng, split, count)
    truth = [rng.random() < 0.5]
    facts = [(_TRUE if truth[0] else _LIE).say(rng, split, n=names[0])]
    lines = [f"{names[0]} {_state(truth[0])}."]
    for name, before in zip(names[1:], names, strict=False):
        said = rng.random() < 0.5
        facts.append((_SAYS_TRUE if said else _SAYS_LIE).say(rng, split, n=name, m=before))
        truth.append(said is truth[-1])
        verdict = "true" if truth[-1] else "false"
        lines.append(f"{name} says {before} {_state(said)}: {verdict}, so {name} "
                     f"{_state(truth[-1])}.")  # fmt: skip
    if rng.random() < 0.7:
        rng.shuffle(facts)
    text = " ".join([*facts, _ASK.say(rng, split, n=names[-1])])
    return Draft(text, tuple(lines), "yes" if truth[-1] else "no", keep=tuple(names))


_PAIR_SAYS = {
    "both lie": ("we are both liars", "both of us lie"),
    "one lies": ("at least one of us is a liar", "at least one of us two lies"),
    "same": ("we are of the same kind", "both of us lie or both tell the truth"),
    "different": ("we are of different kinds", "exactly one of us lies"),
}


def _pair_lines(claim: Claim, names: Sequence[str], case: Sequence[bool]) -> list[str]:
    """Try the speaker as a truth-teller first, then as a liar."""
    me, other = names
    match claim.kind:
        case "both lie":
            return [f"If {me} tells the truth, {me} lies: not possible.", f"So {me} lies.",
                    f"Then not both lie: {other} tells the truth."]  # fmt: skip
        case "one lies":
            return [f"If {me} lies, at least one lies, so {me} is right: not possible.",
                    f"So {me} tells the truth.", f"Then {other} lies."]  # fmt: skip
        case "same":
            return [f"If {me} tells the truth, {other} is the same: tells the truth.",
                    f"If {me} lies, {other} is different: tells the truth.",
                    f"So {other} tells the truth."]  # fmt: skip
        case "different":
            return [f"If {me} tells the truth, {other} is different: lies.",
                    f"If {me} lies, {other} is the same: lies.", f"So {other} lies."]  # fmt: skip
    return [f"{me} {_state(case[0])}."]


def _pair(rng: Random, level: int, split: Split) -> Draft:
    """Two islanders, one statement about both; at the hard level a third one to judge."""
    names = people(rng, split, 2 + max(0, level - 1) * rng.randint(1, 2))
    kind = rng.choice(list(_PAIR_SAYS))
    claims = [Claim(0, kind, 1)]
    said = rng.choice(_PAIR_SAYS[kind])
    facts = [rng.choice((f"{names[0]} says to {names[1]}: {said}.",
                         f'{names[0]} says to {names[1]}: "{said[0].upper()}{said[1:]}."',
                         f"{names[0]} tells {names[1]} that {said}."))]  # fmt: skip
    found = [case for case in cases(2) if consistent(claims, case)]
    known = found[0]
    lines = _pair_lines(claims[0], names[:2], known)
    if len(names) == 2 and len(found) == 1 and rng.random() < 0.4:
        liars = [name for name, truth in zip(names, known, strict=True) if not truth]
        answer = liars[0] if len(liars) == 1 else ("both" if liars else "neither")
        text = _LIARS.say(rng, split, n=names[0], m=names[1])
    else:
        truth = known[1]
        for name, before in zip(names[2:], names[1:], strict=False):
            positive = rng.random() < 0.5
            family = _SAYS_TRUE if positive else _SAYS_LIE
            facts.append(family.say(rng, split, n=name, m=before))
            verdict = "true" if positive is truth else "false"
            truth = positive is truth
            lines.append(f"{name} says {before} {_state(positive)}: {verdict}, so {name} "
                         f"{_state(truth)}.")  # fmt: skip
        text, answer = _ASK.say(rng, split, n=names[-1]), "yes" if truth else "no"
    prompt = _ISLAND.say(rng, split) + " ".join([*facts, text])
    return Draft(prompt, tuple(lines), answer, keep=tuple(names))


def guilty(claims: Sequence[Claim], count: int, true: int) -> list[int]:
    """Suspects with whom exactly `true` claims are true."""
    fits = []
    for suspect in range(count):
        case = [place == suspect for place in range(count)]
        if sum(claim.holds(case) for claim in claims) == true:
            fits.append(suspect)
    return fits


def _suspects(rng: Random, level: int, split: Split) -> Draft:
    """Everyone says something about one of them; the number of true statements is known."""
    count = rng.randint(*((3, 3), (3, 4), (4, 5))[level])  # two suspects never make one answer
    names = people(rng, split, count)
    while True:
        claims = [Claim(i, "is", rng.randrange(count), rng.random() < 0.5) for i in range(count)]
        true = rng.randint(1, count - 1)
        if len(fits := guilty(claims, count, true)) == 1:
            break
    facts = []
    for claim in claims:
        who = "me" if claim.target == claim.speaker else names[claim.target]
        said = f"It was {who}." if claim.positive else f"It was not {who}."
        facts.append(f'{names[claim.speaker]} says: "{said}"')
    lines = []
    for place, name in enumerate(names):
        case = [other == place for other in range(count)]
        marks = [claim.holds(case) for claim in claims]
        shown = ", ".join(f"{names[c.speaker]} {'true' if m else 'false'}"
                          for c, m in zip(claims, marks, strict=True))  # fmt: skip
        fit = "fits" if sum(marks) == true else "no"
        lines.append(f"If {name}: {shown}. {sum(marks)} true, {fit}.")
        if sum(marks) == true:
            break
    listed = ", ".join(names[:-1]) + f" and {names[-1]}"
    verbs = {"v": "tells" if true == 1 else "tell", "b": "is" if true == 1 else "are"}
    ask = _COUNT.say(rng, split, c="one" if true == 1 else true, **verbs)
    text = " ".join([_CRIME.say(rng, split, x=listed), *facts, ask])
    return Draft(text[0].upper() + text[1:], tuple(lines), names[fits[0]], keep=tuple(names))


@skill("truth")
def make_truth(rng: Random, level: int, split: Split) -> Draft:
    """Two or three people; four, pairs; five or six, suspects."""
    return rng.choice((_chain, _chain, _pair, _suspects))(rng, level, split)
