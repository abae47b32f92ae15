"""What a person asks of a text's form: a pattern, a length, words that have to be in it.

Patterns run in the `regex` library, whose time-out ends a match that backtracks for ever and
which lets other threads go on meanwhile.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, get_args

from edgemind.errors import ConfigError
from edgemind.types import Objection, Verdict
from edgemind.verify.base import USUAL_SECONDS

if TYPE_CHECKING:
    import regex

Unit = Literal["characters", "words", "lines"]

LEAST_SECONDS: Final = 0.01
"""A match gets this long at least: enough for any that does not run away."""
_WORD: Final = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Matches:
    """A verifier: `pattern` (a regular expression) is found in the text; anchor it for all of it.

    Raises `ConfigError` where the pattern is none. A match that takes longer than the given
    seconds (10 at most) is objected to: nothing shows that the text keeps to the pattern.
    """

    pattern: str
    _compiled: regex.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_compiled", compiled(self.pattern))

    def __call__(self, text: str, seconds: float) -> Verdict:
        """Whether the pattern is found in `text`."""
        try:
            if self._compiled.search(text, timeout=patience(seconds), concurrent=True):
                return Verdict()
        except TimeoutError:
            return _objects(f"takes too long to match the pattern {_quoted(self.pattern)}")
        return _objects(f"does not match the pattern {_quoted(self.pattern)}")


@dataclass(frozen=True, slots=True)
class Length:
    """A verifier: the text has from `least` to `most` characters, words or lines.

    Words are what blanks separate; blank lines count as lines, those at the end do not. The score
    falls with the distance: half for twice too long or half too short. Raises `ConfigError` for
    limits that no text can keep.
    """

    least: int = 0
    most: int | None = None
    unit: Unit = "words"

    def __post_init__(self) -> None:
        if self.unit not in get_args(Unit):
            raise ConfigError(f"a length is in {', '.join(get_args(Unit))}, not in {self.unit!r}")
        if self.least < 0 or (self.most is not None and self.most < self.least):
            raise ConfigError(f"no text has from {self.least} to {self.most} {self.unit}")

    def __call__(self, text: str, seconds: float) -> Verdict:
        """Whether `text` is neither too short nor too long."""
        count = self._count(text)
        if count < self.least:
            score, wanted = count / self.least, f"at least {self.least}"
        elif self.most is not None and count > self.most:
            score, wanted = self.most / count, f"at most {self.most}"
        else:
            return Verdict()
        unit = self.unit.removesuffix("s") if count == 1 else self.unit
        return Verdict(score, (Objection(0, f"has {count} {unit}, should have {wanted}"),))

    def _count(self, text: str) -> int:
        match self.unit:
            case "characters":
                return len(text)
            case "words":
                return sum(1 for _ in _WORD.finditer(text))
            case "lines":
                whole = text.rstrip()
                return whole.count("\n") + 1 if whole else 0


@dataclass(frozen=True, slots=True)
class MustInclude:
    """A verifier: every one of `texts` stands in the text, in upper or lower case alike.

    The score is the share that does. Raises `ConfigError` where there is nothing to look for.
    """

    texts: tuple[str, ...]

    def __post_init__(self) -> None:
        given: object = self.texts  # a single text would pass for a sequence of characters
        if not isinstance(given, tuple) or not given or not all(given):
            raise ConfigError("what must be included is a tuple of texts, none of them empty")

    def __call__(self, text: str, seconds: float) -> Verdict:
        """Which of the texts are missing from `text`."""
        folded = text.casefold()
        missing = [wanted for wanted in self.texts if wanted.casefold() not in folded]
        return Verdict(
            1 - len(missing) / len(self.texts),
            tuple(Objection(0, f"does not include {_quoted(wanted)}") for wanted in missing),
        )


def compiled(pattern: str) -> regex.Pattern[str]:
    """`pattern` for the `regex` library; `ConfigError` where it is no regular expression."""
    import regex

    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError, MemoryError) as error:
        raise ConfigError(f"the pattern {_quoted(pattern)} is wrong: {error}") from error


def patience(seconds: float) -> float:
    """How long one match may take, where `seconds` are left."""
    return max(LEAST_SECONDS, min(seconds, USUAL_SECONDS))


def _objects(message: str) -> Verdict:
    return Verdict(0.0, (Objection(0, message),))


def _quoted(text: str) -> str:
    return repr(text) if len(text) <= 80 else f"{text[:80]!r}…"
